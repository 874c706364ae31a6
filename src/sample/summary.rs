//! What was generated: counts, files, and the list of dirty records.

use std::collections::BTreeMap;
use std::fmt;

use super::out::{DirtAt, Ledger, Written};

/// What the clean records say, told once: natural keys, not records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub orders: u64,
    pub order_lines: u64,
    pub order_charges: u64,
    pub order_headers: u64,
    pub status_events: u64,
    pub fulfilment_lines: u64,
    pub payments: u64,
    pub return_lines: u64,
    pub events: u64,
    pub feedback: u64,
    pub stock_rows: u64,
    pub movements: u64,
    pub purchase_lines: u64,
    pub dimension_rows: u64,
    /// Reductions of lines by their reason.
    pub discount_rows: u64,
    /// Assignments, targets, activities, versions of opportunities.
    pub people_rows: u64,
    /// Contacts, and days of campaigns with what they cost.
    pub marketing_rows: u64,
}

impl Counts {
    fn add(&mut self, part: &Counts) {
        self.orders += part.orders;
        self.order_lines += part.order_lines;
        self.order_charges += part.order_charges;
        self.order_headers += part.order_headers;
        self.status_events += part.status_events;
        self.fulfilment_lines += part.fulfilment_lines;
        self.payments += part.payments;
        self.return_lines += part.return_lines;
        self.events += part.events;
        self.feedback += part.feedback;
        self.stock_rows += part.stock_rows;
        self.movements += part.movements;
        self.purchase_lines += part.purchase_lines;
        self.dimension_rows += part.dimension_rows;
        self.discount_rows += part.discount_rows;
        self.people_rows += part.people_rows;
        self.marketing_rows += part.marketing_rows;
    }
}

/// What a call of `generate` wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    pub counts: Counts,
    /// Every landing file, by name.
    pub files: Vec<Written>,
    dirt: Vec<DirtAt>,
}

impl Summary {
    pub(super) fn new(parts: Vec<Ledger>) -> Summary {
        let mut summary = Summary { counts: Counts::default(), files: Vec::new(), dirt: Vec::new() };
        for part in parts {
            summary.counts.add(&part.counts);
            summary.files.extend(part.files);
            summary.dirt.extend(part.dirt);
        }
        summary.files.sort_by(|a, b| a.file.cmp(&b.file));
        summary.dirt.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        summary
    }

    /// Bytes of all landing files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.bytes).sum()
    }

    /// How many records are listed as dirty.
    pub fn dirty(&self) -> usize {
        self.dirt.len()
    }

    /// The list of dirty records as CSV.
    pub(super) fn dirt_csv(&self) -> String {
        let mut out = String::from("file,line,rule,severity,field,pair,why\n");
        for DirtAt { file, line, dirt } in &self.dirt {
            out.push_str(&format!(
                "{file},{line},{},{},{},{},\"{}\"\n",
                dirt.rule, dirt.severity, dirt.field, dirt.pair, dirt.why
            ));
        }
        out
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.counts;
        writeln!(
            f,
            "{} orders with {} lines and {} charges, {} returned lines, {} visitor events, {} pieces of feedback, {} stock rows with {} movements, \
             {} purchase lines, {} dimension rows",
            c.orders,
            c.order_lines,
            c.order_charges,
            c.return_lines,
            c.events,
            c.feedback,
            c.stock_rows,
            c.movements,
            c.purchase_lines,
            c.dimension_rows
        )?;
        writeln!(
            f,
            "{} order headers, {} steps of orders, {} lines of parcels, {} payments",
            c.order_headers, c.status_events, c.fulfilment_lines, c.payments
        )?;
        writeln!(
            f,
            "{} reductions of lines, {} rows about people and plans, {} about marketing",
            c.discount_rows, c.people_rows, c.marketing_rows
        )?;
        let mut folders: BTreeMap<&str, Written> = BTreeMap::new();
        for file in &self.files {
            let of = folders.entry(file.file.split('/').next().unwrap_or("")).or_default();
            of.records += file.records;
            of.first += file.first;
            of.repeats += file.repeats;
            of.revisions += file.revisions;
            of.warned += file.warned;
            of.held += file.held;
            of.bytes += file.bytes;
        }
        writeln!(
            f,
            "{:<12} {:>10} = {:>10} {:>9} {:>9} {:>7} {:>6} {:>12}",
            "folder", "records", "first", "repeated", "revised", "warned", "held", "bytes"
        )?;
        for (name, of) in folders {
            writeln!(
                f,
                "{name:<12} {:>10} = {:>10} {:>9} {:>9} {:>7} {:>6} {:>12}",
                of.records, of.first, of.repeats, of.revisions, of.warned, of.held, of.bytes
            )?;
        }
        write!(f, "{} files, {} bytes, {} dirty records in dirt.csv", self.files.len(), self.bytes(), self.dirt.len())
    }
}
