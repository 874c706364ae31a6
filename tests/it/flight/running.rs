//! Tickets, and the queries that run under them: signed, pinned, left, cancelled, slowly read.

use std::time::Duration;

use arrow_flight::{CancelFlightInfoRequest, CancelStatus, FlightClient, Ticket};
use futures::StreamExt;
use tonic::Code;

use super::site::{Site, answer, ask, fetch, on_sample, status};
use super::ticket;

/// A dropped client's query ends within a second.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

const HELD: &str = "SELECT count(*) AS n FROM base.order_line";

/// It computes for days before its first row; `n` makes it a text of its own.
fn endless(n: u32) -> String {
    format!("SELECT sum(value % {n}) AS total FROM generate_series(1, 1000000000000) AS t(value)")
}

/// Its rows come at once and never end.
fn endless_rows(n: u32) -> String {
    format!("SELECT value AS n, value % {n} AS m FROM generate_series(1, 1000000000000) AS t(value)")
}

#[test]
fn tickets_are_signed() {
    on_sample(|| async {
        let (site, other) = (Site::sample(|_| ()).await, Site::sample(|_| ()).await);
        let mut client = site.client().await;
        let info = client.execute("SELECT 42 AS answer".into(), None).await.unwrap();
        for _ in 0..2 {
            assert_eq!(answer(&mut client, &info).await.rows, [["42"]], "a ticket works more than once");
        }
        let mut elsewhere = site.client().await;
        assert_eq!(answer(&mut elsewhere, &info).await.rows, [["42"]], "and on any connection");

        let bytes = ticket(&info).ticket.to_vec();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let refused = client.do_get(Ticket::new(changed)).await;
            assert!(refused.is_err(), "byte {at} may be changed");
        }
        for wrong in [&bytes[..bytes.len() - 1], b"", b"SELECT 1"] {
            assert!(client.do_get(Ticket::new(wrong.to_vec())).await.is_err());
        }
        // Without tokens each process has a key of its own.
        let refused = status(other.client().await.do_get(ticket(&info)).await);
        assert_eq!(refused.code(), Code::InvalidArgument, "{}", refused.message());
        other.stop().await;
        site.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_answers_from_the_state_it_was_made_on() {
    let site = Site::own(|_| ()).await;
    site.land(&["A", "B"]).await;
    let mut client = site.client().await;
    let info = client.execute(HELD.into(), None).await.unwrap();
    let mut prepared = client.prepare(HELD.into(), None).await.unwrap();
    site.land(&["C", "D", "E"]).await;
    assert_eq!(answer(&mut client, &info).await.rows, [["2"]], "the ticket of before");
    assert_eq!(ask(&mut client, HELD).await.rows, [["5"]]);
    let now = prepared.execute().await.unwrap();
    assert_eq!(
        answer(&mut client, &now).await.rows,
        [["5"]],
        "each run of a prepared statement is of the newest state"
    );
    assert_eq!(answer(&mut client, &info).await.rows, [["2"]], "still");
    site.stop().await;
}

#[test]
fn who_leaves_stops_the_query() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        for (sql, has_rows) in [(endless(7001), false), (endless_rows(7002), true)] {
            let mut client = site.client().await;
            let info = client.execute(sql.clone(), None).await.unwrap();
            let mut reading = tokio::spawn(async move {
                let mut rows = client.do_get(ticket(&info)).await.unwrap();
                rows.next().await.unwrap().unwrap();
                std::future::pending::<()>().await;
            });
            site.becomes(&sql, "running", SOON).await;
            if has_rows {
                // It has read some, and then reads no more.
                tokio::time::timeout(Duration::from_millis(500), &mut reading).await.unwrap_err();
            }
            reading.abort();
            site.becomes(&sql, "cancelled", AT_ONCE).await;
        }
        site.stop().await;
    });
}

#[test]
fn cancelling_stops_the_work() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let sql = endless(7003);
        let mut client = site.client().await;
        let info = client.execute(sql.clone(), None).await.unwrap();
        let reading = tokio::spawn({
            let (mut client, info) = (site.client().await, info.clone());
            async move { status(fetch(&mut client, &info).await) }
        });
        site.becomes(&sql, "running", SOON).await;
        let mut flight = FlightClient::new(site.channel().await);
        let cancelled = flight.cancel_flight_info(CancelFlightInfoRequest::new(info.clone())).await.unwrap();
        assert_eq!(cancelled.status(), CancelStatus::Cancelled);
        site.becomes(&sql, "cancelled", AT_ONCE).await;
        let told = tokio::time::timeout(AT_ONCE, reading).await.expect("the reader is told at once").unwrap();
        assert_eq!(told.code(), Code::Cancelled, "{}", told.message());
        assert_eq!(status(fetch(&mut client, &info).await).code(), Code::Cancelled, "its ticket is worth nothing more");
        site.stop().await;
    });
}

#[test]
fn a_slow_reader_holds_bounded_memory() {
    on_sample(|| async {
        let site = Site::sample(|config| config.engine.row_limit = u64::MAX).await;
        let sql = endless_rows(7004);
        let mut client = site.client().await;
        let info = client.execute(sql.clone(), None).await.unwrap();
        let mut rows = client.do_get(ticket(&info)).await.unwrap();
        rows.next().await.unwrap().unwrap();
        let before = site.stalled(&sql).await;
        assert!(before < 5_000_000, "{before} rows, of 16 bytes each, wait for a reader of one batch");
        let more = rows.next().await.unwrap().unwrap();
        assert!(more.num_rows() > 0, "it goes on when it is read");
        drop(rows);
        site.becomes(&sql, "cancelled", AT_ONCE).await;
        site.stop().await;
    });
}
