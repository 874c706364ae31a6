//! The web shop's NDJSON: one order per line with its lines and charges inside, instants in RFC 3339, prices with tax.

use std::path::Path;

use super::again::Again;
use super::catalogue::{Currency, ItemType, Tax};
use super::days::{DAY, Day, FIRST, LAST, Seconds, Zone, month_name, push_rfc3339, settled};
use super::dice::Dice;
use super::events::Events;
use super::order::{Basket, ChargeKind, Line, LineKind, Order, Status};
use super::out::{Dirt, Ledger, Sheet, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::returns::Returns;
use super::text::{push_cents, push_decimal, push_digits, push_int, push_short, with_text};
use super::words::REGIONS;
use crate::error::Result;

pub const CHANNELS: [&str; 3] = ["web", "app", "live"];

struct Web<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    sheet: Sheet,
    returns: Returns,
    events: Events<'a>,
    again: Again,
    next: u64,
}

/// Writes the orders of web shop, app and live stream, what comes back of them, and what visitors did.
pub fn write(retailer: &Retailer, landing: &Path, level: u32, progress: &(dyn Fn(u64) + Sync)) -> Result<Ledger> {
    // 25 % of the lines, 2.4 in an order.
    let orders = retailer.lines * 250 / 2400;
    let mut web = Web {
        retailer,
        dice: Dice::new(retailer.seed, "web"),
        sheet: Sheet::new(landing, "ndjson", "", level),
        returns: Returns::new(landing, level, "web", "web", 'W', 900),
        events: Events::new(retailer, landing, level),
        again: Again::new(),
        next: 1,
    };
    let mut ledger = Ledger::default();
    for (date, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Online, orders)) {
        web.day(&mut ledger, date, n)?;
        progress(n * 24 / 10);
    }
    web.sheet.close(&mut ledger)?;
    web.returns.close(&mut ledger)?;
    web.events.close(&mut ledger)?;
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
            }
        }
        self.events.browsed(ledger, date, orders)?;
        self.returns.day(ledger, self.retailer, &mut self.dice, date)?;
        self.again.day(ledger, &mut self.sheet, date)?;
        if date == DIRTY_DAY {
            self.dirty(ledger, date)?;
        }
        Ok(())
    }

    fn made(&mut self, date: Day) -> Seconds {
        // Most in the evening, some at any hour; never so late that London has the next day.
        let second = if self.dice.chance(7000) { self.dice.between(16 * 3600, DAY - 60) } else { self.dice.between(0, DAY - 60) };
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
    fn tell(&mut self, ledger: &mut Ledger, order: &Order, channel: usize, session: Option<u64>, date: Day) -> Result<bool> {
        let mut record = Vec::with_capacity(900);
        let note = self.dice.chance(100).then(|| *self.dice.pick(&["Please leave with the neighbour", "Gift, no invoice", "Ring twice"]));
        let seen = Seen { retailer: self.retailer, channel: CHANNELS[channel], session, note };
        seen.push(&mut record, order);
        self.sheet.put(ledger, &record, Why::First)?;
        ledger.counts.orders += 1;
        ledger.counts.order_lines += order.lines.len() as u64;
        ledger.counts.order_charges += order.charges.len() as u64;
        // 0.5 % are edited, 0.5 % cancelled late, 0.6 % told again.
        let later = date + 1 + self.dice.skewed(15) as i64;
        let live = !matches!(order.status, Status::Created | Status::Cancelled);
        let fate = self.dice.below(1000);
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
            }
            5..=9 if live => {
                let mut cancelled = order.clone();
                (cancelled.version, cancelled.status) = (2, Status::Cancelled);
                cancelled.cancelled = Some(later * DAY + 10 * 3600);
                let mut record = Vec::with_capacity(900);
                seen.push(&mut record, &cancelled);
                self.again.keep(later, record, Why::Revision);
            }
            10..=15 => self.again.keep(later, record, Why::Repeat),
            _ => {}
        }
        Ok(fate > 9)
    }

    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (old, new, dirt) in DIRT {
            let mut order = Order::new(self.next, date * DAY + 12 * 3600, Currency::Gbp);
            self.next += 1;
            order.version = 1;
            let basket = Basket { retailer: self.retailer, currency: Currency::Gbp, tax: Tax::Britain, place: None, date };
            order.lines.push(basket.line(1, self.retailer.catalogue.ranked(self.next as usize % 20), LineKind::Product, 1000));
            order.charges.push((ChargeKind::Shipping, 329));
            let mut record = Vec::new();
            let seen = Seen { retailer: self.retailer, channel: "web", session: None, note: Some("Ring twice") };
            seen.push(&mut record, &order);
            let record = match *old {
                "cut" => [&record[..record.len() / 2], b"\n"].concat(),
                "page" => b"<html><body><h1>502 Bad Gateway</h1></body></html>\n".to_vec(),
                "sku" => with_text(&record, &format!("\"sku\":\"{}\"", self.retailer.catalogue.items[order.lines[0].item].sku), new),
                "lines" => cut_lines(&record),
                old => with_text(&record, old, new),
            };
            if dirt.lands() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
                ledger.counts.order_charges += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// The order without its lines and charges: no SELECT takes it.
fn cut_lines(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let head = text.split("\"lines\":").next().unwrap_or_default();
    format!("{head}\"lines\":[],\"charges\":[]}}\n").into_bytes()
}

/// An order as the shop shows it.
struct Seen<'a> {
    retailer: &'a Retailer,
    channel: &'a str,
    session: Option<u64>,
    note: Option<&'a str>,
}

impl Seen<'_> {
    fn push(&self, out: &mut Vec<u8>, order: &Order) {
        out.extend_from_slice(b"{\"id\":\"W");
        push_digits(out, order.no, 7);
        out.extend_from_slice(b"\",\"rev\":");
        push_int(out, order.version);
        text(out, "channel", self.channel);
        text(out, "type", "sale");
        text(out, "status", match order.status {
            Status::Created => "created",
            Status::Confirmed => "confirmed",
            Status::Paid => "paid",
            Status::Fulfilled => "fulfilled",
            Status::Completed => "completed",
            Status::Cancelled => "cancelled",
        });
        // Germans see their own clock: the same instant, another offset.
        let zone = if order.currency == Currency::Eur { Zone::Berlin } else { Zone::London };
        instant(out, "placed", Some(order.made), zone);
        instant(out, "confirmed", order.confirmed, zone);
        instant(out, "paid", order.paid, zone);
        instant(out, "cancelled", order.cancelled, zone);
        text(out, "currency", order.currency.code());
        out.extend_from_slice(b",\"customer\":{\"key\":");
        match order.customer {
            Some(customer) => {
                out.push(b'"');
                super::push_consumer(out, customer);
                out.extend_from_slice(b"\"}");
            }
            None => out.extend_from_slice(b"null}"),
        }
        if let Some(session) = self.session {
            out.extend_from_slice(b",\"session\":\"");
            super::events::push_session(out, session);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"ship\":{\"region\":\"");
        out.extend_from_slice(REGIONS[order.ship].id.as_bytes());
        out.extend_from_slice(b"\"},\"bill\":{\"region\":\"");
        out.extend_from_slice(REGIONS[order.bill].id.as_bytes());
        out.extend_from_slice(b"\"}");
        out.extend_from_slice(if order.test { b",\"test\":true" } else { b",\"test\":false" });
        out.extend_from_slice(if order.staff { b",\"staff\":true" } else { b",\"staff\":false" });
        if let Some(note) = self.note {
            text(out, "note", note);
        }
        out.extend_from_slice(b",\"lines\":[");
        for (i, line) in order.lines.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.line(out, line);
        }
        out.extend_from_slice(b"],\"charges\":[");
        for (i, (kind, cents)) in order.charges.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"seq\":");
            push_int(out, i as i64 + 1);
            text(out, "type", charge(*kind));
            out.extend_from_slice(b",\"net\":\"");
            push_cents(out, *cents);
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"]}\n");
    }

    fn line(&self, out: &mut Vec<u8>, line: &Line) {
        let item = &self.retailer.catalogue.items[line.item];
        out.extend_from_slice(b"{\"no\":");
        push_int(out, line.no);
        text(out, "type", match line.kind {
            LineKind::Product => "product",
            LineKind::BundleParent => "bundle_parent",
            LineKind::BundleComponent => "bundle_component",
            LineKind::GiftCard => "gift_card",
            LineKind::Service => "service",
            LineKind::Deposit => "deposit",
            LineKind::Fee => "fee",
        });
        text(out, "sku", &item.sku);
        text(out, "uom", if item.kind == ItemType::Weighed { "KGM" } else { "EA" });
        out.extend_from_slice(b",\"vat\":\"");
        push_short(out, line.tax, 4);
        out.extend_from_slice(b"\",\"cost\":\"");
        push_decimal(out, line.cost, 4, b'.');
        out.extend_from_slice(b"\",\"price\":\"");
        push_cents(out, line.price);
        out.extend_from_slice(b"\",\"qty\":\"");
        push_short(out, line.quantity, 3);
        out.extend_from_slice(b"\",\"discount\":\"");
        push_cents(out, line.discount);
        out.extend_from_slice(b"\",\"order_discount\":\"");
        push_cents(out, line.share);
        out.push(b'"');
        if let Some(parent) = line.parent {
            out.extend_from_slice(b",\"parent\":");
            push_int(out, parent);
        }
        if line.removed {
            text(out, "state", "removed");
        }
        out.push(b'}');
    }
}

pub fn charge(kind: ChargeKind) -> &'static str {
    match kind {
        ChargeKind::Shipping => "shipping",
        ChargeKind::ShippingDiscount => "shipping_discount",
        ChargeKind::Tax => "tax",
        ChargeKind::Adjustment => "adjustment",
        ChargeKind::Commission => "platform_commission",
    }
}

/// `,"name":"value"`; the value needs no escapes.
pub fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [",\"", name, "\":\"", value, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// `,"name":"2025-07-09T14:05:22+01:00"`, or null.
fn instant(out: &mut Vec<u8>, name: &str, at: Option<Seconds>, zone: Zone) {
    for part in [",\"", name, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
    match at {
        None => out.extend_from_slice(b"null"),
        Some(at) => {
            out.push(b'"');
            push_rfc3339(out, at, zone);
            out.push(b'"');
        }
    }
}

/// 2025-04-08.
const DIRTY_DAY: Day = 20_186;

/// Text, what stands there instead, what is wrong with that.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("cut", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("page", "", Dirt::new("V00", "quarantine", "", "an error page instead of an order")),
    ("lines", "", Dirt::new("V00", "quarantine", "", "an order without lines and charges: nothing takes it")),
    ("sku", "\"sku\":\"\"", Dirt::new("V11", "reject", "sku", "an empty article number")),
    ("sku", "\"sku\":null", Dirt::new("V01", "reject", "sku", "no article")),
    ("\"status\":\"completed\"", "\"status\":\"teleported\"", Dirt::new("V01", "reject", "order_status", "not a status")),
    ("\"placed\":\"2025-04-08T13:00:00+01:00\"", "\"placed\":null", Dirt::new("V01", "reject", "created_at", "no instant")),
    ("\"placed\":\"2025", "\"placed\":\"yesterday, 2025", Dirt::new("V01", "reject", "created_at", "not an instant")),
    ("\"qty\":\"1\"", "\"qty\":\"-2\"", Dirt::new("V03", "quarantine", "quantity", "a negative quantity")),
    ("\"qty\":\"1\"", "\"qty\":\"2000000\"", Dirt::new("V03", "quarantine", "quantity", "more than a million")),
    ("\"currency\":\"GBP\"", "\"currency\":\"SEK\"", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    ("\"type\":\"shipping\"", "\"type\":\"surprise\"", Dirt::new("V01", "reject", "charge_type", "not a kind of charge")),
    ("Ring twice", "mail me: sam@example.org", Dirt::new("V20", "quarantine", "ext", "an e-mail address in a note")),
    ("\"confirmed\":\"2025", "\"confirmed\":\"2098", Dirt::new("V09", "reject", "event_time", "confirmed long after the file was written")),
    ("\"region\":\"GB-LON\"", "\"region\":\"XX-42\"", Dirt::new("V12", "warn", "ship_region_id", "a region that the list does not have")),
    ("\"channel\":\"web\"", "\"channel\":\"kiosk\"", Dirt::new("V12", "warn", "channel_id", "a channel that the list does not have")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dirty_day_is_what_the_texts_say() {
        assert_eq!(DIRTY_DAY, super::super::days::day(2025, 4, 8));
    }
}
