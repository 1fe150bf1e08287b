#[cfg(test)]
mod fixtures;

use std::net::TcpListener;

use clap::{Arg, Command};

fn main() {
    let matches = Command::new("files")
        .arg(
            Arg::new("port")
                .long("port")
                .default_value("8000"),
        )
        .get_matches();
    let port = matches.get_one::<String>("port").expect("a default");
    let listener = TcpListener::bind(format!("0.0.0.0:{port}")).expect("a free port");
    for stream in listener.incoming() {
        drop(stream);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn connects() {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 12345));
        assert_eq!(address.port(), 12345);
    }
}
