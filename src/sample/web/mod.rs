//! The web shop's NDJSON: one order per line with its lines and charges inside, instants in RFC 3339, prices with tax.

use std::path::Path;

use super::again::Again;
use super::catalogue::{Currency, Tax};
use super::days::{DAY, Day, FIRST, LAST, Seconds, Zone, month_name, settled};
use super::desk::{Desk, jobs};
use super::dice::Dice;
use super::discounts::{Discounts, Reason, Sold, reductions};
use super::events::Events;
use super::feedback::Feedback;
use super::order::{Basket, ChargeKind, Line, LineKind, Order, Status};
use super::out::{Ledger, Sheet, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::returns::Returns;
use super::words::REGIONS;
use crate::error::Result;
use dirt::DIRTY_DAY;
use json::Seen;

mod dirt;
pub mod json;

pub const CHANNELS: [&str; 3] = ["web", "app", "live"];

struct Web<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    sheet: Sheet,
    returns: Returns,
    discounts: Discounts,
    events: Events<'a>,
    feedback: Feedback<'a>,
    again: Again,
    desk: Desk,
    next: u64,
}

/// Writes the orders of web shop, app and live stream, what comes back of them, what customers said, and what visitors did.
pub fn write(retailer: &Retailer, landing: &Path, level: u32, progress: &(dyn Fn(u64) + Sync)) -> Result<Ledger> {
    // 25 % of the lines, 2.4 in an order.
    let orders = retailer.lines * 250 / 2400;
    let mut web = Web {
        retailer,
        dice: Dice::new(retailer.seed, "web"),
        sheet: Sheet::new(landing, "ndjson", "", level),
        returns: Returns::new(landing, level, "web", "web", 'W', 900),
        discounts: Discounts::new(landing, level, "web", "shop_web", 'W'),
        events: Events::new(retailer, landing, level),
        feedback: Feedback::new(retailer, landing, level),
        again: Again::new(),
        desk: Desk::new(retailer, landing, level, "web"),
        next: 1,
    };
    let mut ledger = Ledger::default();
    for (date, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Online, orders)) {
        web.day(&mut ledger, date, n)?;
        progress(n * 24 / 10);
    }
    web.sheet.close(&mut ledger)?;
    web.returns.close(&mut ledger)?;
    web.discounts.close(&mut ledger)?;
    web.events.close(&mut ledger)?;
    web.feedback.close(&mut ledger)?;
    web.desk.close(&mut ledger)?;
    Ok(ledger)
}

impl<'a> Web<'a> {
    fn day(&mut self, ledger: &mut Ledger, date: Day, orders: u64) -> Result<()> {
        self.sheet.open(ledger, &format!("web/orders_{}", month_name(date)), false)?;
        self.events.open(ledger, date)?;
        for _ in 0..orders {
            let channel = self.dice.weighted(&[60, 28, 12]);
            let order = self.order(date, channel);
            let session = self.events.bought(ledger, &order, channel, date)?;
            if self.tell(ledger, &order, channel, session, date)? {
                self.returns.plan(self.retailer, &mut self.dice, &order, date, CHANNELS[channel]);
                self.feedback.plan(&order, channel, date);
            }
        }
        self.events.browsed(ledger, date, orders)?;
        let returns = self.returns.day(ledger, self.retailer, &mut self.dice, date)?;
        self.feedback.day(ledger, date)?;
        self.again.day(ledger, &mut self.sheet, date)?;
        self.desk.refund(ledger, self.retailer, &returns, 'W');
        self.desk.day(ledger, date)?;
        self.discounts.day(ledger, self.retailer, date)?;
        if date == DIRTY_DAY {
            self.dirty(ledger, date)?;
        }
        Ok(())
    }

    fn made(&mut self, date: Day) -> Seconds {
        // Most in the evening, some at any hour; never so late that London has the next day.
        let second = if self.dice.chance(7000) {
            self.dice.between(16 * 3600, DAY - 60)
        } else {
            self.dice.between(0, DAY - 60)
        };
        Zone::London.utc(date * DAY + settled(date, second))
    }

    fn order(&mut self, date: Day, channel: usize) -> Order {
        let made = self.made(date);
        let dice = &mut self.dice;
        let customer = dice.chance(7800).then(|| self.retailer.consumer(dice, date));
        let ship = match customer {
            Some(customer) if dice.chance(9300) => self.retailer.home(customer),
            _ => dice.index(6),
        };
        let german = REGIONS[ship].country == "DE";
        let currency = if german { Currency::Eur } else { Currency::Gbp };
        let mut order = Order::new(self.next, made, currency);
        self.next += 1;
        (order.version, order.customer, order.ship, order.bill) = (1, customer, ship, ship);
        if !german && dice.chance(600) {
            order.bill = dice.index(4); // a gift: billed elsewhere, in the same country
        }
        let tax = if german { Tax::Germany } else { Tax::Britain };
        let basket = Basket { retailer: self.retailer, currency, tax, place: None, date };
        let n = if channel == 2 { 1 + dice.index(2) } else { [1, 1, 1, 2, 2, 2, 3, 3, 4, 6][dice.index(10)] };
        for _ in 0..n {
            basket.add(dice, &mut order);
        }
        let catalogue = &self.retailer.catalogue;
        if dice.chance(150) {
            basket.add_bundle(dice, &mut order);
        }
        if dice.chance(120) {
            basket.add_special(&mut order, catalogue.gift_card, LineKind::GiftCard, 1);
        }
        if dice.chance(250) {
            basket.add_special(&mut order, catalogue.wrapping, LineKind::Service, 1);
        }
        let paid: i64 = order.lines.iter().map(Line::paid).sum();
        order.test = dice.chance(30);
        order.staff = dice.chance(120);
        if order.staff {
            order.allocate(paid / 5);
        } else if dice.chance(1100) {
            let amount = if dice.chance(5000) { paid / 10 } else { [300, 500, 1000][dice.index(3)] };
            order.allocate(amount.min(paid / 2));
        }
        self.charge(&mut order, paid);
        self.progress(&mut order);
        order
    }

    /// Shipping below 50, now and then waived; its tax apart; seldom a goodwill credit.
    fn charge(&mut self, order: &mut Order, paid: i64) {
        let dice = &mut self.dice;
        if paid < 5000 {
            let (net, tax) = if order.currency == Currency::Eur { (412, 78) } else { (329, 66) };
            order.charges.push((ChargeKind::Shipping, net));
            if dice.chance(800) {
                order.charges.push((ChargeKind::ShippingDiscount, -net));
            } else {
                order.charges.push((ChargeKind::Tax, tax));
            }
        }
        if dice.chance(60) {
            order.charges.push((ChargeKind::Adjustment, -dice.between(100, 800)));
        }
    }

    /// How far the order has come by the last day.
    fn progress(&mut self, order: &mut Order) {
        let dice = &mut self.dice;
        let end = LAST * DAY + 23 * 3600 - 1; // midnight in London
        let confirmed = order.made + dice.between(20, 600);
        match dice.below(1000) {
            // Never confirmed: the payment was given up.
            0..=17 => (order.status, order.confirmed, order.paid) = (Status::Created, None, None),
            // Cancelled before it was ever told as completed.
            18..=37 => {
                let at = confirmed + dice.between(600, 2 * DAY);
                (order.status, order.confirmed, order.paid) = (Status::Cancelled, Some(confirmed), Some(confirmed));
                order.cancelled = Some(at.min(end).max(confirmed));
            }
            // By invoice: paid weeks later, if at all.
            38..=87 => {
                let paid = confirmed + dice.between(5 * DAY, 30 * DAY);
                order.confirmed = Some(confirmed);
                order.paid = (paid < end && dice.chance(9000)).then_some(paid);
                order.status = if order.paid.is_some() { Status::Completed } else { Status::Fulfilled };
            }
            _ => {
                (order.confirmed, order.paid) = (Some(confirmed), Some(confirmed));
                let age = end - confirmed;
                order.status = match age / DAY {
                    0 => Status::Paid,
                    1..=3 => Status::Fulfilled,
                    _ => Status::Completed,
                };
            }
        }
        // The confirmation stays on the day on which the order was made.
        let day_end = (order.made + Zone::London.offset(order.made)).div_euclid(DAY) * DAY + DAY - 1;
        let limit = Zone::London.utc(day_end);
        order.confirmed = order.confirmed.map(|at| at.min(limit));
        order.paid = order.paid.map(|at| if at < confirmed + DAY { at.min(limit) } else { at });
    }

    /// Writes an order, and keeps for later what is told again; false when it will be changed, so that nothing comes back.
    fn tell(
        &mut self,
        ledger: &mut Ledger,
        order: &Order,
        channel: usize,
        session: Option<u64>,
        date: Day,
    ) -> Result<bool> {
        let mut record = Vec::with_capacity(900);
        let note = self
            .dice
            .chance(100)
            .then(|| *self.dice.pick(&["Please leave with the neighbour", "Gift, no invoice", "Ring twice"]));
        let seen = Seen { retailer: self.retailer, channel: CHANNELS[channel], session, note };
        seen.push(&mut record, order);
        self.sheet.put(ledger, &record, Why::First)?;
        self.tell_reductions(ledger, order, date)?;
        ledger.counts.orders += 1;
        ledger.counts.order_lines += order.lines.len() as u64;
        ledger.counts.order_charges += order.charges.len() as u64;
        // 0.5 % are edited, 0.5 % cancelled late, 0.6 % told again.
        let later = date + 1 + self.dice.skewed(15) as i64;
        let live = !matches!(order.status, Status::Created | Status::Cancelled);
        let fate = self.dice.below(1000);
        // What the order is in the end, and when it is cancelled after all.
        let (mut known, mut undone) = (order.clone(), None);
        match fate {
            0..=4 if live && order.lines.len() > 1 => {
                let mut edited = order.clone();
                edited.version = 2;
                if let Some(last) = edited.lines.iter_mut().rfind(|l| l.kind == LineKind::Product && l.share == 0) {
                    last.removed = true;
                }
                let mut record = Vec::with_capacity(900);
                seen.push(&mut record, &edited);
                self.again.keep(later, record, Why::Revision);
                if later <= LAST {
                    known = edited;
                }
            }
            5..=9 if live => {
                let mut cancelled = order.clone();
                (cancelled.version, cancelled.status) = (2, Status::Cancelled);
                cancelled.cancelled = Some(later * DAY + 10 * 3600);
                undone = cancelled.cancelled;
                let mut record = Vec::with_capacity(900);
                seen.push(&mut record, &cancelled);
                self.again.keep(later, record, Why::Revision);
            }
            10..=15 => self.again.keep(later, record, Why::Repeat),
            _ => {}
        }
        let (job, by_invoice) = jobs::web(&known, CHANNELS[channel], date);
        self.desk.take(ledger, job.undone(undone), by_invoice);
        Ok(fate > 9)
    }

    /// An order's discount is for staff, else of one of three coupons.
    fn tell_reductions(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<()> {
        let at = order.confirmed.unwrap_or(order.made);
        let sold = Sold {
            no: order.no,
            at: at + Zone::London.offset(at),
            zone: Zone::London.name(),
            night: false,
            currency: order.currency.code(),
        };
        let share = if order.staff { Reason::Staff } else { Reason::Coupon(order.no) };
        let all = reductions(self.retailer, order, share);
        self.discounts.tell(ledger, self.retailer, date, &sold, &all)
    }
}
