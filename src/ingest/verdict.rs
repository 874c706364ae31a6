//! Each record's fate within a chunk: skipped, taken, or rejected by the first rule that any of its rows breaks. Then the
//! rows of the records that stand. It must not look for broken rules itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::compute::filter;
use arrow::record_batch::RecordBatch;

use super::check::rank;
use super::frame::{Finding, Findings, Frame, Last};
use super::joined::Files;
use super::mapped::{MappedTable, Rejected};
use super::plan::Program;
use super::read::Chunk;
use super::{ordinal, pii, sums, time};
use crate::error::Result;
use crate::model::Severity;

/// In the place of records that hold identifiers of persons in clear: masking finds some forms of them, not all.
const WITHHELD: &str = "(withheld: the source tells identifiers of persons)";

/// One SELECT's completed rows.
pub(crate) struct Part {
    pub(crate) reference: bool,
    pub(crate) frame: Frame,
    /// Row `i` came from the chunk's record `rows[i]`.
    pub(crate) rows: Vec<usize>,
    pub(crate) findings: Findings,
    /// The rows' counts, where their ids are made from them.
    pub(crate) counts: Option<Vec<u32>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Untaken,
    Taken,
    /// By which of the source's skips.
    Skipped(usize),
}

struct Verdict {
    table: &'static str,
    finding: Finding,
    /// Personal data was found in the record, whichever rule counts.
    personal: bool,
}

/// The records of a chunk and what became of them.
pub(crate) struct Verdicts {
    fates: Vec<Fate>,
    broken: BTreeMap<usize, Verdict>,
}

/// What became of a chunk, each thing with the number of its record. Bad records are numbered after the others.
pub(crate) struct Decided {
    /// With the record of each row.
    pub(crate) tables: Vec<(MappedTable, Vec<usize>)>,
    pub(crate) rejected: Vec<(usize, Rejected)>,
    /// With the number of the skip.
    pub(crate) skipped: Vec<(usize, usize)>,
    pub(crate) records: usize,
}

impl Verdicts {
    pub(crate) fn new(records: usize) -> Self {
        Verdicts { fates: vec![Fate::Untaken; records], broken: BTreeMap::new() }
    }
    pub(crate) fn skip(&mut self, record: usize, number: usize) {
        self.fates[record] = Fate::Skipped(number);
    }
    /// A SELECT gives a row for it.
    pub(crate) fn take(&mut self, record: usize) {
        self.fates[record] = Fate::Taken;
    }
    /// A WHERE cannot read it.
    pub(crate) fn unreadable(&mut self, record: usize, value: &str) {
        let message = "the value cannot be read where a SELECT's WHERE looks at it".to_string();
        self.reject(
            record,
            "",
            Finding {
                row: 0,
                field: None,
                value: Some(value.into()),
                rule: "V01",
                severity: Severity::Reject,
                message,
            },
        );
    }
    /// An expression stops at it.
    pub(crate) fn unmappable(&mut self, record: usize, message: String) {
        self.reject(
            record,
            "",
            Finding { row: 0, field: None, value: None, rule: "V01", severity: Severity::Reject, message },
        );
    }

    fn reject(&mut self, record: usize, table: &'static str, finding: Finding) {
        let personal = finding.rule == "V20";
        let verdict =
            self.broken.entry(record).or_insert_with(|| Verdict { table, finding: finding.clone(), personal });
        verdict.personal |= personal;
        if rank(finding.rule) < rank(verdict.finding.rule) {
            (verdict.table, verdict.finding) = (table, finding);
        }
    }

    /// Gathers what all SELECTs found, and gives the rows of the records that stand.
    pub(crate) fn finish(
        mut self,
        program: &Program,
        chunk: &Chunk,
        files: Files<'_>,
        parts: Vec<Part>,
    ) -> Result<Decided> {
        for part in parts.iter().filter(|p| !p.reference) {
            for finding in &part.findings.broken {
                self.reject(part.rows[finding.row], part.frame.table.name, finding.clone());
            }
        }
        // A record that goes takes with it what it makes up a whole with; that may be part of another whole by another row.
        loop {
            let found = sums::broken(&parts, files, |record| self.broken.contains_key(&record))?;
            if found.is_empty() {
                break;
            }
            for (part, finding) in found {
                let Part { frame, rows, .. } = &parts[part];
                self.reject(rows[finding.row], frame.table.name, finding);
            }
        }
        for record in 0..self.fates.len() {
            if self.fates[record] == Fate::Untaken && !self.broken.contains_key(&record) {
                let message = "no SELECT of the source takes it, and no [[skip]] leaves it out".to_string();
                self.reject(
                    record,
                    "",
                    Finding { row: 0, field: None, value: None, rule: "V00", severity: Severity::Quarantine, message },
                );
            }
        }
        let mut rejected = self.rejected(program, chunk, &parts);
        let bad = chunk.bad.iter().map(|bad| Rejected {
            table: String::new(),
            line: bad.line,
            field: None,
            value: None,
            rule: "V00",
            severity: Severity::Quarantine,
            message: bad.message.clone(),
            raw: if program.personal { WITHHELD.to_string() } else { bad.raw.clone() },
            record: None,
        });
        rejected.extend((chunk.lines.len()..).zip(bad));
        let records = chunk.lines.len() + chunk.bad.len();
        let mut tables = Vec::with_capacity(parts.len());
        for part in parts {
            tables.extend(self.standing(part, chunk)?);
        }
        let skipped = self.fates.iter().enumerate().filter_map(|(record, fate)| match fate {
            Fate::Skipped(number) => Some((record, *number)),
            _ => None,
        });
        Ok(Decided { tables, rejected, skipped: skipped.collect(), records })
    }

    fn rejected(&self, program: &Program, chunk: &Chunk, parts: &[Part]) -> Vec<(usize, Rejected)> {
        let mut counts: HashMap<usize, Vec<(&str, Vec<u32>)>> = HashMap::new();
        if !self.broken.is_empty() {
            for part in parts {
                for (row, count) in
                    part.rows.iter().zip(part.counts.iter().flatten()).filter(|(r, _)| self.broken.contains_key(r))
                {
                    let tables = counts.entry(*row).or_default();
                    match tables.iter_mut().find(|(t, _)| *t == part.frame.table.name) {
                        Some((_, counts)) => counts.push(*count),
                        None => tables.push((part.frame.table.name, vec![*count])),
                    }
                }
            }
        }
        let one = |(record, verdict): (&usize, &Verdict)| {
            let Verdict { table, finding, personal } = verdict;
            let raw = match (program.personal, *personal) {
                (true, _) => WITHHELD.to_string(),
                (false, true) => pii::mask(&chunk.raws.raw(*record)),
                (false, false) => chunk.raws.raw(*record),
            };
            let personal = *personal || program.personal;
            // A value of no column is what a WHERE or an expression stumbled over: it may be the identifier itself.
            let known = !program.personal || finding.field.is_some();
            let json = || {
                let json = chunk.raws.record(*record, &chunk.data, &program.wanted);
                counts.get(record).map_or(json.clone(), |counts| ordinal::remember(&json, counts))
            };
            let rejected = Rejected {
                table: (*table).to_string(),
                line: chunk.lines[*record],
                field: finding.field.clone(),
                value: finding.value.clone().filter(|_| known),
                rule: finding.rule,
                severity: finding.severity,
                message: finding.message.clone(),
                raw,
                // What holds personal data is not kept, so it cannot land later either.
                record: (!personal && finding.rule != "V00").then(json),
            };
            (*record, rejected)
        };
        self.broken.iter().map(one).collect()
    }

    /// The rows of a part whose records stand, in the table's schema, and their records.
    fn standing(&self, part: Part, chunk: &Chunk) -> Result<Option<(MappedTable, Vec<usize>)>> {
        let mut keep: Vec<bool> = if self.broken.is_empty() {
            vec![true; part.rows.len()]
        } else {
            part.rows.iter().map(|r| !self.broken.contains_key(r)).collect()
        };
        if part.reference {
            part.findings.broken.iter().for_each(|f| keep[f.row] = false);
        }
        let all = keep.iter().all(|k| *k);
        let kept = BooleanArray::from(keep.clone());
        if kept.true_count() == 0 {
            return Ok(None);
        }
        let table = part.frame.table;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (_, array) in part.frame.stored() {
            columns.push(if all { Arc::clone(array) } else { filter(array, &kept)? });
        }
        if let Some(date) = table.month_of {
            let months = months(&part.frame, date)?;
            columns.push(if all { months } else { filter(&months, &kept)? });
        }
        let rows = RecordBatch::try_new(table.schema(), columns)?;
        let kept_rows = |i: &usize| keep[*i];
        let warned = (0..part.rows.len()).filter(kept_rows).map(|i| part.findings.warned[i]).collect();
        let mut records = part.rows;
        let mut keep = keep.iter();
        records.retain(|_| *keep.next().unwrap_or(&true));
        let record = records.iter().map(|record| chunk.lines[*record]).collect();
        Ok(Some((MappedTable { table, reference: part.reference, rows, record, warned }, records)))
    }
}

/// The partition of each row.
fn months(frame: &Frame, date: &str) -> Result<ArrayRef> {
    let mut last = Last::new();
    let months = frame.date(date)?.iter().map(|day| last.get(day?, |day| time::month(*day)));
    Ok(Arc::new(months.collect::<StringArray>()))
}
