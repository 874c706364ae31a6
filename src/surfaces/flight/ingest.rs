//! Bulk ingest: the rows of a client land as a push to the source that the command names as its table. They are read as
//! the source's records, so their columns are called as its raw columns, checked, deduplicated and audited like those of
//! files. It must not judge records.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow::ipc::writer::StreamWriter;
use arrow_flight::sql::{CommandStatementIngest, TableExistsOption};
use tonic::Status;

use super::actions::no_transaction;
use super::errors::status;
use super::sent::{Rows, Sent};
use crate::access::Caller;
use crate::engine::{CATALOG, Engine, MAIN};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{Push, PushAccount, Pusher, Receiving, Stopped};

/// So long a sender may pause: its place is wanted by others.
const PAUSE: Duration = Duration::from_secs(60);
/// Quarantined records that an error names.
const NAMED: usize = 3;
/// The one option there is.
const KEY: &str = "idempotency_key";

/// Takes rows, where that is allowed.
pub struct Bulk {
    pusher: Option<Pusher>,
    engine: Engine,
}

impl Bulk {
    pub fn new(pusher: Option<Pusher>, engine: Engine) -> Bulk {
        Bulk { pusher, engine }
    }

    /// Lands the rows and says how many there were. Quarantined ones make an error that says so, and that the others have
    /// landed: a number could not.
    pub async fn land(&self, mut command: CommandStatementIngest, rows: Sent, caller: &Caller) -> Result<i64, Status> {
        let pusher = self.pusher.as_ref().ok_or_else(|| {
            let off = Error::new(ErrorKind::Denied, "this server does not take records over Flight SQL");
            status(off.hint("the operator can set flight.allow_ingest = true"))
        })?;
        no_transaction(command.transaction_id.as_deref())?;
        appends(&command).map_err(status)?;
        let (source, key) = (std::mem::take(&mut command.table), command.options.remove(KEY));
        let receiving = pusher.receive(&source, 0).map_err(status)?;
        let Some(body) = receive(receiving, rows, pusher.most()).await? else { return Ok(0) };
        let push = Push { source, key, caller: caller.principal.clone(), body: body.end() };
        let account = pusher.push(push).await.map_err(status)?;
        self.engine.refresh_for(&account.batch_id).await;
        landed(&account).map_err(status)
    }
}

/// The command asks for what a push does: to add rows to what there is.
fn appends(command: &CommandStatementIngest) -> Result<()> {
    let exists = command.table_definition_options.as_ref().map_or(0, |o| o.if_exists);
    if [TableExistsOption::Fail, TableExistsOption::Replace].iter().any(|o| *o as i32 == exists) {
        return Err(Error::invalid("rows can only be added to what there is: no table is created or replaced")
            .hint("append; with ADBC: mode=\"append\""));
    }
    if command.temporary {
        return Err(Error::invalid("there are no temporary tables").hint("leave `temporary` out"));
    }
    for (what, given, only) in [("catalog", &command.catalog, CATALOG), ("schema", &command.schema, MAIN)] {
        if let Some(given) = given.as_deref().filter(|g| !g.is_empty() && *g != only) {
            return Err(Error::invalid(format!("the {what} '{given}' takes no rows"))
                .hint(format!("leave the {what} out: rows go to a source, which the table's name is")));
        }
    }
    match command.options.keys().find(|k| *k != KEY) {
        Some(other) => Err(Error::invalid(format!("there is no option '{other}'")).hint(format!("{KEY} is one"))),
        None => Ok(()),
    }
}

/// The rows as an Arrow stream, a batch at a time; `None`: there are none. `most`: bytes for which there is room at all.
async fn receive(mut receiving: Receiving, sent: Sent, most: u64) -> Result<Option<Receiving>, Status> {
    let mut rows = Rows::within(sent, "the rows", most, too_large);
    let mut writer: Option<StreamWriter<Vec<u8>>> = None;
    let mut count = 0;
    while let Some(batch) = next(&mut rows).await? {
        count += batch.num_rows();
        let mut written = || {
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(StreamWriter::try_new(Vec::new(), &bare(&batch.schema()))?),
            };
            writer.write(&batch)?;
            let bytes = std::mem::take(writer.get_mut());
            if receiving.size() + bytes.len() as u64 > most {
                return Err(too_large(most));
            }
            receiving.add(&bytes)
        };
        written().map_err(status)?;
    }
    let ended = writer.filter(|_| count > 0).map(StreamWriter::into_inner).transpose();
    match ended.map_err(|e| status(e.into()))? {
        None => Ok(None),
        Some(end) => {
            receiving.add(&end).map_err(status)?;
            Ok(Some(receiving))
        }
    }
}

/// `most`: bytes, decoded.
fn too_large(most: u64) -> Error {
    Error::invalid(format!("the rows are more than {} MiB", most >> 20))
        .hint("send them in parts, or deliver them as a file; the operator can raise http.ingest_queue_mb")
}

async fn next(rows: &mut Rows) -> Result<Option<RecordBatch>, Status> {
    match tokio::time::timeout(PAUSE, rows.next()).await {
        Ok(batch) => batch,
        Err(_) => Err(status(
            Error::new(ErrorKind::Timeout, format!("no rows came for {PAUSE:?}"))
                .hint("nothing of them was taken: send them again, without a pause"),
        )),
    }
}

/// The same rows are the same bytes whatever metadata a client adds: they are known again by them.
fn bare(schema: &Schema) -> Schema {
    let field = |f: &Arc<Field>| f.as_ref().clone().with_metadata(Default::default());
    Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>())
}

fn landed(account: &PushAccount) -> Result<i64> {
    let file = &account.file;
    if file.quarantined == 0 {
        return Ok(i64::try_from(file.read).unwrap_or(i64::MAX));
    }
    let named = |s: &Stopped| {
        let field = s.field.as_ref().map(|f| format!(", {f}")).unwrap_or_default();
        format!("row {} ({}{field}): {}", s.line, s.rule, s.message)
    };
    let named: Vec<String> = account.quarantined_records.iter().take(NAMED).map(named).collect();
    let rest = if file.quarantined as usize > named.len() { "; …" } else { "" };
    let (stopped, batch) = (named.join("; "), &account.batch_id);
    Err(Error::invalid(format!(
        "{} of {} rows are in the quarantine, the others have landed ({file}; batch {batch}): {stopped}{rest}",
        file.quarantined, file.read
    ))
    .hint("mend and send those; sending all again is safe, as rows that have landed count once; `saleslake quarantine list` shows them"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::FileAccount;
    use arrow_flight::sql::TableDefinitionOptions;

    fn command() -> CommandStatementIngest {
        CommandStatementIngest { table: "pos".into(), ..CommandStatementIngest::default() }
    }

    fn if_exists(option: TableExistsOption) -> CommandStatementIngest {
        let options = TableDefinitionOptions { if_not_exist: 0, if_exists: option as i32 };
        CommandStatementIngest { table_definition_options: Some(options), ..command() }
    }

    #[test]
    fn rows_are_only_added() {
        for fine in [command(), if_exists(TableExistsOption::Append), if_exists(TableExistsOption::Unspecified)] {
            assert!(appends(&fine).is_ok());
        }
        let main = CommandStatementIngest { schema: Some("main".into()), catalog: Some(String::new()), ..command() };
        assert!(appends(&main).is_ok());
        for wrong in [
            if_exists(TableExistsOption::Fail),
            if_exists(TableExistsOption::Replace),
            CommandStatementIngest { temporary: true, ..command() },
            CommandStatementIngest { schema: Some("base".into()), ..command() },
            CommandStatementIngest { options: [("x".to_string(), "y".to_string())].into(), ..command() },
        ] {
            assert!(appends(&wrong).unwrap_err().hint_text().is_some());
        }
    }

    #[test]
    fn quarantined_rows_are_an_error_that_names_them() {
        let file = FileAccount { read: 5, landed: 3, duplicate: 1, quarantined: 1, ..FileAccount::default() };
        let stopped = Stopped {
            line: 4,
            rule: "V05".into(),
            table: "order_line".into(),
            field: Some("qty".into()),
            value: None,
            message: "'x' is no number".into(),
        };
        let mut account =
            PushAccount { source: "pos".into(), batch_id: "b1".into(), file, quarantined_records: vec![stopped] };
        let told = landed(&account).unwrap_err();
        for part in ["1 of 5 rows", "the others have landed", "row 4 (V05, qty): 'x' is no number"] {
            assert!(told.message().contains(part), "{told}");
        }
        account.file = FileAccount { read: 5, landed: 4, duplicate: 1, ..FileAccount::default() };
        assert_eq!(landed(&account).unwrap(), 5);
    }
}
