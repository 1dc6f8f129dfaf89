//! Ports for programs that are told which one to take.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that nobody listens on. It is below those that the system gives to connections, so that none takes it before the
/// program does, and no other test of this process gets it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 100).expect("a small number") * 100;
    let mut candidates =
        std::iter::repeat_with(|| 12_000 + first + NEXT.fetch_add(1, Ordering::SeqCst) % 100);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    candidates.by_ref().take(100).find(is_free).expect("a free port")
}
