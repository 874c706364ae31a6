//! Accounts of some of the records that were tried again: those that this process resolved. It must not decide which.

use crate::error::Result;
use crate::ingest::account::FileAccount;
use crate::ingest::audit::TableRows;
use crate::ingest::batch::{Flushed, count_of};
use crate::ingest::land::BatchFile;
use crate::ingest::quarantine::Records;

/// What a batch of records that had waited came to, to be told of some of them.
pub(super) struct Told<'a> {
    pub files: &'a [BatchFile],
    pub flushed: &'a Flushed,
    pub now: i64,
}

impl Told<'_> {
    /// Per file, what became of these records; files that have none of them are left out.
    pub fn accounts(&self, records: &Records) -> Vec<FileAccount> {
        let mut accounts = Vec::new();
        for (number, (file, all)) in self.files.iter().zip(&self.flushed.files).enumerate() {
            let Some(lines) = records.get(&file.id) else { continue };
            let mut account =
                FileAccount { file: file.uri.clone(), source_file_id: file.id.clone(), ..FileAccount::default() };
            for line in lines {
                match self.flushed.fates.of(number, *line) {
                    Some(fate) => fate.count(&mut account),
                    None => account.skipped += 1,
                }
            }
            // Which record was skipped for which reason is not kept: where others resolved some, it is any of them.
            let mut left = account.skipped;
            for (reason, records) in &all.skipped_by {
                let here = left.min(*records);
                left -= here;
                if here > 0 {
                    account.skipped_by.insert(reason.clone(), here);
                }
            }
            accounts.push(account);
        }
        accounts
    }

    /// What became of these records' rows.
    pub fn tables(&self, records: &Records) -> Result<TableRows> {
        let mut tables = TableRows::new();
        for landed in &self.flushed.waited {
            let id = &self.files[landed.piece.file].id;
            let Some(lines) = records.get(id) else { continue };
            if !landed.piece.mapped.record.iter().any(|line| lines.contains(line)) {
                continue;
            }
            let wanted = |line: i64| lines.contains(&line);
            let counted = count_of(&landed.piece, &landed.outcomes, landed.version, self.now, wanted)?;
            let key = (id.clone(), landed.piece.mapped.table.name);
            tables.entry(key).and_modify(|t| t.add(&counted)).or_insert(counted);
        }
        Ok(tables)
    }
}
