//! Payments: by which tender, in which steps, and what was given back. Drawn from the seed and the order's number, so that a
//! refund finds the tender of its sale and no other file changes.

use std::path::Path;

use super::super::days::{DAY, Day, LAST, Seconds};
use super::super::dice::hash;
use super::super::out::{Ledger, Why};
use super::super::retailer::Retailer;
use super::super::returns::Return;
use super::dirt::{DIRTY_DAY, PAYMENTS};
use super::fields::Fields;
use super::log::Log;
use crate::error::Result;

pub const HEADER: &str = "system,payment_id,rev,order_id,kind,authorization,tender,status,gateway,at,amount,currency,channel,place,region,\
    customer,staff,test,zone,day_close";

/// What an order's payments have in common.
#[derive(Debug, Clone)]
pub struct Bill<'a> {
    /// The number of the order, and the order as its system names it.
    pub no: u64,
    pub order: &'a str,
    pub channel: &'a str,
    pub place: &'a str,
    pub region: &'a str,
    pub customer: &'a str,
    pub staff: bool,
    pub test: bool,
    pub zone: &'a str,
    pub day_close: &'a str,
    pub currency: &'static str,
    pub cents: i64,
}

/// One movement of money.
struct Step {
    kind: &'static str,
    /// The step's number in its order, and that of its authorization.
    no: i64,
    of: Option<i64>,
    tender: &'static str,
    status: &'static str,
    at: Seconds,
    cents: i64,
}

/// The payments of one selling system.
pub struct Money {
    system: &'static str,
    seed: u64,
    log: Log,
}

impl Money {
    /// `label` names the files, `system` is what they say.
    pub fn new(retailer: &Retailer, landing: &Path, level: u32, label: &'static str, system: &'static str) -> Money {
        let log = Log::new(landing, level, format!("payments/payments_{label}"), HEADER, |c| &mut c.payments);
        Money { system, seed: retailer.seed, log }
    }

    fn chance(&self, no: u64, of: u64) -> u64 {
        let last = self.system.bytes().next_back().unwrap_or_default();
        hash(&[self.seed, 0xca54, u64::from(last), no, of]) % 1000
    }

    /// How the order is paid: always the same of one order.
    fn tender(&self, no: u64) -> &'static str {
        let tenders: &[&str] = match self.system {
            "pos" => &["card", "card", "card", "card", "card", "cash", "cash", "cash", "mobile", "gift_card"],
            "market_cn" => &["alipay", "alipay", "wechat_pay", "wechat_pay", "unionpay"],
            "market_eu" => &["card", "paypal", "paypal", "direct_debit", "instalments"],
            _ => &["card", "card", "card", "paypal", "paypal", "wallet"],
        };
        tenders[self.chance(no, 1) as usize % tenders.len()]
    }

    /// Paid at once: at a till, by a platform, or by bank.
    pub fn sale(&mut self, ledger: &mut Ledger, bill: &Bill<'_>, tender: Option<&'static str>, at: Seconds) {
        let tender = tender.unwrap_or_else(|| self.tender(bill.no));
        // Of a few tickets half is paid by another tender.
        let second = if self.system == "pos" && self.chance(bill.no, 2) < 15 { bill.cents / 2 } else { 0 };
        let step = |no, tender, cents| Step { kind: "sale", no, of: None, tender, status: "success", at, cents };
        self.tell(ledger, bill, step(1, tender, bill.cents - second));
        if second > 0 {
            self.tell(ledger, bill, step(2, if tender == "cash" { "card" } else { "cash" }, second));
        }
    }

    /// Authorized when ordered, and captured when paid; a few are refused first. `undone`: cancelled then.
    pub fn authorized(
        &mut self,
        ledger: &mut Ledger,
        bill: &Bill<'_>,
        made: Seconds,
        paid: Option<Seconds>,
        undone: Option<Seconds>,
    ) {
        let tender = self.tender(bill.no);
        let step = |kind, no, of, status, at| Step { kind, no, of, tender, status, at, cents: bill.cents };
        if self.chance(bill.no, 3) < 35 {
            self.tell(ledger, bill, step("authorization", 0, None, "failed", made));
        }
        // What was given up was refused, or never asked for.
        let Some(paid) = paid else {
            if self.chance(bill.no, 4) < 700 {
                self.tell(ledger, bill, step("authorization", 1, None, "failed", made + 10));
            }
            return;
        };
        self.tell(ledger, bill, step("authorization", 1, None, "success", made + 10));
        match undone {
            Some(at) if self.chance(bill.no, 5) < 600 => {
                self.tell(ledger, bill, step("void", 2, Some(1), "success", at));
            }
            _ if self.chance(bill.no, 6) < 8 => {
                self.tell(ledger, bill, step("capture", 2, Some(1), "failed", paid + 120))
            }
            _ => {
                self.tell(ledger, bill, step("capture", 2, Some(1), "success", paid + 120));
                if let Some(at) = undone {
                    self.tell(ledger, bill, step("refund", 3, None, "success", at.max(paid + 300)));
                }
            }
        }
    }

    /// All of a sale is given back: it was cancelled.
    pub fn undone(&mut self, ledger: &mut Ledger, bill: &Bill<'_>, tender: Option<&'static str>, at: Seconds) {
        let tender = tender.unwrap_or_else(|| self.tender(bill.no));
        let step = Step { kind: "refund", no: 3, of: None, tender, status: "success", at, cents: bill.cents };
        self.tell(ledger, bill, step);
    }

    /// What a return gives back; of a blind one in cash.
    pub fn refund(&mut self, ledger: &mut Ledger, retailer: &Retailer, ret: &Return, prefix: char) {
        let Some(at) = ret.refunded else { return };
        let (no, order) = ret.order.map_or((0, String::new()), |(no, _)| (no, format!("{prefix}{no:07}")));
        let tender = if no == 0 { "cash" } else { self.tender(no) };
        let customer = ret.customer.map(super::consumer).unwrap_or_default();
        let place = &retailer.places[ret.place];
        let in_shop = ret.channel == "pos";
        let bill = Bill {
            no,
            order: &order,
            channel: ret.channel,
            place: if in_shop { place.id.as_str() } else { "" },
            region: "",
            customer: &customer,
            staff: ret.staff,
            test: ret.test,
            zone: ret.zone.name(),
            day_close: "00:00",
            currency: ret.currency.code(),
            cents: ret.refund + ret.shipping,
        };
        let id = format!("{prefix}R{:06}", ret.number());
        let step = Step { kind: "refund", no: 0, of: None, tender, status: "success", at, cents: bill.cents };
        self.put(ledger, &bill, &step, &id);
    }

    fn tell(&mut self, ledger: &mut Ledger, bill: &Bill<'_>, step: Step) {
        let id = format!("{}-{}", bill.order, step.no);
        self.put(ledger, bill, &step, &id);
    }

    fn put(&mut self, ledger: &mut Ledger, bill: &Bill<'_>, step: &Step, id: &str) {
        let day = step.at.div_euclid(DAY);
        let record = self.record(bill, step, id, 1, step.status);
        let fate = self.chance(bill.no, 7 + step.at as u64 % 1000);
        let first = match fate {
            // Some are told late, some twice, some first as pending.
            0..=19 => day + 1 + fate as i64 % 9,
            20..=23 => {
                self.log.keep(ledger, day + 1, record.clone(), Why::Repeat);
                day
            }
            24..=27 if step.status == "success" => {
                let (pending, settled) =
                    (self.record(bill, step, id, 1, "pending"), self.record(bill, step, id, 2, step.status));
                self.log.keep(ledger, day, pending, Why::First);
                self.log.keep(ledger, day + 2, settled, Why::Revision);
                return;
            }
            _ => day,
        };
        // What is late stays within the window: nothing that happened is lost.
        let first = if day <= LAST { first.min(LAST) } else { first };
        self.log.keep(ledger, first, record, Why::First);
    }

    fn record(&self, bill: &Bill<'_>, step: &Step, id: &str, rev: i64, status: &str) -> Vec<u8> {
        let authorization = step.of.map(|no| format!("{}-{no}", bill.order)).unwrap_or_default();
        let gateway = match step.tender {
            "cash" | "gift_card" | "bank_transfer" | "invoice" => "",
            _ if self.system == "pos" => "terminal",
            _ if self.system.starts_with("market") => "platform",
            _ => "payhub",
        };
        Fields::new()
            .text(self.system)
            .text(id)
            .int(rev)
            .text(bill.order)
            .text(step.kind)
            .text(&authorization)
            .text(step.tender)
            .text(status)
            .text(gateway)
            .at(Some(step.at))
            .cents(step.cents)
            .text(bill.currency)
            .text(bill.channel)
            .text(bill.place)
            .text(bill.region)
            .text(bill.customer)
            .flag(bill.staff)
            .flag(bill.test)
            .text(bill.zone)
            .text(bill.day_close)
            .record()
    }

    /// Writes what is told on `date`, and on one day of the web shop's what is wrong on purpose.
    pub fn day(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        self.log.day(ledger, date)?;
        if self.system == "web" && date == DIRTY_DAY { self.dirty(ledger, date) } else { Ok(()) }
    }

    /// Payments of an order's own, so that nothing else can be wrong with them.
    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let bill = Bill {
            no: 1,
            order: "W0000001",
            channel: "web",
            place: "",
            region: "GB-LON",
            customer: "",
            staff: false,
            test: false,
            zone: "Europe/London",
            day_close: "00:00",
            currency: "GBP",
            cents: 1999,
        };
        for (no, dirty) in (90..).zip(PAYMENTS) {
            let at = date * DAY + 12 * 3600;
            let step = Step { kind: "sale", no, of: None, tender: "card", status: "success", at, cents: bill.cents };
            let record = self.record(&bill, &step, &format!("{}-{no}", bill.order), 1, step.status);
            self.log.dirty(ledger, &record, dirty)?;
        }
        Ok(())
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.log.close(ledger)
    }
}
