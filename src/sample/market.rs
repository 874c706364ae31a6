//! The two marketplaces' reports: a row per line of an order, prices with tax, times as the platform's clock shows them.
//! What they share; how each writes a row is in `market_cn` and `market_eu`.

use std::path::Path;

use super::again::Again;
use super::catalogue::{Currency, Tax};
use super::control::{Layout, Totals};
use super::days::{DAY, Day, FIRST, LAST, Seconds, quarter_name, settled};
use super::desk::{Desk, jobs};
use super::dice::Dice;
use super::discounts::{Discounts, Reason, Sold, reductions};
use super::order::{Basket, ChargeKind, Line, LineKind, Order, Status};
use super::out::{Dirt, Ledger, Sheet, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::returns::Returns;
use super::text::with_field;
use crate::error::Result;

/// A marketplace and how its report looks.
pub struct Platform {
    /// Channel, folder and name of the dice.
    pub name: &'static str,
    pub prefix: char,
    pub header: &'static str,
    pub delimiter: u8,
    pub currency: Currency,
    pub tax: Tax,
    pub rhythm: Rhythm,
    /// Thousandths of the sample's lines.
    pub share: u64,
    /// Ten-thousandths of the price that the platform keeps.
    pub commission: i64,
    /// It sends control totals.
    pub totals: bool,
    pub dirty_day: Day,
    /// Column, value, what is wrong with it.
    pub dirt: &'static [(&'static str, &'static str, Dirt)],
    pub row: fn(&Retailer, &mut Vec<u8>, &Order, &Line, Seconds),
}

struct Market<'a> {
    retailer: &'a Retailer,
    platform: &'static Platform,
    dice: Dice,
    sheet: Sheet,
    returns: Returns,
    discounts: Discounts,
    again: Again,
    totals: Totals,
    desk: Desk,
    next: u64,
    /// Orders that the ERP has too.
    mirrored: Vec<Order>,
    scratch: Vec<u8>,
}

/// Writes a marketplace's orders and what comes back of them; gives the orders that the ERP repeats.
pub fn write(
    retailer: &Retailer,
    landing: &Path,
    level: u32,
    platform: &'static Platform,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(Ledger, Vec<Order>)> {
    let orders = retailer.lines * platform.share / 1600;
    let mut market = Market {
        retailer,
        platform,
        next: 1,
        mirrored: Vec::new(),
        scratch: Vec::new(),
        dice: Dice::new(retailer.seed, platform.name),
        sheet: Sheet::new(landing, "csv", platform.header, level),
        returns: Returns::new(landing, level, platform.name, platform.name, platform.prefix, 600),
        discounts: Discounts::new(landing, level, platform.name, platform.name, platform.prefix),
        again: Again::new(),
        totals: Totals::default(),
        desk: Desk::new(retailer, landing, level, platform.name),
    };
    let mut ledger = Ledger::default();
    for (date, n) in (FIRST..=LAST).zip(spread(retailer.seed, platform.rhythm, orders)) {
        market.day(&mut ledger, date, n)?;
        progress(n * 16 / 10);
    }
    market.sheet.close(&mut ledger)?;
    market.returns.close(&mut ledger)?;
    market.desk.close(&mut ledger)?;
    market.discounts.close(&mut ledger)?;
    if platform.totals {
        market.totals.write(retailer, landing, level, &Layout::platform(platform.name), &mut ledger)?;
    }
    Ok((ledger, market.mirrored))
}

impl Market<'_> {
    fn day(&mut self, ledger: &mut Ledger, date: Day, orders: u64) -> Result<()> {
        let stem = format!("{0}/{0}_{1}", self.platform.name, quarter_name(date));
        // The first quarter stays readable.
        self.sheet.open(ledger, &stem, date < FIRST + 92)?;
        for _ in 0..orders {
            let order = self.order(date);
            if self.tell(ledger, &order, date)? {
                self.returns.plan(self.retailer, &mut self.dice, &order, date, self.platform.name);
            }
        }
        let returns = self.returns.day(ledger, self.retailer, &mut self.dice, date)?;
        self.again.day(ledger, &mut self.sheet, date)?;
        self.desk.refund(ledger, self.retailer, &returns, self.platform.prefix);
        self.desk.day(ledger, date)?;
        self.discounts.day(ledger, self.retailer, date)?;
        if date == self.platform.dirty_day { self.dirty(ledger, date) } else { Ok(()) }
    }

    fn order(&mut self, date: Day) -> Order {
        let (platform, retailer, dice) = (self.platform, self.retailer, &mut self.dice);
        let second = if dice.chance(6000) { dice.between(17 * 3600, DAY - 1) } else { dice.between(0, DAY - 1) };
        // `made` is the wall clock's time here, as the report has it.
        let made = date * DAY + settled(date, second);
        let mut order = Order::new(self.next, made, platform.currency);
        self.next += 1;
        let china = platform.tax == Tax::China;
        let customer = if china { retailer.chinese_consumer(dice, date) } else { retailer.consumer(dice, date) };
        order.ship = if china { retailer.home(customer) } else { 4 + dice.index(2) };
        order.bill = order.ship;
        order.customer = dice.chance(8500).then_some(customer);
        let basket = Basket { retailer, currency: platform.currency, tax: platform.tax, place: None, date };
        for _ in 0..[1, 1, 1, 1, 1, 2, 2, 2, 3, 2][dice.index(10)] {
            if china && dice.chance(300) {
                let item = retailer.catalogue.china_only.start + dice.index(retailer.catalogue.china_only.len());
                basket.add_special(&mut order, item, LineKind::Product, 1);
            } else {
                basket.add(dice, &mut order);
            }
        }
        order.test = dice.chance(20);
        order.staff = dice.chance(40);
        let paid: i64 = order.lines.iter().map(Line::paid).sum();
        if dice.chance(1500) {
            order.allocate((paid / 10).min(1000));
        }
        if paid < 4000 && dice.chance(7000) {
            order.charges.push((ChargeKind::Shipping, 290));
        }
        order.charges.push((ChargeKind::Commission, paid * platform.commission / 10_000));
        self.progress(&mut order);
        order
    }

    fn progress(&mut self, order: &mut Order) {
        let dice = &mut self.dice;
        let end = (LAST + 1) * DAY - 1;
        let paid = order.made + dice.between(10, 1200);
        order.paid = (paid <= end).then_some(paid);
        match dice.below(1000) {
            0..=14 => (order.status, order.paid) = (Status::Created, None),
            15..=39 => {
                order.status = Status::Cancelled;
                order.cancelled = Some((paid + dice.between(600, DAY)).min(end).max(order.made));
            }
            _ => order.status = if end - order.made < 4 * DAY { Status::Fulfilled } else { Status::Completed },
        }
        if order.status == Status::Fulfilled && order.paid.is_none() {
            order.status = Status::Confirmed;
        }
    }

    /// Writes an order, and keeps for later what is told again; false when it will be changed, so that nothing comes back.
    fn tell(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<bool> {
        ledger.counts.orders += 1;
        ledger.counts.order_lines += order.lines.len() as u64;
        ledger.counts.order_charges += charges(order);
        let later = date + 1 + self.dice.skewed(25) as i64;
        let live = !matches!(order.status, Status::Created | Status::Cancelled);
        let fate = self.dice.below(1000);
        self.totals.add(order.made.div_euclid(DAY), order, |_| false);
        let zone = if self.platform.tax == Tax::China { "Asia/Shanghai" } else { "Europe/Berlin" };
        let sold = Sold { no: order.no, at: order.made, zone, night: false, currency: order.currency.code() };
        let share = if order.staff { Reason::Staff } else { Reason::Voucher };
        let all = reductions(self.retailer, order, share);
        self.discounts.tell(ledger, self.retailer, date, &sold, &all)?;
        for line in &order.lines {
            self.row(order, line, order.made);
            let record = self.scratch.clone();
            self.sheet.put(ledger, &record, Why::First)?;
            match fate {
                // Cancelled after all.
                0..=5 if live => {
                    let mut cancelled = order.clone();
                    (cancelled.status, cancelled.cancelled) = (Status::Cancelled, Some(later * DAY + 9 * 3600));
                    self.row(&cancelled, line, later * DAY + 9 * 3600);
                    self.again.keep(later, self.scratch.clone(), Why::Revision);
                }
                6..=11 => self.again.keep(later, record, Why::Repeat),
                _ => {}
            }
        }
        let job = jobs::market(order, self.platform.prefix, self.platform.name, date);
        let at = (fate <= 5 && live).then(|| jobs::utc(self.platform.name, later * DAY + 9 * 3600));
        self.desk.take(ledger, job.undone(at), true);
        if fate > 11 && live && !order.test && self.dice.chance(60) {
            self.mirrored.push(order.clone());
        }
        Ok(fate > 5)
    }

    fn row(&mut self, order: &Order, line: &Line, updated: Seconds) {
        self.scratch.clear();
        (self.platform.row)(self.retailer, &mut self.scratch, order, line, updated);
        self.scratch.push(b'\n');
    }

    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let platform = self.platform;
        for (column, value, dirt) in platform.dirt {
            let mut order = Order::new(self.next, date * DAY + 12 * 3600, Currency::Gbp);
            self.next += 1;
            let basket =
                Basket { retailer: self.retailer, currency: Currency::Gbp, tax: platform.tax, place: None, date };
            order.lines.push(basket.line(
                1,
                self.retailer.catalogue.ranked(self.next as usize % 20),
                LineKind::Product,
                1000,
            ));
            (order.ship, order.bill) = if platform.tax == Tax::China { (7, 7) } else { (4, 4) };
            self.totals.add(date, &order, |_| false);
            self.row(&order, &order.lines[0], order.made);
            let record = if dirt.rule == "V00" {
                let text = String::from_utf8_lossy(&self.scratch).chars().take(60).collect::<String>();
                format!("{text}\n").into_bytes()
            } else {
                let header = platform.header.trim_start_matches('\u{feff}');
                let at = header.split(char::from(platform.delimiter)).position(|n| n == *column).unwrap_or(0);
                with_field(&self.scratch, platform.delimiter, at, value)
            };
            if dirt.lands() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// How many charges an order's rows make: shipping abroad has no tax, in Europe it has.
fn charges(order: &Order) -> u64 {
    let shipping = order.charges.iter().any(|(kind, _)| *kind == ChargeKind::Shipping);
    let tax = shipping && order.currency == Currency::Eur;
    u64::from(shipping) + u64::from(tax) + 1
}

/// The amount of the order's charge of a kind.
pub fn amount(order: &Order, kind: ChargeKind) -> Option<i64> {
    order.charges.iter().find(|(k, _)| *k == kind).map(|(_, cents)| *cents)
}
