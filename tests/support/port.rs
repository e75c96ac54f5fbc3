//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

use rand::Rng;

/// A port that nobody listens on now.
///
/// From below the range that the kernel takes the ports of outgoing connections from, so that a
/// server which is stopped finds its port free when it is started again.
///
/// # Panics
/// When a hundred ports in a row are taken.
pub fn free() -> u16 {
    let mut random = rand::rng();
    (0..100)
        .map(|_| random.random_range(20_000..32_000))
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("no free port in a hundred tries")
}
