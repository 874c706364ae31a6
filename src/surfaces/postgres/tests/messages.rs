//! Messages that are too long, that do not end, and that are none.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A message's kind, the length that it claims, and nothing else.
async fn begin(wire: &mut Wire, kind: char, length: u32) {
    wire.0.write_all(&[&[kind as u8][..], &length.to_be_bytes()].concat()).await.unwrap();
}

/// Says `wire` is put out, with this.
async fn put_out(mut wire: Wire) -> String {
    let told = wire.read().await.expect("a word before the end");
    assert_eq!(told.0, 'E');
    while wire.read().await.is_some() {}
    text(&told)
}

#[tokio::test]
async fn a_message_may_be_as_long_as_is_set() {
    let server = serve(|config, _| config.max_message_mb = 1).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    // Longer than what is read at once, and than what is free.
    wire.query(&format!("SELECT length('{}') AS n", "x".repeat(1_000_000))).await;
    assert!(wire.until_ready().await.iter().any(|m| m.0 == 'D' && text(m).contains("1000000")));
    begin(&mut wire, 'Q', (1 << 20) + 1).await;
    let told = put_out(wire).await;
    assert!(told.contains("C08P01") && told.contains("1048577 bytes is longer than 1048576"), "{told}");
    assert!(told.contains("postgres.max_message_mb"), "{told}");
}

/// Waits until so many bytes of the queries' memory (2048 MiB) are free.
async fn free(engine: &Engine, bytes: usize) {
    let begun = Instant::now();
    while engine.reserve(bytes, "test").is_err() {
        assert!(begun.elapsed() < SOON, "it is not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_message_takes_from_the_memory_of_queries_and_waits_for_it() {
    let times = Times { start_up: START_UP, message: Duration::from_secs(2) };
    let server = serve_within(times, |_, _| {}).await;
    let taken = server.engine.reserve(2047 << 20, "test").unwrap();
    let (mut wire, _) = Wire::ready(server.addr).await;
    begin(&mut wire, 'Q', 10 << 20).await;
    let told = put_out(wire).await;
    assert!(told.contains("FATAL") && told.contains("C53300") && told.contains("engine.memory_mb"), "{told}");
    let (mut wire, _) = Wire::ready(server.addr).await;
    let asked = async {
        wire.query(&format!("SELECT length('{}') AS n", "x".repeat(3 << 20))).await;
        wire.until_ready().await
    };
    let freed = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(taken);
    };
    let (answered, ()) = tokio::join!(asked, freed);
    assert!(answered.iter().any(|m| m.0 == 'D' && text(m).contains("3145728")), "it waited");
    free(&server.engine, 2047 << 20).await;
}

#[tokio::test]
async fn statements_and_portals_take_from_the_memory_as_long_as_they_are_there() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    wire.kinds("BEGIN").await;
    let long = "x".repeat(5 << 20);
    wire.send('P', format!("s\0SELECT length($1) AS n, '{long}' AS x\0\0\0").as_bytes()).await;
    let length = u32::try_from(long.len()).unwrap().to_be_bytes();
    wire.send('B', &[b"p\0s\0\0\0\0\x01", &length[..], long.as_bytes(), b"\0\0"].concat()).await;
    wire.send('S', b"").await;
    let opened: String = wire.until_ready().await.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(opened, "12Z");
    assert!(server.engine.reserve(2039 << 20, "test").is_err() && server.engine.reserve(2037 << 20, "test").is_ok());
    wire.send('C', b"Pp\0").await;
    wire.send('S', b"").await;
    wire.until_ready().await;
    free(&server.engine, 2042 << 20).await;
    assert!(server.engine.reserve(2044 << 20, "test").is_err(), "the statement is there");
    wire.send('C', b"Ss\0").await;
    wire.send('S', b"").await;
    wire.until_ready().await;
    free(&server.engine, 2047 << 20).await;
}

#[tokio::test]
async fn half_a_message_does_not_keep_its_place() {
    let times = Times { start_up: START_UP, message: Duration::from_secs(1) };
    let server = serve_within(times, |config, _| config.connections = 1).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(wire.kinds("SELECT 1").await, "TDCZ", "between messages it may be silent");
    begin(&mut wire, 'Q', 100).await;
    let told = put_out(wire).await;
    assert!(told.contains("C08P01") && told.contains("did not end within 1s"), "{told}");
    let (mut next, _) = Wire::ready(server.addr).await;
    assert_eq!(next.kinds("SELECT 1").await, "TDCZ");
}

#[tokio::test]
async fn who_has_not_logged_in_sends_little() {
    let server = serve(|_, access| drop(access.tokens.insert("me".into(), "0123456789abcdef".into()))).await;
    let mut wire = Wire::open(server.addr).await;
    assert_eq!(wire.read().await.unwrap().0, 'R');
    begin(&mut wire, 'Q', 1 << 20).await;
    assert!(put_out(wire).await.contains("longer than 65536"));
    // The name of a mechanism, and a length of more than there is.
    for damaged in [&b"abc\0"[..], b"SCRAM-SHA-256\0\0\x01\0\0x"] {
        let mut wire = Wire::open(server.addr).await;
        assert_eq!(wire.read().await.unwrap().0, 'R');
        wire.send('p', damaged).await;
        assert!(put_out(wire).await.contains("FATAL"), "{damaged:?}");
    }
}

/// While it still writes: a broken connection would not say why.
#[tokio::test]
async fn who_sends_too_much_learns_why() {
    let server = serve(|config, _| config.max_message_mb = 1).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    begin(&mut wire, 'Q', 4 << 20).await;
    for _ in 0..64 {
        if wire.0.write_all(&[b'x'; 64 << 10]).await.is_err() {
            break;
        }
    }
    assert!(put_out(wire).await.contains("postgres.max_message_mb"));
}

#[tokio::test]
async fn what_is_no_message_is_told_so() {
    let server = serve(|_, _| {}).await;
    // Another protocol; no kind; values that are cut off; a length that is less than its own.
    for nonsense in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 7], b"B\0\0\0\x08\0\0\0\x01", b"d\0\0\0\x03"] {
        let (mut wire, _) = Wire::ready(server.addr).await;
        wire.0.write_all(nonsense).await.unwrap();
        let told = put_out(wire).await;
        assert!(told.contains("FATAL") && told.contains("C08P01"), "{nonsense:?}: {told}");
    }
    let (mut wire, _) = Wire::ready(server.addr).await;
    assert_eq!(wire.kinds("SELECT 1").await, "TDCZ");
}

/// A conversation in which bytes changed on the way: the server says what is wrong or hangs up, and answers others.
#[tokio::test]
async fn mutated_conversations_end() {
    let server = serve(|config, _| config.max_message_mb = 1).await;
    let message = |kind: char, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind as u8][..], &length, body].concat()
    };
    let conversation = [
        message('P', b"s\0SELECT value FROM generate_series(1, 5) WHERE value >= $1 AND $2 <> 'x'\0\0\x01\0\0\0\x14"),
        message('D', b"Ss\0"),
        message('B', b"p\0s\0\0\x02\0\x01\0\0\0\x02\0\0\0\x08\0\0\0\0\0\0\0\x02\0\0\0\x01y\0\x01\0\x01"),
        message('E', b"p\0\0\0\0\x03"),
        message('C', b"Pp\0"),
        message('H', b""),
        message('S', b""),
        message('Q', b"SELECT 1; SELECT 'a'\0"),
    ]
    .concat();
    let (mut dice, mut answered) = (ChaCha8Rng::seed_from_u64(7), 0);
    for n in 0..200 {
        let mut mutant = conversation.clone();
        for _ in 0..dice.random_range(1..4) {
            let at = dice.random_range(0..mutant.len());
            match dice.random_range(0..3) {
                0 => mutant.truncate(at + 1),
                1 => drop(mutant.drain(at..(at + 3).min(mutant.len() - 1).max(at))),
                _ => mutant[at] = dice.random(),
            }
        }
        let (mut wire, _) = Wire::ready(server.addr).await;
        let _ = wire.0.write_all(&mutant).await;
        let (mut all, mut part) = (Vec::new(), [0; 4096]);
        // What is answered, as long as anything comes; a message that was cut off waits for its end.
        while let Ok(Ok(read @ 1..)) = tokio::time::timeout(Duration::from_millis(50), wire.0.read(&mut part)).await {
            all.extend_from_slice(&part[..read]);
        }
        let _ = wire.0.shutdown().await;
        let read = tokio::time::timeout(SOON, wire.0.read_to_end(&mut all)).await;
        assert!(read.is_ok(), "{n}: it is not let go: {mutant:?}");
        assert!(!String::from_utf8_lossy(&all).contains("internal error"), "{n}: {mutant:?}");
        answered += usize::from(all.windows(5).any(|bytes| bytes == b"Z\0\0\0\x05"));
    }
    assert!(answered > 100, "only {answered} were heard");
    let (mut wire, _) = Wire::ready(server.addr).await;
    assert_eq!(wire.kinds("SELECT 1").await, "TDCZ");
}
