use std::{io::Write, net::TcpListener};

fn main() {
    let listener = TcpListener::bind("0.0.0.0:8088").expect("a free port");
    for stream in listener.incoming().flatten() {
        let mut stream = stream;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbins");
    }
}
