//! The returns desk's CSV: every return that is not in the ERP, of whichever system sold it.

use std::path::Path;

use super::catalogue::Currency;
use super::days::{DAY, DAYS, Day, FIRST, LAST, Seconds, Zone, quarter_name, settled};
use super::dice::Dice;
use super::order::{LineKind, Order};
use super::out::{Ledger, Sheet, Why};
use super::retailer::Retailer;
use crate::error::Result;
use dirt::DIRTY_DAY;
use row::HEADER;

mod dirt;
mod row;

/// One returned line.
#[derive(Debug, Clone)]
pub struct Return {
    no: u64,
    requested: Seconds,
    received: Option<Seconds>,
    pub(super) refunded: Option<Seconds>,
    status: &'static str,
    pub(super) zone: Zone,
    pub(super) channel: &'static str,
    pub(super) place: usize,
    /// The order's number and line; `None` = blind.
    pub(super) order: Option<(u64, i64)>,
    item: usize,
    tax: i64,
    pub(super) currency: Currency,
    quantity: i64,
    pub(super) refund: i64,
    pub(super) shipping: i64,
    cost: i64,
    reason: &'static str,
    restock: &'static str,
    pub(super) customer: Option<u32>,
    pub(super) staff: bool,
    pub(super) test: bool,
    exchange: bool,
}

impl Return {
    pub fn is_exchange(&self) -> bool {
        self.exchange
    }
    pub fn number(&self) -> u64 {
        self.no
    }
    /// The day on which it is written down.
    pub fn at(&self) -> Seconds {
        self.refunded.or(self.received).unwrap_or(self.requested)
    }
}

const REASONS: &[&str] =
    &["damaged", "wrong_size", "changed_mind", "changed_mind", "not_as_described", "late", "faulty", "unknown", "gift"];

/// Returns of one selling system, planned while its orders are made and written when their day comes.
pub struct Returns {
    /// In the file's name.
    label: &'static str,
    system: &'static str,
    prefix: char,
    next: u64,
    /// Ten-thousandths of the lines.
    per: u64,
    later: Vec<Vec<Return>>,
    sheet: Sheet,
    scratch: Vec<u8>,
}

impl Returns {
    /// Returns of orders of `system`, whose numbers begin with `prefix`; `per` ten-thousandths of its lines come back.
    pub fn new(
        landing: &Path,
        level: u32,
        label: &'static str,
        system: &'static str,
        prefix: char,
        per: u64,
    ) -> Returns {
        Returns {
            label,
            system,
            prefix,
            next: 1,
            per,
            later: (0..DAYS).map(|_| Vec::new()).collect(),
            sheet: Sheet::new(landing, "csv", HEADER, level),
            scratch: Vec::new(),
        }
    }

    /// Decides what of a completed order comes back, and when. `home` is the channel's name; online orders may come back in a shop.
    pub fn plan(&mut self, retailer: &Retailer, dice: &mut Dice, order: &Order, date: Day, home: &'static str) {
        if !matches!(order.status, super::order::Status::Completed) || order.exchange.is_some() {
            return;
        }
        for line in &order.lines {
            let whole = line.quantity % 1000 == 0 && matches!(line.kind, LineKind::Product | LineKind::BundleComponent);
            if !whole || line.removed || !dice.chance(self.per) {
                continue;
            }
            let quantity = if line.quantity > 1000 && dice.chance(5000) { 1000 } else { line.quantity };
            let refund = line.paid() * quantity / line.quantity;
            let in_shop = home == "pos" || home != "market_cn" && dice.chance(2500);
            let place = if home == "pos" && dice.chance(8500) {
                order.place
            } else if in_shop {
                self.shop(retailer, dice)
            } else {
                retailer.shops + dice.index(2)
            };
            let day = date + 1 + dice.skewed(45) as i64;
            let mut ret = self.blank(retailer, dice, place, day, if in_shop { "pos" } else { home });
            ret.order = Some((order.no, line.no));
            (ret.item, ret.tax, ret.currency, ret.quantity, ret.refund) =
                (line.item, line.tax, order.currency, quantity, refund);
            (ret.customer, ret.staff, ret.test) = (order.customer, order.staff, order.test);
            if !in_shop && dice.chance(1500) {
                ret.shipping = 329;
            }
            self.settle(dice, &mut ret, line.cost, in_shop);
            self.keep(ret);
        }
    }

    fn shop(&self, retailer: &Retailer, dice: &mut Dice) -> usize {
        let mut place = dice.index(retailer.shops);
        while !retailer.places[place].open_on(FIRST) || retailer.places[place].closed.is_some() {
            place = (place + 1) % retailer.shops;
        }
        place
    }

    fn blank(&mut self, retailer: &Retailer, dice: &mut Dice, place: usize, day: Day, channel: &'static str) -> Return {
        let zone = retailer.places[place].zone();
        let requested = zone.utc(day * DAY + settled(day, dice.between(10 * 3600, 19 * 3600)));
        let no = self.next;
        self.next += 1;
        Return {
            no,
            requested,
            received: Some(requested),
            refunded: Some(requested),
            status: "refunded",
            zone,
            channel,
            place,
            order: None,
            item: 0,
            tax: 0,
            currency: Currency::Gbp,
            quantity: 1000,
            refund: 0,
            shipping: 0,
            cost: 0,
            reason: REASONS[dice.index(REASONS.len())],
            restock: "return_to_stock",
            customer: None,
            staff: false,
            test: false,
            exchange: false,
        }
    }

    /// What becomes of the goods and the money: a few are refused, those sent back are refunded some days later.
    fn settle(&self, dice: &mut Dice, ret: &mut Return, cost: i64, in_shop: bool) {
        ret.restock =
            *dice.pick(&["return_to_stock", "return_to_stock", "return_to_stock", "damaged", "scrap", "no_restock"]);
        ret.cost = if ret.restock == "return_to_stock" { cost * ret.quantity / 1000 } else { 0 };
        if in_shop {
            ret.exchange = self.system == "pos" && dice.chance(1200);
            return;
        }
        let received = ret.requested + dice.between(2, 6) * DAY;
        let refunded = received + dice.between(1, 5) * DAY;
        if dice.chance(400) {
            (ret.status, ret.received, ret.refunded) = ("rejected", Some(received), None);
        } else {
            (ret.received, ret.refunded) = (Some(received), Some(refunded));
        }
        // What has not happened by the last day is not known yet.
        let end = LAST * DAY + 20 * 3600;
        if ret.refunded.is_some_and(|t| t > end) {
            (ret.status, ret.refunded) = ("received", None);
        }
        if ret.received.is_some_and(|t| t > end) {
            (ret.status, ret.received) = ("requested", None);
        }
    }

    fn keep(&mut self, ret: Return) {
        let at = (ret.at().div_euclid(DAY) - FIRST) as usize;
        if let Some(day) = self.later.get_mut(at) {
            day.push(ret);
        }
    }

    /// A return without an order: at a shop's counter, at the day's price.
    pub fn blind(&mut self, retailer: &Retailer, dice: &mut Dice, date: Day) {
        let place = self.shop(retailer, dice);
        let (currency, tax) = (retailer.places[place].currency(), retailer.places[place].tax());
        let item = retailer.catalogue.ranged(place, dice.skewed(60), retailer.range);
        let mut ret = self.blank(retailer, dice, place, date, "pos");
        (ret.item, ret.currency, ret.tax) = (item, currency, retailer.catalogue.tax(item, tax));
        ret.refund = retailer.catalogue.price(item, currency, date);
        ret.cost = retailer.catalogue.cost(item, currency);
        self.keep(ret);
    }

    /// Writes the returns of `date`, and gives them.
    pub fn day(&mut self, ledger: &mut Ledger, retailer: &Retailer, dice: &mut Dice, date: Day) -> Result<Vec<Return>> {
        let mut due = std::mem::take(&mut self.later[(date - FIRST) as usize]);
        due.sort_by_key(|r| (r.at(), r.no));
        self.sheet.open(
            ledger,
            &format!("returns/returns_{}_{}", self.label, quarter_name(date)),
            self.label == "market_eu" && date < FIRST + 92,
        )?;
        for ret in &due {
            self.write(retailer, ret);
            let record = std::mem::take(&mut self.scratch);
            self.sheet.put(ledger, &record, Why::First)?;
            if dice.chance(20) {
                self.sheet.put(ledger, &record, Why::Repeat)?;
            }
            self.scratch = record;
            ledger.counts.return_lines += 1;
        }
        if self.system == "web" && date == DIRTY_DAY {
            self.dirty(ledger, retailer, dice, date)?;
        }
        Ok(due)
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.sheet.close(ledger)
    }
}
