//! The query log: the last queries in a ring, as the table `system.queries`. In memory only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::rollups::Answer;
use super::scan::scan_made;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};

/// Bytes of a statement that are kept: statements may be long, and the ring has many.
const KEPT: usize = 16 << 10;

/// The last queries. Clones share the ring.
#[derive(Clone)]
pub struct QueryLog {
    ring: Arc<Mutex<VecDeque<Arc<Mutex<Entry>>>>>,
    size: usize,
    clock: Clock,
}

impl std::fmt::Debug for QueryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueryLog")
    }
}

struct Entry {
    /// µs since 1970.
    started_at: i64,
    begun: Instant,
    principal: String,
    label: String,
    sql: String,
    state: State,
    rows: i64,
    seconds: Option<f64>,
    snapshot: String,
    error: Option<ErrorKind>,
    cached: bool,
    /// What rollups answered, or why they did not.
    rollups: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Done,
    Failed,
    Cancelled,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }
}

/// One query's line in the log; dropped before it ended, it says "cancelled".
pub struct Logged(Arc<Mutex<Entry>>);

impl QueryLog {
    /// A log of the last `size` queries.
    pub fn new(size: usize, clock: Clock) -> QueryLog {
        QueryLog { ring: Arc::default(), size, clock }
    }

    /// Writes that a query begins.
    pub fn begin(&self, principal: &str, label: &str, sql: &str) -> Logged {
        let entry = Arc::new(Mutex::new(Entry {
            started_at: self.clock.now_micros(),
            begun: Instant::now(),
            principal: principal.into(),
            label: label.into(),
            sql: kept(sql),
            state: State::Running,
            rows: 0,
            seconds: None,
            snapshot: String::new(),
            error: None,
            cached: false,
            rollups: String::new(),
        }));
        let mut ring = held(&self.ring);
        ring.push_back(Arc::clone(&entry));
        while ring.len() > self.size {
            ring.pop_front();
        }
        Logged(entry)
    }

    fn batch(&self) -> DfResult<RecordBatch> {
        let entries: Vec<Arc<Mutex<Entry>>> = held(&self.ring).iter().cloned().collect();
        let text = |pick: &dyn Fn(&Entry) -> Option<String>| -> ArrayRef {
            Arc::new(StringViewArray::from_iter(entries.iter().map(|e| pick(&held(e)))))
        };
        let started = TimestampMicrosecondArray::from_iter_values(entries.iter().map(|e| held(e).started_at));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(started.with_timezone("UTC")),
            text(&|e| Some(e.principal.clone())),
            text(&|e| Some(e.label.clone())),
            text(&|e| Some(e.sql.clone())),
            text(&|e| Some(e.state.name().into())),
            Arc::new(Int64Array::from_iter_values(entries.iter().map(|e| held(e).rows))),
            Arc::new(Float64Array::from_iter(entries.iter().map(|e| held(e).seconds))),
            text(&|e| Some(e.snapshot.clone())),
            text(&|e| e.error.map(|kind| format!("{kind:?}"))),
            Arc::new(BooleanArray::from_iter(entries.iter().map(|e| Some(held(e).cached)))),
            text(&|e| Some(e.rollups.clone())),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// `sql`, or its beginning and "…".
fn kept(sql: &str) -> String {
    match sql.len() > KEPT {
        true => format!("{}…", &sql[..sql.floor_char_boundary(KEPT)]),
        false => sql.into(),
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logged {
    pub fn on_snapshot(&self, id: &str) {
        held(&self.0).snapshot = id.into();
    }
    /// The answer was there already.
    pub fn was_cached(&self) {
        held(&self.0).cached = true;
    }
    pub fn answered(&self, by: &[Answer]) {
        let told: Vec<String> = by.iter().map(ToString::to_string).collect();
        held(&self.0).rollups = told.join("; ");
    }
    pub fn add_rows(&self, rows: usize) {
        held(&self.0).rows += rows as i64;
    }
    pub fn done(&self) {
        self.end(State::Done, None);
    }
    pub fn failed(&self, error: &Error) {
        let state = if error.kind() == ErrorKind::Cancelled { State::Cancelled } else { State::Failed };
        self.end(state, Some(error.kind()));
    }

    fn end(&self, state: State, error: Option<ErrorKind>) {
        let mut entry = held(&self.0);
        if entry.state == State::Running {
            entry.seconds = Some(entry.begun.elapsed().as_secs_f64());
            entry.state = state;
            entry.error = error;
        }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.end(State::Cancelled, Some(ErrorKind::Cancelled));
    }
}

/// The columns of `system.queries` with their meaning.
pub const COLUMNS: [(&str, &str); 11] = [
    ("started_at", "when the query came"),
    ("principal", "who asked"),
    ("label", "the report's id, or sql"),
    ("sql", "the text; of a long one the first 16 KiB"),
    ("state", "running, done, failed or cancelled"),
    ("rows", "rows given so far"),
    ("seconds", "from coming to ending; NULL while it runs"),
    ("snapshot", "the snapshot that it read"),
    ("error", "the kind of error"),
    ("cached", "answered from the cache of results"),
    ("rollups", "which rollups answered of it, or why none did; empty where it reads no view that has rollups"),
];

pub fn schema() -> SchemaRef {
    let kinds = [
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Utf8View,
        DataType::Utf8View,
        DataType::Utf8View,
        DataType::Utf8View,
        DataType::Int64,
        DataType::Float64,
        DataType::Utf8View,
        DataType::Utf8View,
        DataType::Boolean,
        DataType::Utf8View,
    ];
    let nullable = |name: &str| matches!(name, "seconds" | "error");
    let fields = COLUMNS.iter().zip(kinds).map(|((name, _), kind)| Field::new(*name, kind, nullable(name)));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for QueryLog {
    fn schema(&self) -> SchemaRef {
        schema()
    }
    fn table_type(&self) -> TableType {
        TableType::Temporary
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        scan_made(|| self.batch(), session, projection, filters, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_and_drop_means_cancelled() {
        let log = QueryLog::new(2, Clock::system());
        let first = log.begin("a", "sql", "SELECT 1");
        first.done();
        drop(first);
        let second = log.begin("b", "sql", "SELECT 2");
        second.failed(&Error::invalid("no"));
        drop(log.begin("c", "sql", "SELECT 3"));
        let batch = log.batch().unwrap();
        let states = batch.column(4).as_any().downcast_ref::<StringViewArray>().unwrap();
        assert_eq!(states.iter().flatten().collect::<Vec<_>>(), ["failed", "cancelled"]);
    }

    #[test]
    fn of_a_long_statement_the_beginning_is_kept() {
        let log = QueryLog::new(2, Clock::system());
        // The limit is in the middle of a letter.
        let long = format!("SELECT '{}'", "é".repeat(KEPT));
        log.begin("a", "sql", &long).done();
        log.begin("a", "sql", "SELECT 1").done();
        let batch = log.batch().unwrap();
        let texts = batch.column(3).as_any().downcast_ref::<StringViewArray>().unwrap();
        let first = texts.value(0).strip_suffix('…').unwrap();
        assert!(long.starts_with(first) && (KEPT - 1..=KEPT).contains(&first.len()), "{} bytes", first.len());
        assert_eq!(texts.value(1), "SELECT 1");
    }
}
