//! The PostgreSQL wire protocol, read by hand: a client that asks for more than it reads.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::flight::site::{Site, on_sample};

/// A dropped client's query ends within a second.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);
/// Its rows come at once and never end.
const ENDLESS: &str = "SELECT value AS n, value % 7005 AS m FROM generate_series(1, 1000000000000)";

/// A message; the first one has no kind.
fn message(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [kind, &length, body].concat()
}

#[test]
fn a_slow_reader_holds_bounded_memory() {
    on_sample(|| async {
        let site = Site::sample(|config| {
            config.engine.row_limit = u64::MAX;
            config.postgres.enabled = true;
            config.postgres.bind = "127.0.0.1:0".into();
        })
        .await;
        let addr = site.postgres.expect("PostgreSQL is on");
        let mut socket = TcpStream::connect(addr).await.expect("connected");
        socket.write_all(&message(b"", b"\0\x03\0\0user\0me\0database\0lake\0\0")).await.expect("sent");
        let greeted = async {
            loop {
                let kind = socket.read_u8().await.expect("a message");
                let length = socket.read_u32().await.expect("its length");
                let mut body = vec![0; length as usize - 4];
                socket.read_exact(&mut body).await.expect("all of it");
                if kind == b'Z' {
                    return;
                }
            }
        };
        tokio::time::timeout(SOON, greeted).await.expect("it is let in");
        socket.write_all(&message(b"Q", format!("{ENDLESS}\0").as_bytes())).await.expect("sent");
        site.becomes(ENDLESS, "running", SOON).await;
        let before = site.stalled(ENDLESS).await;
        assert!(before < 2_000_000, "{before} rows, of some 30 bytes each, wait for a reader of none");
        // It goes on when it is read.
        let (mut chunk, begun) = (vec![0; 1 << 20], Instant::now());
        while site.given(ENDLESS).await <= before {
            assert!(socket.read(&mut chunk).await.expect("rows") > 0, "it ended");
            assert!(begun.elapsed() < SOON, "it does not go on");
        }
        drop(socket);
        site.becomes(ENDLESS, "cancelled", AT_ONCE).await;
        site.stop().await;
    });
}
