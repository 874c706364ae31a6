//! Who takes up room: connections, those that nobody is let in on, and messages of strangers.

use std::time::Instant;

use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{Criteria, HandshakeRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Request;

use super::*;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);
const SHORTLY: Duration = Duration::from_secs(1);

async fn one(client: &mut Client) -> Result<FlightInfo, FlightError> {
    client.execute("SELECT 1".into(), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_room_for_so_many_and_no_more() {
    let stage = Stage::open_within(START_UP, &[("bi", BI)], |config| config.connections = 1).await;
    let mut first = stage.client_of(BI).await;
    one(&mut first).await.unwrap();
    let mut stranger = stage.client_of(JOB).await;
    assert_eq!(refused(one(&mut stranger).await).code(), Code::Unauthenticated, "it takes no room");
    let mut second = stage.client_of(BI).await;
    let full = refused(one(&mut second).await);
    assert!(full.code() == Code::ResourceExhausted && full.message().contains("flight.connections"), "{full}");
    one(&mut first).await.expect("who is in stays");
    drop(first);
    let begun = Instant::now();
    while one(&mut second).await.is_err() {
        assert!(begun.elapsed() < SOON, "the place was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_put_out() {
    let stage = Stage::open_within(SHORTLY, &[("bi", BI)], |_| {}).await;
    let mut inside = stage.client_of(BI).await;
    one(&mut inside).await.unwrap();
    let mut silent = TcpStream::connect(stage.addr).await.unwrap();
    let ended = tokio::time::timeout(SOON, async { while silent.read_u8().await.is_ok() {} }).await;
    assert!(ended.is_ok(), "it is still there");
    one(&mut inside).await.expect("who is in stays");
}

/// Nobody reads what it is answered: the server has no chance to read on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_put_out() {
    let stage = Stage::open_within(SHORTLY, &[("bi", BI)], |_| {}).await;
    let mut deaf = TcpStream::connect(stage.addr).await.unwrap();
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let ping = b"\0\0\x08\x06\0\0\0\0\0pingpong".repeat(1000);
    let ended = tokio::time::timeout(SOON, async { while deaf.write_all(&ping).await.is_ok() {} }).await;
    assert!(ended.is_ok(), "it is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_has_its_time_and_is_short() {
    let stage = Stage::open_within(SHORTLY, &[("bi", BI)], |_| {}).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", stage.addr)).unwrap();
    let mut client = FlightServiceClient::new(endpoint.connect().await.unwrap());
    let mut known = Request::new(Criteria::default());
    known.metadata_mut().insert("authorization", format!("Bearer {BI}").parse().unwrap());
    client.list_flights(known).await.unwrap();
    let silent = tokio::time::timeout(SOON, client.handshake(stream::pending::<HandshakeRequest>())).await;
    assert_eq!(silent.expect("it still waits").unwrap_err().code(), Code::DeadlineExceeded);
    let long = HandshakeRequest { protocol_version: 0, payload: vec![0; 100_000].into() };
    let refused = client.handshake(stream::iter([long])).await.unwrap_err();
    assert!(refused.code() != Code::Unauthenticated && refused.code() != Code::Ok, "it was read: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_strangers_send_is_not_read() {
    let stage = Stage::open_within(START_UP, &[("bi", BI)], |config| config.max_message_mb = 1).await;
    let long = "x".repeat(2 << 20);
    let code = |result: Result<FlightInfo, FlightError>| refused(result).code();
    assert_eq!(code(stage.client_of(BI).await.execute(long.clone(), None).await), Code::OutOfRange, "too long");
    assert_eq!(code(stage.client_of(JOB).await.execute(long, None).await), Code::Unauthenticated);
}
