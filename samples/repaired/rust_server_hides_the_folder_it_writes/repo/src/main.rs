use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
};

fn main() -> std::io::Result<()> {
    fs::create_dir_all("readings")?;
    fs::write("readings/start.txt", "0.0\n")?;
    let listener = TcpListener::bind("0.0.0.0:7400")?;
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut request = [0; 1024];
        let _ = stream.read(&mut request)?;
        let count = fs::read_dir("readings")?.count();
        let page = format!("{count} reading\n");
        let length = page.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        )?;
    }
    Ok(())
}
