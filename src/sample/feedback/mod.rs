//! What customers of the online shops said about their orders: reviews, survey answers, complaints and tickets, as CSV.

use std::path::Path;

use super::days::{DAY, DAYS, Day, FIRST, LAST, Seconds, Zone, quarter_name, settled};
use super::dice::Dice;
use super::order::{LineKind, Order, Status};
use super::out::{Ledger, Sheet, Why};
use super::retailer::Retailer;
use crate::error::Result;
use dirt::DIRTY_DAY;
use row::HEADER;

mod dirt;
mod row;

/// One version of what somebody said.
#[derive(Debug, Clone)]
struct Said {
    no: u64,
    version: i64,
    kind: &'static str,
    /// Points, and the most that can be given.
    score: Option<(i64, i64)>,
    topic: &'static str,
    severity: &'static str,
    item: Option<usize>,
    order: u64,
    customer: Option<u32>,
    channel: usize,
    opened: Seconds,
    replied: Option<Seconds>,
    resolved: Option<Seconds>,
    first_contact: Option<bool>,
}

impl Said {
    /// When this version is told.
    fn told(&self) -> Seconds {
        self.resolved.or(self.replied).unwrap_or(self.opened)
    }
}

/// What a topic is called, and whether it is about an article.
const TOPICS: &[(&str, bool)] = &[
    ("delivery_late", false),
    ("delivery_late", false),
    ("damaged", true),
    ("quality", true),
    ("quality", true),
    ("wrong_item", true),
    ("refund_slow", false),
    ("price", false),
    ("service", false),
];
/// Ratings as they are given: many good ones, some very bad.
const RATINGS: &[i64] = &[1, 1, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5];
const SCORES: &[i64] = &[0, 2, 4, 5, 6, 6, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10];

/// Feedback, planned while orders are made and written when its day comes.
pub struct Feedback<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    sheet: Sheet,
    next: u64,
    later: Vec<Vec<Said>>,
    scratch: Vec<u8>,
}

impl<'a> Feedback<'a> {
    pub fn new(retailer: &'a Retailer, landing: &Path, level: u32) -> Feedback<'a> {
        Feedback {
            retailer,
            dice: Dice::new(retailer.seed, "feedback"),
            sheet: Sheet::new(landing, "csv", HEADER, level),
            next: 1,
            later: (0..DAYS).map(|_| Vec::new()).collect(),
            scratch: Vec::new(),
        }
    }

    /// Decides what is said of an order that was delivered, and when.
    pub fn plan(&mut self, order: &Order, channel: usize, date: Day) {
        if order.test || !matches!(order.status, Status::Completed) {
            return;
        }
        for line in order.lines.iter().filter(|l| l.kind == LineKind::Product && !l.removed) {
            if self.dice.chance(300) {
                let mut said = self.said(order, channel, date, "review");
                said.score = Some((*self.dice.pick(RATINGS), 5));
                said.item = Some(line.item);
                self.keep(said);
            }
        }
        if self.dice.chance(600) {
            let mut said = self.said(order, channel, date, "csat");
            said.score = Some((*self.dice.pick(RATINGS), 5));
            self.keep(said);
        }
        if self.dice.chance(500) {
            let mut said = self.said(order, channel, date, "nps");
            said.score = Some((*self.dice.pick(SCORES), 10));
            self.keep(said);
        }
        for (kind, per) in [("complaint", 260), ("ticket", 200)] {
            if self.dice.chance(per) {
                self.asked(order, channel, date, kind);
            }
        }
    }

    fn said(&mut self, order: &Order, channel: usize, date: Day, kind: &'static str) -> Said {
        let day = date + 2 + self.dice.skewed(40) as i64;
        let opened = Zone::London.utc(day * DAY + settled(day, self.dice.between(8 * 3600, 20 * 3600)));
        let no = self.next;
        self.next += 1;
        Said {
            no,
            version: 1,
            kind,
            score: None,
            topic: "",
            severity: "",
            item: None,
            order: order.no,
            customer: order.customer,
            channel,
            opened,
            replied: None,
            resolved: None,
            first_contact: None,
        }
    }

    /// A complaint or a ticket: opened, later answered, mostly settled; each is told.
    fn asked(&mut self, order: &Order, channel: usize, date: Day, kind: &'static str) {
        let mut said = self.said(order, channel, date, kind);
        let (topic, of_article) = *self.dice.pick(TOPICS);
        said.topic = topic;
        said.item = if of_article { order.lines.first().map(|l| l.item) } else { None };
        if kind == "complaint" {
            said.severity = *self.dice.pick(&["low", "medium", "medium", "high"]);
        }
        let replied = said.opened + self.dice.between(600, 40 * 3600);
        let at_once = self.dice.chance(5200);
        let settles = self.dice.chance(9000);
        let resolved = if at_once { replied } else { replied + self.dice.between(3600, 14 * DAY) };
        let mut answered = said.clone();
        self.keep(said);
        // What has not happened by the last day is not known yet.
        let end = LAST * DAY + 20 * 3600;
        if replied > end {
            return;
        }
        answered.version = 2;
        answered.replied = Some(replied);
        if settles && resolved <= end {
            (answered.resolved, answered.first_contact) = (Some(resolved), Some(at_once));
        }
        self.keep(answered);
    }

    fn keep(&mut self, said: Said) {
        let at = usize::try_from(said.told().div_euclid(DAY) - FIRST).ok();
        if let Some(day) = at.and_then(|at| self.later.get_mut(at)) {
            day.push(said);
        }
    }

    /// Writes what was said on `date`.
    pub fn day(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let mut due = std::mem::take(&mut self.later[(date - FIRST) as usize]);
        due.sort_by_key(|s| (s.told(), s.no, s.version));
        let stem = format!("feedback/feedback_{}", quarter_name(date));
        self.sheet.open(ledger, &stem, date < FIRST + 92)?;
        for said in &due {
            self.write(said);
            let record = std::mem::take(&mut self.scratch);
            let first = said.version == 1;
            self.sheet.put(ledger, &record, if first { Why::First } else { Why::Revision })?;
            if self.dice.chance(40) {
                self.sheet.put(ledger, &record, Why::Repeat)?;
            }
            self.scratch = record;
            ledger.counts.feedback += u64::from(first);
        }
        if date == DIRTY_DAY { self.dirty(ledger, date) } else { Ok(()) }
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.sheet.close(ledger)
    }
}
