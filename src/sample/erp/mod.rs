//! The ERP's export: telesales and wholesale, typed Parquet, prices without tax, with credit notes and charges.

use std::path::Path;

use super::days::{DAY, DAYS, Day, FIRST, LAST, Zone, quarter_name};
use super::desk::Desk;
use super::dice::Dice;
use super::discounts::{Discounts, Reason, Sold};
use super::order::Order;
use super::out::{Ledger, Pages, Why};
use super::retailer::{Retailer, Rhythm, spread};
use crate::error::Result;
use dirt::DIRTY_DAY;
pub use document::{business_home, business_key};
use document::{charge, share};
use row::{Row, batch, schema};

mod credit;
mod dirt;
mod document;
mod order;
mod row;

/// Rows gathered before they are written.
const ROWS: usize = 8192;

struct Erp<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    pages: Pages,
    desk: Desk,
    discounts: Discounts,
    /// Credit notes and newer versions by the day on which they are told.
    later: Vec<Vec<(Row, Why)>>,
    rows: Vec<Row>,
    why: Vec<Why>,
    next: u64,
    next_note: u64,
}

/// Writes the ERP's documents; `mirrored` are orders of the European marketplace that it has too.
pub fn write(
    retailer: &Retailer,
    landing: &Path,
    level: u32,
    mirrored: &[Order],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Ledger> {
    // 11 % of the lines: telesales 2 lines a document, wholesale 6.
    let calls = retailer.lines * 30 / 2000;
    let wholesale = retailer.lines * 80 / 6000;
    let mut erp = Erp {
        retailer,
        next: 1,
        next_note: 1,
        rows: Vec::new(),
        why: Vec::new(),
        dice: Dice::new(retailer.seed, "erp"),
        pages: Pages::new(landing, schema()),
        desk: Desk::new(retailer, landing, level, "erp"),
        discounts: Discounts::new(landing, 9, "erp", "erp", 'E'),
        later: (0..DAYS).map(|_| Vec::new()).collect(),
    };
    let mut ledger = Ledger::default();
    let mut mirrored = mirrored.iter().peekable();
    let calls = spread(retailer.seed, Rhythm::Business, calls);
    let wholesale = spread(retailer.seed ^ 1, Rhythm::Business, wholesale);
    for (date, (calls, wholesale)) in (FIRST..=LAST).zip(calls.into_iter().zip(wholesale)) {
        erp.flush_before(&mut ledger, date)?;
        for _ in 0..calls {
            erp.document(&mut ledger, date, true)?;
        }
        for _ in 0..wholesale {
            erp.document(&mut ledger, date, false)?;
        }
        while let Some(order) = mirrored.next_if(|o| o.made.div_euclid(DAY) <= date) {
            erp.mirror(&mut ledger, order, date)?;
        }
        for (row, why) in std::mem::take(&mut erp.later[(date - FIRST) as usize]) {
            erp.put(&mut ledger, row, why)?;
        }
        if date == DIRTY_DAY {
            erp.dirty(&mut ledger, date)?;
        }
        erp.desk.day(&mut ledger, date)?;
        erp.discounts.day(&mut ledger, retailer, date)?;
        progress(calls * 2 + wholesale * 6);
    }
    erp.flush(&mut ledger)?;
    erp.pages.close(&mut ledger)?;
    erp.desk.close(&mut ledger)?;
    erp.discounts.close(&mut ledger)?;
    Ok(ledger)
}

impl Erp<'_> {
    fn flush_before(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let stem = format!("erp/erp_{}", quarter_name(date));
        if !self.rows.is_empty() && quarter_name(date - 1) != quarter_name(date) {
            self.flush(ledger)?;
        }
        self.pages.open(ledger, &stem)
    }

    fn flush(&mut self, ledger: &mut Ledger) -> Result<()> {
        let rows = batch(&schema(), &self.rows)?;
        self.pages.put(ledger, &rows, &self.why)?;
        self.rows.clear();
        self.why.clear();
        Ok(())
    }

    fn put(&mut self, ledger: &mut Ledger, row: Row, why: Why) -> Result<()> {
        self.rows.push(row);
        self.why.push(why);
        if self.rows.len() >= ROWS { self.flush(ledger) } else { Ok(()) }
    }

    fn keep(&mut self, day: Day, row: Row, why: Why) {
        if let Some(of_day) = self.later.get_mut((day - FIRST) as usize) {
            of_day.push((row, why));
        }
    }

    fn document(&mut self, ledger: &mut Ledger, date: Day, call: bool) -> Result<()> {
        let head = self.head(date, call);
        let n = if call { 1 + self.dice.index(3) } else { 3 + self.dice.index(7) };
        let german = head.currency == Some("EUR");
        let mut rows = Vec::new();
        for no in 0..n {
            rows.push(self.line(&head, no as i32 + 1, date, call, german));
        }
        if call && self.dice.chance(1000) {
            share(&mut rows, 50_000);
        }
        if !call && self.dice.chance(5000) {
            rows.push(charge(&head, "shipping", if german { 249_000 } else { 199_000 }, rows.len()));
        }
        if !call && self.dice.chance(800) {
            rows.push(charge(&head, "fee", 25_000, rows.len()));
        }
        if !call && self.dice.chance(120) {
            let amount = if self.dice.chance(3000) { 180_000 } else { -self.dice.between(20, 900) * 1000 };
            rows.push(charge(&head, "adjustment", amount, rows.len()));
        }
        self.tell_reductions(ledger, &rows, date)?;
        if !self.tell(ledger, &rows, date)? && head.status == Some(60) && head.order_type != Some("QT") {
            for row in rows.iter().filter(|r| r.record_type == "L") {
                self.credit(ledger, row, date);
            }
        }
        Ok(())
    }

    /// Writes a document, and keeps for later what is told again; true when it will be changed.
    fn tell(&mut self, ledger: &mut Ledger, rows: &[Row], date: Day) -> Result<bool> {
        ledger.counts.orders += 1;
        let fate = self.dice.below(1000);
        let later = date + 1 + self.dice.skewed(30) as i64;
        let undone = (5..=9).contains(&fate).then_some(later * DAY + 11 * 3600);
        if let Some(job) = order::job(rows, date, fate <= 4 && later <= LAST) {
            let undone = undone.filter(|_| job.confirmed.is_some() && job.cancelled.is_none());
            self.desk.take(ledger, job.undone(undone), true);
        }
        for row in rows {
            self.put(ledger, row.clone(), Why::First)?;
            if row.record_type == "L" {
                ledger.counts.order_lines += 1;
            } else {
                ledger.counts.order_charges += 1;
            }
            let mut newer = row.clone();
            newer.doc_version = 2;
            match fate {
                // The first line is struck off, or the second half of it.
                0..=4 if row.line_no == 1 && row.order_discount == Some(0) => {
                    newer.line_status = Some("X");
                    self.keep(later, newer, Why::Revision);
                }
                5..=9 if row.confirmed_at.is_some() && row.cancelled_at.is_none() => {
                    (newer.status, newer.cancelled_at) = (Some(90), Some(later * DAY + 11 * 3600));
                    self.keep(later, newer, Why::Revision);
                }
                10..=15 => self.keep(later, row.clone(), Why::Repeat),
                _ => {}
            }
        }
        Ok(fate <= 9)
    }

    /// Representatives give reductions by hand; what is taken off a whole document is a coupon.
    fn tell_reductions(&mut self, ledger: &mut Ledger, rows: &[Row], date: Day) -> Result<()> {
        let Some(head) = rows.first() else { return Ok(()) };
        let zone = if head.company == Some("DE01") { Zone::Berlin } else { Zone::London };
        let at = head.confirmed_at.or(head.created_at).unwrap_or_default();
        let sold = Sold {
            // The document's own number: the next one is counted already.
            no: self.next - 1,
            at: at + zone.offset(at),
            zone: zone.name(),
            night: false,
            currency: head.currency.unwrap_or_default(),
        };
        let mut all = Vec::new();
        for row in rows.iter().filter(|r| r.record_type == "L") {
            for (seq, reason, amount) in [(1, Reason::ByHand, row.line_discount), (2, Reason::Call, row.order_discount)]
            {
                all.extend(amount.filter(|a| *a > 0).map(|a| (i64::from(row.line_no), seq, reason, a)));
            }
        }
        self.discounts.tell(ledger, self.retailer, date, &sold, &all)
    }
}
