//! Rows: all that leaves the engine. Row limit, deadline, turn and query log live inside, so they hold on every surface.
//! It must not know formats. Dropping it cancels the query, whatever its threads are doing.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};

use super::cache::Filling;
use super::classify::classify;
use super::log::Logged;
use super::rollups::Answer;
use super::stop::{Stopper, Work};
use crate::error::{Error, ErrorKind, Result};

/// Batches that wait for a slow reader.
const AHEAD: usize = 2;
/// How long a query keeps its turn while its reader takes nothing: longer than one who reads steadily needs for a batch,
/// for taking a turn again may mean to wait.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long after its deadline a query may still say so itself.
pub(super) const GRACE: Duration = Duration::from_millis(250);

/// The rows of one query.
pub struct Rows {
    /// Plain Arrow types: no view types leave the engine.
    pub schema: SchemaRef,
    /// The snapshot's id.
    pub snapshot: String,
    /// Delta versions of the tables read.
    pub versions: BTreeMap<String, i64>,
    /// What became of its aggregates over views that have rollups.
    pub answers: Vec<Answer>,
    /// They were there already: the same had been asked of the same versions.
    pub cached: bool,
    stream: BoxStream<'static, Result<RecordBatch>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

impl Rows {
    /// Batch by batch. After an error the stream ends.
    pub fn into_stream(self) -> BoxStream<'static, Result<RecordBatch>> {
        self.stream
    }

    /// All at once, for small results and tests.
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        self.stream.try_collect().await
    }

    /// The rows of `inner`, pumped by a task that owns every guard: it ends at the deadline even if nobody reads.
    pub(super) fn guarded(guards: Guards, inner: SendableRecordBatchStream, read: Read) -> Rows {
        let Read { schema, snapshot, versions, answers, cached } = read;
        let (into, from) = mpsc::channel(AHEAD);
        let (deadline, timeout) = (guards.deadline, guards.timeout);
        let stopper = guards.work.stopper();
        let task = tokio::spawn(pump(inner, guards, Arc::clone(&schema), into));
        let stream = Pumped { from, task, stopper, ended: false, deadline, timeout, late: None };
        Rows { schema, snapshot, versions, answers, cached, stream: stream.boxed() }
    }
}

/// What the rows were read from.
pub(super) struct Read {
    /// The result's columns in plain types, as they were told when the statement was described.
    pub schema: SchemaRef,
    pub snapshot: String,
    pub versions: BTreeMap<String, i64>,
    pub answers: Vec<Answer>,
    pub cached: bool,
}

/// What holds for a query until its end.
pub(super) struct Guards {
    pub log: Logged,
    /// Its turn and its snapshot.
    pub work: Arc<Work>,
    pub deadline: Instant,
    /// The time that was allowed, for the message.
    pub timeout: Duration,
    pub row_limit: u64,
    /// Collects the rows for the cache.
    pub filling: Option<Filling>,
}

/// What the task tells the reader. A channel that closes without `End` is a task that died: never a complete result.
enum Message {
    Batch(RecordBatch),
    Failed(Error),
    End,
}

async fn pump(inner: SendableRecordBatchStream, guards: Guards, schema: SchemaRef, into: mpsc::Sender<Message>) {
    let Guards { log, work, deadline, row_limit, mut filling, .. } = guards;
    let run = give_all(inner, &schema, &log, row_limit, &work, &into, &mut filling);
    let outcome = match timeout_at(deadline, run).await {
        Ok(Err(error)) if error.kind() == ErrorKind::Timeout => Err(work.late()),
        Ok(outcome) => outcome,
        Err(_) => Err(work.late()),
    };
    // Before anybody is told: who has read all rows and asks again finds them.
    if let (Ok(()), Some(filling)) = (&outcome, filling) {
        filling.done(&schema);
    }
    let last = match outcome {
        Ok(()) => {
            log.done();
            Message::End
        }
        Err(error) => {
            log.failed(&error);
            Message::Failed(error)
        }
    };
    // The query is over: let the next one in before waiting for a slow reader.
    work.over().await;
    // Nobody to tell: the reader is gone.
    let _ = into.send(last).await;
}

async fn give_all(
    mut inner: SendableRecordBatchStream,
    schema: &SchemaRef,
    log: &Logged,
    row_limit: u64,
    work: &Work,
    into: &mpsc::Sender<Message>,
    filling: &mut Option<Filling>,
) -> Result<()> {
    let mut given = 0;
    while let Some(batch) = inner.next().await {
        let batch = batch.map_err(classify)?;
        if batch.num_rows() == 0 {
            continue;
        }
        given += batch.num_rows() as u64;
        if given > row_limit {
            let error = Error::invalid(format!("the result has more than {row_limit} rows"));
            return Err(error.hint("aggregate, filter, give a limit, or raise engine.row_limit"));
        }
        log.add_rows(batch.num_rows());
        let batch = plain(&batch, schema)?;
        if let Some(filling) = filling.as_mut() {
            filling.add(&batch);
        }
        give(batch, work, into, filling).await?;
    }
    Ok(())
}

/// Gives a batch to the reader. Others have the turn while the reader is slow: nothing is worked on meanwhile.
async fn give(
    batch: RecordBatch,
    work: &Work,
    into: &mpsc::Sender<Message>,
    filling: &mut Option<Filling>,
) -> Result<()> {
    let gone = |_| Error::new(ErrorKind::Cancelled, "the reader went away");
    if let Ok(room) = timeout(PATIENCE, into.reserve()).await {
        room.map_err(gone)?.send(Message::Batch(batch));
        return Ok(());
    }
    if let Some(filling) = filling.as_mut() {
        filling.reader_is_slow();
    }
    let mut turn = work.turn().await;
    turn.pause()?;
    into.reserve().await.map_err(gone)?.send(Message::Batch(batch));
    turn.go_on().await
}

/// The reader's end. Dropping it stops the query's work, and aborts the task, which may be waiting.
struct Pumped {
    from: mpsc::Receiver<Message>,
    task: JoinHandle<()>,
    stopper: Stopper,
    ended: bool,
    deadline: Instant,
    timeout: Duration,
    /// Runs on the reader's own threads: those of a query may all be busy computing when its time is over.
    late: Option<Pin<Box<Sleep>>>,
}

impl Stream for Pumped {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(message) = self.from.poll_recv(cx) else {
            // A reader who comes late has time to hear what the query itself says.
            let over = self.deadline.max(Instant::now()) + GRACE;
            let late = self.late.get_or_insert_with(|| Box::pin(sleep_until(over)));
            std::task::ready!(late.as_mut().poll(cx));
            self.ended = true;
            self.stopper.stop();
            self.task.abort();
            return Poll::Ready(Some(Err(timed_out(self.timeout))));
        };
        self.late = None;
        self.ended = !matches!(message, Some(Message::Batch(_)));
        Poll::Ready(match message {
            Some(Message::Batch(batch)) => Some(Ok(batch)),
            Some(Message::Failed(error)) => Some(Err(error)),
            Some(Message::End) => None,
            None => Some(Err(Error::internal("the query's task ended without saying how"))),
        })
    }
}

impl Drop for Pumped {
    fn drop(&mut self) {
        // First: on one of the query's own threads the task could only be dropped when that has a pause.
        self.stopper.stop();
        self.task.abort();
    }
}

/// The error of a query that took longer than `allowed`.
pub(super) fn timed_out(allowed: Duration) -> Error {
    Error::new(ErrorKind::Timeout, format!("the query took longer than {} s", allowed.as_secs_f64()))
        .hint("ask for a shorter period or fewer groups, or raise engine.timeout_seconds")
}

/// `schema` without view types: what every reader of Arrow knows.
pub fn plain_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| plain_field(f));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn plain_field(field: &Field) -> Field {
    // PostgreSQL's system tables mark ids and letters so.
    let marks = field.metadata().iter().filter(|(key, _)| key.starts_with("pg."));
    let marks = marks.map(|(key, value)| (key.clone(), value.clone())).collect();
    Field::new(field.name(), plain_type(field.data_type()), field.is_nullable()).with_metadata(marks)
}

/// The plain type of the same values.
pub fn plain_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(item) => DataType::List(Arc::new(plain_field(item))),
        DataType::Dictionary(_, value) => plain_type(value),
        other => other.clone(),
    }
}

fn plain(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() { Ok(Arc::clone(column)) } else { cast(column, field.data_type()) }
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)?)
}
