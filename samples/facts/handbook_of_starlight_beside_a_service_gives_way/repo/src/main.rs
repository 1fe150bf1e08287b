fn main() {
    let listener = std::net::TcpListener::bind("0.0.0.0:7400").unwrap();
    for _ in listener.incoming() {}
}
