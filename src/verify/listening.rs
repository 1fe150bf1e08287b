//! What a container listens on, read from `/proc/net/tcp` and `/proc/net/tcp6`.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address that is listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

impl Listener {
    /// Returns whether only the container itself can reach it.
    pub fn is_local(self) -> bool {
        // A Java program that listens on 127.0.0.1 does so on the IPv6 form of it.
        self.address.to_canonical().is_loopback()
    }
}

impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::net::SocketAddr::new(self.address, self.port).fmt(f)
    }
}

/// Reads the tables, one behind the other; the engine's own name server on 127.0.0.11 is left out.
pub fn listeners(tables: &str) -> Vec<Listener> {
    let found: BTreeSet<Listener> = tables.lines().filter_map(listener).collect();
    let own = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));
    found
        .into_iter()
        .filter(|listener| listener.address != own)
        .collect()
}

/// Layout of a row: <https://docs.kernel.org/networking/proc_net_tcp.html>; 0A is LISTEN.
fn listener(row: &str) -> Option<Listener> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    if fields.get(3) != Some(&"0A") {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| {
        let text = address.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(text, 16).ok()?.to_le_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for index in 0..4 {
                bytes[index * 4..index * 4 + 4].copy_from_slice(&word(index)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(Listener { address, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_state_listen_are_read() {
        let tables = "  sl  local_address rem_address   st\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n\
            1: 0B00007F:A455 00000000:0000 0A 00000000:00000000\n\
            2: 00000000:2328 00000000:0000 0A 00000000:00000000\n\
            3: 00000000:2329 00000000:0000 01 00000000:00000000\n\
            0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0\n";
        let shown: Vec<String> = listeners(tables).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["0.0.0.0:9000", "127.0.0.1:8080", "[::]:3000"]);
    }
}
