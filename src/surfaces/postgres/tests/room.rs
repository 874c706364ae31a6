//! Who takes up room: connections, log-ins that do not end, portals that are not read.

use tokio_postgres::{Client, NoTls};

use super::*;
use crate::access::STARTING;

const TOKEN: &str = "0123456789abcdef";

fn guarded(access: &mut AccessConfig) {
    access.tokens.insert("me".into(), TOKEN.into());
}

/// Logs in, as drivers do.
async fn log_in(addr: SocketAddr, password: &str) -> std::result::Result<Client, tokio_postgres::Error> {
    let me = format!("host={} port={} user=me password={password} dbname=lake", addr.ip(), addr.port());
    let (client, connection) = tokio_postgres::connect(&me, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn code(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("", |code| code.code())
}

/// A client that was asked for its password.
async fn asked(addr: SocketAddr) -> Wire {
    let mut wire = Wire::open(addr).await;
    assert_eq!(wire.read().await.unwrap().0, 'R');
    wire
}

#[tokio::test]
async fn there_is_room_for_so_many_and_no_more() {
    let server = serve(|config, _| config.connections = 1).await;
    let (first, _) = Wire::ready(server.addr).await;
    let mut second = Wire::open(server.addr).await;
    let told = second.read().await.unwrap();
    assert!(told.0 == 'E' && text(&told).contains("C53300"), "{told:?}");
    while second.read().await.is_some() {}
    drop(first);
    let begun = Instant::now();
    loop {
        let mut third = Wire::open(server.addr).await;
        if third.read().await.is_some_and(|(kind, _)| kind == 'R') {
            break;
        }
        assert!(begun.elapsed() < SOON, "the place was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_has_not_logged_in_takes_no_room() {
    let server = serve(|config, access| {
        config.connections = 1;
        guarded(access);
    })
    .await;
    let silent = [asked(server.addr).await, asked(server.addr).await, asked(server.addr).await];
    let wrong = log_in(server.addr, "fedcba9876543210").await.unwrap_err();
    let told = wrong.as_db_error().unwrap();
    assert_eq!(told.code().code(), "28P01");
    assert!(told.message().contains("\"me\""), "{told}");
    let client = log_in(server.addr, TOKEN).await.expect("there is room");
    assert_eq!(code(&log_in(server.addr, TOKEN).await.unwrap_err()), "53300", "one is in");
    client.simple_query("SELECT 1").await.unwrap();
    drop(silent);
}

#[tokio::test]
async fn who_does_not_log_in_is_put_out() {
    let server =
        serve_within(Times { start_up: Duration::from_secs(1), message: MESSAGE }, |_, access| guarded(access)).await;
    let silent = Wire(TcpStream::connect(server.addr).await.unwrap());
    let asked = asked(server.addr).await;
    let client = log_in(server.addr, TOKEN).await.unwrap();
    for mut wire in [silent, asked] {
        assert!(wire.read().await.is_none());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.simple_query("SELECT 1").await.expect("who is in stays");
}

#[tokio::test]
async fn only_so_many_log_in_at_once() {
    let server = serve(|_, _| ()).await;
    let mut silent = Vec::new();
    for _ in 0..STARTING {
        silent.push(TcpStream::connect(server.addr).await.unwrap());
    }
    assert!(Wire(TcpStream::connect(server.addr).await.unwrap()).read().await.is_none(), "there is no end of them");
    drop(silent);
}

#[tokio::test]
async fn portals_that_are_not_read_hold_up_nobody() {
    let server = serve(|_, _| ()).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let (mut wire, _) = Wire::ready(server.addr).await;
        wire.query("BEGIN").await;
        wire.until_ready().await;
        wire.send('P', b"\0SELECT value FROM generate_series(1, 200000)\0\0\0").await;
        wire.send('B', b"\0\0\0\0\0\0\0\0").await;
        wire.send('E', b"\0\0\0\0\x03").await;
        wire.send('S', b"").await;
        let part = wire.until_ready().await;
        assert_eq!(part.iter().map(|(kind, _)| kind).collect::<String>(), "12DDDsZ", "{part:?}");
        open.push(wire);
    }
    let (mut other, _) = Wire::ready(server.addr).await;
    assert_eq!(other.kinds("SELECT count(*) FROM base.order_line").await, "TDCZ");
    for wire in &mut open {
        wire.send('E', b"\0\0\0\0\0").await;
        wire.send('S', b"").await;
        let rest = wire.until_ready().await;
        assert_eq!(rest.iter().filter(|(kind, _)| *kind == 'D').count(), 199_997);
    }
}
