//! The tills' CSV of one country: `;` between fields, a row per line of a ticket, times as the shop's clock shows them.

use std::path::Path;

use super::again::Again;
use super::catalogue::{Currency, ItemType};
use super::days::{DAY, Day, FIRST, LAST, day, month_name, push_local, settled};
use super::dice::Dice;
use super::order::{Basket, Line, LineKind, Order, Status};
use super::out::{Dirt, Ledger, Sheet, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::returns::{Return, Returns};
use super::text::{push_cents, push_decimal, push_digits, push_int, push_short, with_field};
use crate::error::Result;

/// What belongs to the article stands together, which compresses well.
const HEADER: &str = "ticket;line;rev;store;zone;day_close;sold_at;type;status;voided_at;training;staff;member;cashier;exchange_group;\
    kind;sku;uom;vat;currency;cost;price;qty;discount;ticket_discount";

pub struct Pos<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    german: bool,
    prefix: u8,
    shops: Vec<usize>,
    sheet: Sheet,
    returns: Returns,
    again: Again,
    next: u64,
    scratch: Vec<u8>,
}

/// Writes the tickets of the shops of one country, and what comes back of them.
pub fn write(retailer: &Retailer, landing: &Path, level: u32, german: bool, progress: &(dyn Fn(u64) + Sync)) -> Result<Ledger> {
    let (label, prefix) = if german { ("pos_de", 'D') } else { ("pos_gb", 'P') };
    let shops: Vec<usize> = (0..retailer.shops).filter(|s| retailer.places[*s].german() == german).collect();
    let all: u64 = retailer.places.iter().map(|p| u64::from(p.weight)).sum();
    let ours: u64 = shops.iter().map(|s| u64::from(retailer.places[*s].weight)).sum();
    // 52 % of the lines are sold at tills, 2.3 on a ticket.
    let tickets = retailer.lines * 520 / 2600 * ours / all;
    let mut pos = Pos {
        retailer, german, prefix: prefix as u8, shops, next: 1, scratch: Vec::new(),
        dice: Dice::new(retailer.seed, label),
        sheet: Sheet::new(landing, "csv", HEADER, level),
        returns: Returns::new(landing, level, label, "pos", prefix, 320),
        again: Again::new(),
    };
    let mut ledger = Ledger::default();
    for (date, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Shops, tickets)) {
        pos.day(&mut ledger, date, n)?;
        progress(n * 26 / 10);
    }
    pos.sheet.close(&mut ledger)?;
    pos.returns.close(&mut ledger)?;
    Ok(ledger)
}

impl<'a> Pos<'a> {
    fn day(&mut self, ledger: &mut Ledger, date: Day, tickets: u64) -> Result<()> {
        let country = if self.german { "DE" } else { "GB" };
        // The first month of the smaller country stays readable.
        self.sheet.open(ledger, &format!("pos/pos_{country}_{}", month_name(date)), self.german && date < FIRST + 31)?;
        let weights: Vec<u32> =
            self.shops.iter().map(|s| &self.retailer.places[*s]).map(|p| if p.open_on(date) { p.weight } else { 0 }).collect();
        for _ in 0..tickets {
            let place = self.shops[self.dice.weighted(&weights)];
            let order = self.ticket(date, place);
            if self.tell(ledger, &order, date)? {
                self.returns.plan(self.retailer, &mut self.dice, &order, date, "pos");
            }
        }
        if self.dice.chance(if self.german { 1500 } else { 4500 }) {
            self.returns.blind(self.retailer, &mut self.dice, date);
        }
        for ret in self.returns.day(ledger, self.retailer, &mut self.dice, date)? {
            let order = self.exchange(date, &ret);
            self.tell(ledger, &order, date)?;
        }
        self.again.day(ledger, &mut self.sheet, date)?;
        if date == DIRTY_DAY {
            self.dirty(ledger, date)?;
        }
        self.clock_change(ledger, date)
    }

    /// When a ticket is made: shops are open from 8 to 21, those at night from 18 to 4.
    fn time(&mut self, date: Day, place: usize) -> i64 {
        let night = self.retailer.places[place].night;
        let second = match (night, date == LAST) {
            (true, true) => self.dice.between(18 * 3600, DAY - 1),
            (true, false) => self.dice.between(18 * 3600, 28 * 3600 - 1),
            (false, _) => (self.dice.between(8 * 3600, 21 * 3600 - 1) + self.dice.between(9 * 3600, 20 * 3600)) / 2,
        };
        let day = date + second / DAY;
        day * DAY + settled(day, second % DAY)
    }

    fn empty(&mut self, date: Day, place: usize) -> Order {
        let made = self.time(date, place);
        let mut order = Order::new(self.next, made, self.retailer.places[place].currency());
        self.next += 1;
        order.place = place;
        order
    }

    fn basket(&self, date: Day, place: usize) -> Basket<'a> {
        let shop = &self.retailer.places[place];
        Basket { retailer: self.retailer, currency: shop.currency(), tax: shop.tax(), place: Some(place), date }
    }

    fn ticket(&mut self, date: Day, place: usize) -> Order {
        let mut order = self.empty(date, place);
        let basket = self.basket(date, place);
        let dice = &mut self.dice;
        for _ in 0..[1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6][dice.index(12)] {
            basket.add(dice, &mut order);
        }
        let catalogue = &self.retailer.catalogue;
        if dice.chance(90) {
            basket.add_special(&mut order, catalogue.gift_card, LineKind::GiftCard, 1);
        }
        if !self.german && dice.chance(400) {
            basket.add_special(&mut order, catalogue.bag, LineKind::Fee, 1);
        }
        if self.german && dice.chance(500) {
            basket.add_special(&mut order, catalogue.deposit, LineKind::Deposit, 2);
        }
        order.customer = dice.chance(3400).then(|| self.retailer.consumer(dice, date));
        order.test = dice.chance(25);
        order.staff = dice.chance(150);
        let paid: i64 = order.lines.iter().map(Line::paid).sum();
        if order.staff {
            order.allocate(paid / 5);
        } else if dice.chance(500) {
            order.allocate([200, 300, 500][dice.index(3)].min(paid / 3));
        }
        order
    }

    /// The ticket that replaces what was brought back.
    fn exchange(&mut self, date: Day, ret: &Return) -> Order {
        let place = self.shops[self.dice.index(self.shops.len())];
        let mut order = self.empty(date, place);
        self.basket(date, place).add(&mut self.dice, &mut order);
        order.exchange = Some(ret.number());
        order
    }

    /// Writes a ticket, and keeps for later what is told again; false when it will be voided.
    fn tell(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<bool> {
        ledger.counts.orders += 1;
        ledger.counts.order_lines += order.lines.len() as u64;
        // 0.4 % are voided, 0.3 % corrected, 0.3 % told again; of a few the correction comes before the ticket.
        let fate = self.dice.below(1000);
        let later = date + self.dice.skewed(20) as i64;
        let plain = order.lines.iter().all(|l| l.share == 0 && l.discount == 0);
        let backwards = fate == 10 && plain && later > date && later <= LAST;
        for line in &order.lines {
            self.row(order, line);
            let record = self.scratch.clone();
            if !backwards {
                self.sheet.put(ledger, &record, Why::First)?;
            }
            match fate {
                0..=3 => {
                    let mut void = order.clone();
                    (void.version, void.status, void.cancelled) = (1, Status::Cancelled, Some(order.made + 600));
                    self.row(&void, line);
                    self.again.keep(later, self.scratch.clone(), Why::Revision);
                }
                4..=6 if plain && line.no == 1 => {
                    self.corrected(order, line);
                    self.again.keep(later, self.scratch.clone(), Why::Revision);
                }
                7..=9 => self.again.keep(later, record, Why::Repeat),
                _ if backwards => {
                    self.corrected(order, line);
                    let newer = self.scratch.clone();
                    self.sheet.put(ledger, &newer, Why::First)?;
                    self.again.keep(later, record, Why::Revision);
                }
                _ => {}
            }
        }
        Ok(fate > 3)
    }

    /// The line with one more of it, as version 1.
    fn corrected(&mut self, order: &Order, line: &Line) {
        let (mut order, mut line) = (order.clone(), line.clone());
        order.version = 1;
        line.quantity += 1000;
        self.row(&order, &line);
    }

    fn row(&mut self, order: &Order, line: &Line) {
        let shop = &self.retailer.places[order.place];
        let item = &self.retailer.catalogue.items[line.item];
        let out = &mut self.scratch;
        out.clear();
        out.push(self.prefix);
        push_digits(out, order.no, 7);
        for n in [line.no, order.version] {
            out.push(b';');
            push_int(out, n);
        }
        for field in [shop.id.as_str(), shop.zone().name(), if shop.night { "04:00" } else { "00:00" }] {
            out.push(b';');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b';');
        push_local(out, order.made);
        out.extend_from_slice(if order.exchange.is_some() { b";X;" } else { b";S;" });
        out.extend_from_slice(if order.cancelled.is_some() { b"VOID;" } else { b"OK;" });
        if let Some(at) = order.cancelled {
            push_local(out, at);
        }
        out.extend_from_slice(if order.test { b";Y;" } else { b";N;" });
        out.extend_from_slice(if order.staff { b"Y;" } else { b"N;" });
        if let Some(customer) = order.customer {
            super::push_consumer(out, customer);
        }
        out.extend_from_slice(b";E");
        push_digits(out, (order.place * 5) as u64 + order.no % 4, 3);
        out.push(b';');
        if let Some(group) = order.exchange {
            out.extend_from_slice(&[b'X', self.prefix]);
            push_digits(out, group, 6);
        }
        out.extend_from_slice(match line.kind {
            LineKind::GiftCard => b";G;",
            LineKind::Fee => b";F;",
            LineKind::Deposit => b";D;",
            _ => b";P;",
        });
        out.extend_from_slice(item.sku.as_bytes());
        out.extend_from_slice(if item.kind == ItemType::Weighed { b";KGM;" } else { b";EA;" });
        push_short(out, line.tax, 4);
        out.push(b';');
        out.extend_from_slice(order.currency.code().as_bytes());
        out.push(b';');
        push_decimal(out, line.cost, 4, b'.');
        out.push(b';');
        push_cents(out, line.price);
        out.push(b';');
        push_short(out, line.quantity, 3);
        for cents in [line.discount, line.share] {
            out.push(b';');
            push_cents(out, cents);
        }
        out.push(b'\n');
    }

    /// On the nights when the clocks change, the shop at night sells at a time that does not exist, or occurs twice.
    fn clock_change(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let hour = if self.german { 2 } else { 1 };
        for (change, dirt) in [(day(2025, 3, 30), &CLOCK[0]), (day(2025, 10, 26), &CLOCK[1])] {
            let night = self.shops.iter().copied().find(|s| self.retailer.places[*s].night);
            if let (true, Some(place)) = (date + 1 == change, night) {
                let mut order = self.single(date, place);
                order.made = change * DAY + hour * 3600 + 1800;
                self.row(&order, &order.lines[0]);
                let record = self.scratch.clone();
                self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
            }
        }
        Ok(())
    }

    /// A ticket of one usual line, so that nothing else can be wrong with it.
    fn single(&mut self, date: Day, place: usize) -> Order {
        let mut order = self.empty(date, place);
        let item = self.retailer.catalogue.ranged(place, order.no as usize % 20, self.retailer.range);
        let line = self.basket(date, place).line(1, item, LineKind::Product, 1000);
        order.lines.push(line);
        order
    }

    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        if self.german {
            return Ok(());
        }
        for (column, value, dirt) in DIRT {
            let place = self.shops.iter().copied().find(|s| self.retailer.places[*s].open_on(date) && !self.retailer.places[*s].night);
            let order = self.single(date, place.unwrap_or(self.shops[0]));
            debug_assert_eq!(order.currency, Currency::Gbp);
            self.row(&order, &order.lines[0]);
            let record = match *column {
                "short" => [&self.scratch[..70], b"\n"].concat(),
                "long" => [&self.scratch[..self.scratch.len() - 1], b";;extra\n"].concat(),
                name => with_field(&self.scratch, b';', HEADER.split(';').position(|n| n == name).unwrap_or(0), value),
            };
            if !dirt.pair.is_empty() {
                // The same ticket and version, another cashier: which of the two stays is the hash's to say.
                self.row(&order, &order.lines[0]);
                let twin = self.scratch.clone();
                if dirt.pair == "pos-later" {
                    self.again.keep(date + 40, twin, Why::Dirty(dirt));
                } else {
                    self.sheet.put(ledger, &twin, Why::Dirty(dirt))?;
                }
            }
            if dirt.lands() || !dirt.pair.is_empty() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// 2025-03-18.
const DIRTY_DAY: Day = 20_165;

static CLOCK: [Dirt; 2] = [
    Dirt::new("V10", "warn", "created_at", "a local time that does not exist: the clocks went forward"),
    Dirt::new("V10", "warn", "created_at", "a local time that occurred twice: the clocks went back"),
];

/// Column, value, what is wrong with it.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("short", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("long", "", Dirt::new("V00", "quarantine", "", "the line has more fields than the header")),
    ("sku", "", Dirt::new("V01", "reject", "sku", "no article")),
    ("qty", "two", Dirt::new("V01", "reject", "quantity", "not a number")),
    ("price", "", Dirt::new("V01", "reject", "unit_price", "no price")),
    ("price", "12.345678", Dirt::new("V01", "reject", "unit_price", "more decimals than money has")),
    ("sold_at", "2025-02-30 10:00:00", Dirt::new("V01", "reject", "created_at", "no such day")),
    ("kind", "Z", Dirt::new("V01", "reject", "line_type", "not a kind of line")),
    ("currency", "POUND", Dirt::new("V02", "reject", "currency", "not an ISO currency")),
    ("qty", "-1", Dirt::new("V03", "quarantine", "quantity", "a negative quantity is a return, not a sale")),
    ("price", "-5.00", Dirt::new("V03", "quarantine", "unit_price", "a negative price")),
    ("sold_at", "2099-12-31 10:00:00", Dirt::new("V09", "reject", "event_time", "sold long after the file was written")),
    ("sold_at", "1999-03-18 10:00:00", Dirt::new("V09", "reject", "event_time", "sold before 2000")),
    ("member", "jo.bloggs@example.com", Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
    ("cashier", "E998", Dirt::new("V19", "quarantine", "sales_rep_id", "same ticket line and version, other cashier").of("pos-same-file")),
    ("cashier", "E999", Dirt::new("V19", "quarantine", "sales_rep_id", "same ticket line and version, other cashier").of("pos-later")),
    ("cost", "99999.0000", Dirt::new("V13", "warn", "unit_cost", "a cost of more than five prices")),
    ("store", "S999", Dirt::new("V12", "warn", "location_id", "a shop that the location list does not have")),
    ("sku", "999001", Dirt::new("V12", "warn", "product_id", "an article that the product master does not have")),
    ("member", "C9999999", Dirt::new("V12", "warn", "customer_key", "a customer that the customer list does not have")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dirty_fields_are_columns() {
        assert_eq!(DIRTY_DAY, day(2025, 3, 18));
        for (column, ..) in DIRT {
            assert!(["short", "long"].contains(column) || HEADER.split(';').any(|c| c == *column), "{column}");
        }
    }
}
