//! The order desk: it follows the orders of web shop, marketplaces and ERP once they are made, and tells of each as a whole, of
//! its steps from status to status, of its parcels, and of the money. It draws from dice of its own, so that no other file
//! changes, and what it tells of an order agrees with the order's lines but for a few on purpose: headers that are missing, behind
//! or off by an amount, and headers of orders that no system sent.

use std::path::Path;

use super::days::{DAY, Day, LAST, Seconds};
use super::dice::Dice;
use super::out::{Ledger, Why};
use super::retailer::Retailer;
use super::returns::Return;
use crate::error::Result;
use log::Log;
pub use money::{Bill, Money};
use parcels::Parcel;

mod dirt;
mod fields;
pub mod jobs;
mod log;
mod money;
mod parcels;
mod record;

/// An order as the desk gets it: instants in UTC, texts as the desk writes them, empty where there is none.
#[derive(Debug, Clone)]
pub struct Job {
    pub no: u64,
    pub id: String,
    /// The number under which another system has it, too.
    pub external: String,
    /// Of several systems that tell an order the smallest counts.
    pub priority: i64,
    pub kind: &'static str,
    pub flow: &'static str,
    pub channel: &'static str,
    pub zone: &'static str,
    /// The day on which the order is made.
    pub date: Day,
    pub made: Seconds,
    pub confirmed: Option<Seconds>,
    pub paid: Option<Seconds>,
    pub cancelled: Option<Seconds>,
    pub reason: &'static str,
    pub status: &'static str,
    pub currency: &'static str,
    /// What the buyer is billed, with tax.
    pub cents: i64,
    pub customer: String,
    pub ship: &'static str,
    pub bill: &'static str,
    pub place: &'static str,
    pub staff: bool,
    pub test: bool,
    /// Lines that are sent, and thousandths of stock units.
    pub goods: Vec<(i64, i64)>,
    /// By which tender it is paid, where that is not drawn.
    pub tender: Option<&'static str>,
}

impl Job {
    /// The same order, cancelled after all if there is an instant.
    pub fn undone(mut self, at: Option<Seconds>) -> Job {
        // What is cancelled after the last day is not known to be.
        if let Some(at) = at.filter(|at| at.div_euclid(DAY) <= LAST) {
            (self.status, self.cancelled) = ("cancelled", Some(at));
        }
        self
    }
}

const REASONS: &[&str] =
    &["changed_mind", "changed_mind", "out_of_stock", "ordered_twice", "too_late", "suspected_fraud", "unknown"];

/// "C0000123", the pseudonym of a consumer.
pub fn consumer(consumer: u32) -> String {
    format!("C{consumer:07}")
}

/// The desk's files about the orders of one selling system.
pub struct Desk {
    system: &'static str,
    dice: Dice,
    orders: Log,
    steps: Log,
    parcels: Log,
    money: Money,
    /// The last clean order: what is wrong on purpose is made of it.
    last: Option<Job>,
}

impl Desk {
    pub fn new(retailer: &Retailer, landing: &Path, level: u32, system: &'static str) -> Desk {
        let named = |what: &str| format!("orders/{what}_{system}");
        Desk {
            system,
            dice: Dice::new(retailer.seed, &format!("desk {system}")),
            orders: Log::new(landing, level, named("orders"), record::ORDERS, |c| &mut c.order_headers),
            steps: Log::new(landing, level, named("steps"), record::STEPS, |c| &mut c.status_events),
            parcels: Log::new(landing, level, named("parcels"), parcels::HEADER, |c| &mut c.fulfilment_lines),
            money: Money::new(retailer, landing, level, system, system),
            last: None,
        }
    }

    /// Takes an order and plans what is told of it. `at_once`: it is paid without an authorization.
    pub fn take(&mut self, ledger: &mut Ledger, mut job: Job, at_once: bool) {
        job.reason = *self.dice.pick(REASONS);
        let parcels = parcels::plan(&mut self.dice, &job);
        self.order(ledger, &job, &parcels);
        self.steps(ledger, &job, &parcels);
        for parcel in &parcels {
            self.parcel(ledger, &job, parcel);
        }
        self.pay(ledger, &job, at_once);
        if job.status == "completed" && !job.test {
            self.last = Some(job);
        }
    }

    /// Takes the copy of an order of which another system tells the rest.
    pub fn copy(&mut self, ledger: &mut Ledger, job: &Job) {
        self.orders.keep(ledger, job.date, record::order(self.system, job, &[], 2, job.status), Why::First);
    }

    /// The order as a whole: told when it is made, when it has come to its end, or both.
    fn order(&mut self, ledger: &mut Ledger, job: &Job, parcels: &[Parcel]) {
        let ends = record::steps(job, parcels).last().map_or(job.date, |(_, at)| at.div_euclid(DAY)).max(job.date);
        let end = record::order(self.system, job, parcels, 2, job.status);
        match self.dice.below(1000) {
            // Never told.
            0..=3 => {}
            // Off by some amount, or behind for good.
            4..=6 => {
                let mut wrong = job.clone();
                wrong.cents += 100 * self.dice.between(1, 9);
                self.orders.keep(ledger, ends, record::order(self.system, &wrong, parcels, 2, job.status), Why::First);
            }
            7..=9 if job.confirmed.is_some() => {
                let behind = record::order(self.system, job, &[], 1, "confirmed");
                self.orders.keep(ledger, job.date, behind, Why::First);
            }
            // An order that no system sent.
            10 => {
                let (mut ghost, initial) = (job.clone(), job.id.chars().next().unwrap_or('X'));
                ghost.id = format!("{initial}9{:06}", job.no % 1_000_000);
                if !ghost.external.is_empty() {
                    ghost.external = ghost.id.clone();
                }
                self.orders.keep(ledger, ends, record::order(self.system, &ghost, parcels, 1, job.status), Why::First);
                self.orders.keep(ledger, ends, end, Why::First);
            }
            11..=16 => {
                self.orders.keep(ledger, ends, end.clone(), Why::First);
                self.orders.keep(ledger, ends + 1, end, Why::Repeat);
            }
            17..=216 => {
                let status = if job.confirmed.is_some() { "confirmed" } else { job.status };
                let first = record::order(self.system, job, &[], 1, status);
                self.orders.keep(ledger, job.date, first, Why::First);
                self.orders.keep(ledger, ends.min(LAST), end, Why::Revision);
            }
            _ => self.orders.keep(ledger, ends.min(LAST), end, Why::First),
        }
    }

    fn steps(&mut self, ledger: &mut Ledger, job: &Job, parcels: &[Parcel]) {
        let mut before = "";
        for (no, (to, at)) in (1..).zip(record::steps(job, parcels)) {
            let day = at.div_euclid(DAY).max(job.date);
            let record = record::step(self.system, job, no, 1, before, (to, at));
            match self.dice.below(1000) {
                0..=19 if day <= LAST => {
                    let late = (day + self.dice.between(1, 9)).min(LAST);
                    self.steps.keep(ledger, late, record, Why::First);
                }
                20..=23 => {
                    self.steps.keep(ledger, day, record.clone(), Why::First);
                    self.steps.keep(ledger, day + 1, record, Why::Repeat);
                }
                // The clock was wrong, and put right a day later.
                24..=26 if day < LAST => {
                    let wrong = record::step(self.system, job, no, 0, before, (to, at + 86_400));
                    self.steps.keep(ledger, day, wrong, Why::First);
                    self.steps.keep(ledger, day + 1, record, Why::Revision);
                }
                _ => self.steps.keep(ledger, day, record, Why::First),
            }
            before = to;
        }
    }

    fn parcel(&mut self, ledger: &mut Ledger, job: &Job, parcel: &Parcel) {
        let ends = [parcel.delivered, parcel.shipped, job.cancelled, job.confirmed].into_iter().flatten().next();
        let ends = ends.unwrap_or(job.made).div_euclid(DAY).max(job.date).min(LAST);
        let fate = self.dice.below(1000);
        let planned = parcels::records(self.system, job, parcel, 1, false);
        let end = parcels::records(self.system, job, parcel, 2, true);
        for (planned, end) in planned.into_iter().zip(end) {
            match fate {
                // How it went on was never told.
                0..=2 => self.parcels.keep(ledger, job.date, planned, Why::First),
                3..=8 => {
                    self.parcels.keep(ledger, ends, end.clone(), Why::First);
                    self.parcels.keep(ledger, ends + 1, end, Why::Repeat);
                }
                // The older version comes last.
                9..=11 if ends < LAST => {
                    self.parcels.keep(ledger, ends, end, Why::First);
                    self.parcels.keep(ledger, ends + 1, planned, Why::Revision);
                }
                12..=161 => {
                    self.parcels.keep(ledger, job.date, planned, Why::First);
                    self.parcels.keep(ledger, ends, end, Why::Revision);
                }
                _ => self.parcels.keep(ledger, ends, end, Why::First),
            }
        }
    }

    fn pay(&mut self, ledger: &mut Ledger, job: &Job, at_once: bool) {
        let bill = Bill {
            no: job.no,
            order: &job.id,
            channel: job.channel,
            place: "",
            region: job.ship,
            customer: &job.customer,
            staff: job.staff,
            test: job.test,
            zone: job.zone,
            day_close: "00:00",
            currency: job.currency,
            cents: job.cents,
        };
        if !at_once {
            return self.money.authorized(ledger, &bill, job.made, job.paid, job.cancelled);
        }
        if let Some(paid) = job.paid {
            self.money.sale(ledger, &bill, job.tender, paid);
            if let Some(at) = job.cancelled {
                self.money.undone(ledger, &bill, job.tender, at.max(paid));
            }
        }
    }

    /// Returns whose money went back.
    pub fn refund(&mut self, ledger: &mut Ledger, retailer: &Retailer, returns: &[Return], prefix: char) {
        returns.iter().for_each(|ret| self.money.refund(ledger, retailer, ret, prefix));
    }

    /// Writes what is told on `date`.
    pub fn day(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        self.orders.day(ledger, date)?;
        self.steps.day(ledger, date)?;
        self.parcels.day(ledger, date)?;
        self.money.day(ledger, date)?;
        if self.system == "web" && date == dirt::DIRTY_DAY { self.dirty(ledger, date) } else { Ok(()) }
    }

    /// Records of orders that are nobody's, so that nothing else can be wrong with them.
    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let Some(mut job) = self.last.clone() else { return Ok(()) };
        let noon = date * DAY + 12 * 3600;
        (job.made, job.confirmed, job.paid) = (noon - 120, Some(noon - 60), Some(noon - 60));
        (job.date, job.currency, job.status) = (date, "GBP", "paid");
        job.goods = vec![(1, 1000)];
        let named = |no: usize| format!("W95{no:05}");
        for (no, dirty) in dirt::ORDERS.iter().enumerate() {
            job.id = named(no);
            self.orders.dirty(ledger, &record::order(self.system, &job, &[], 1, job.status), dirty)?;
        }
        for (no, dirty) in dirt::STEPS.iter().enumerate() {
            job.id = named(no);
            self.steps.dirty(ledger, &record::step(self.system, &job, 1, 1, "", ("created", job.made)), dirty)?;
        }
        for (no, dirty) in dirt::PARCELS.iter().enumerate() {
            job.id = named(no);
            let parcel = Parcel {
                no: 1,
                goods: job.goods.clone(),
                carrier: "redmail",
                status: "shipped",
                shipped: Some(noon),
                delivered: None,
                cost: 350,
            };
            for record in parcels::records(self.system, &job, &parcel, 1, true) {
                self.parcels.dirty(ledger, &record, dirty)?;
            }
        }
        Ok(())
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.orders.close(ledger)?;
        self.steps.close(ledger)?;
        self.parcels.close(ledger)?;
        self.money.close(ledger)
    }
}
