fn main() {
    println!("{:?}", std::net::TcpStream::connect(("127.0.0.1", gauge::PORT)));
}
