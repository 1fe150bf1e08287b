use std::env;

use tiny_http::{Response, Server};

fn main() {
    let address = env::var("ANCHORAGE_ADDR").unwrap_or_else(|_| "0.0.0.0:8311".to_string());
    let server = Server::http(&address).expect("the address is free");
    for request in server.incoming_requests() {
        let _ = request.respond(Response::from_string("anchor holds\n"));
    }
}
