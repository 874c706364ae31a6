//! `saleslake serve`: says where it listens and when to stop.

use std::net::SocketAddr;

/// Tells people where to look; on stderr, since it is no data.
pub fn announce(addr: SocketAddr) {
    eprintln!("serving on http://{addr}  (stop with Ctrl-C)");
    eprintln!("  reports   http://{addr}/api/v1/reports");
    eprintln!("  one run   http://{addr}/api/v1/reports/sales-by-channel/run?format=csv");
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
