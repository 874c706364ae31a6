//! Whose turn it is: results that are not read, queries that wait, those that need not wait.

use tokio::time::{sleep, timeout};

use super::*;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);
/// More than lies ready for a reader who does not read.
const MANY: &str = "SELECT value FROM generate_series(1, 200000)";
/// It computes for hours before its first row.
const ENDLESS: &str = "SELECT sum(value % 7) FROM generate_series(1, 1000000000000)";
const LINES: &str = "SELECT count(*) FROM base.order_line";

async fn open(engine: &Engine, sql: &str) -> Rows {
    engine.query(sql, QueryOptions::default(), &Caller::named("open")).await.unwrap()
}

async fn count(rows: Rows) -> Result<usize> {
    Ok(rows.collect().await?.iter().map(RecordBatch::num_rows).sum())
}

async fn answer(engine: &Engine, sql: &str) -> String {
    timeout(SOON, one(engine, sql, QueryOptions::default())).await.unwrap_or_else(|_| panic!("{sql} waits"))
}

#[tokio::test]
async fn results_that_nobody_reads_hold_up_nobody() {
    let engine = limited(&small_lake().await, |c| c.concurrent = 2).await;
    let unread = [open(&engine, MANY).await, open(&engine, MANY).await];
    assert_eq!(answer(&engine, LINES).await, "3");
    for rows in unread {
        assert_eq!(timeout(SOON, count(rows)).await.expect("it goes on").unwrap(), 200_000);
    }
}

#[tokio::test]
async fn who_waited_in_vain_is_told_so() {
    let engine = limited(&small_lake().await, |c| c.concurrent = 1).await;
    let endless = open(&engine, ENDLESS).await;
    let hurried = Caller { timeout: Some(Duration::from_millis(200)), ..Caller::named("hurried") };
    let error = engine.query(LINES, QueryOptions::default(), &hurried).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(error.message().contains("s for a turn: 1 query of class interactive was running"), "{error}");
    assert!(error.hint_text().unwrap().contains("engine.concurrent"), "{error:?}");
    // What reads no table need not wait.
    assert_eq!(answer(&engine, "SELECT 1").await, "1");
    assert_eq!(answer(&engine, "SELECT state FROM system.queries WHERE principal = 'open'").await, "running");
    assert_eq!(answer(&engine, "SELECT count(*) > 0 FROM information_schema.tables").await, "true");
    drop(endless);
    assert_eq!(answer(&engine, LINES).await, "3");
}

#[tokio::test]
async fn only_so_many_results_wait_for_their_readers() {
    let engine = limited(&small_lake().await, |c| (c.concurrent, c.unread) = (2, 1)).await;
    let unread = [open(&engine, MANY).await, open(&engine, MANY).await];
    let failed = "SELECT count(*) FROM system.queries WHERE state = 'failed'";
    let one_failed = async {
        while answer(&engine, failed).await != "1" {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, one_failed).await.expect("both are open");
    let mut errors = Vec::new();
    for rows in unread {
        match count(rows).await {
            Ok(rows) => assert_eq!(rows, 200_000),
            Err(error) => errors.push(error),
        }
    }
    assert_eq!(errors.iter().map(|e| e.kind()).collect::<Vec<_>>(), [ErrorKind::Busy]);
    assert!(errors[0].hint_text().unwrap().contains("engine.unread"), "{:?}", errors[0]);
}

#[tokio::test]
async fn a_result_that_was_not_read_in_time_says_so() {
    let engine = limited(&small_lake().await, |_| ()).await;
    let hurried = Caller { timeout: Some(Duration::from_millis(2500)), ..Caller::named("hurried") };
    let rows = engine.query(MANY, QueryOptions::default(), &hurried).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    let error = count(rows).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.message().contains("not read to its end within 2.5 s"), "{error}");
}
