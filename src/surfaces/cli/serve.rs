//! `saleslake serve`: says where it listens and when to stop.

use std::net::SocketAddr;

use crate::engine::CATALOG;

/// Tells people where to look; on stderr, since it is no data.
pub fn announce(http: SocketAddr, flight: Option<SocketAddr>, postgres: Option<SocketAddr>) {
    eprintln!("serving on http://{http}  (stop with Ctrl-C)");
    eprintln!("  reports     http://{http}/api/v1/reports");
    eprintln!("  one run     http://{http}/api/v1/reports/sales-by-channel/run?format=csv");
    if let Some(addr) = flight {
        eprintln!("  Flight SQL  grpc://{addr}");
    }
    if let Some(addr) = postgres {
        eprintln!("  PostgreSQL  postgresql://{addr}/{CATALOG}");
    }
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
