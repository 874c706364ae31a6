//! The ERP's export: telesales and wholesale, typed Parquet, prices without tax, with credit notes and charges.

use std::path::Path;

use super::catalogue::{CASE, Currency, ItemType, Tax};
use super::days::{DAY, DAYS, Day, FIRST, LAST, Seconds, Zone, quarter_name};
use super::dice::Dice;
use super::erp_row::{Row, batch, schema};
use super::order::{Basket, Order};
use super::out::{Dirt, Ledger, Pages, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::words::REGIONS;
use crate::error::Result;

/// Rows gathered before they are written.
const ROWS: usize = 8192;

struct Erp<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    pages: Pages,
    /// Credit notes and newer versions by the day on which they are told.
    later: Vec<Vec<(Row, Why)>>,
    rows: Vec<Row>,
    why: Vec<Why>,
    next: u64,
    next_note: u64,
}

/// Writes the ERP's documents; `mirrored` are orders of the European marketplace that it has too.
pub fn write(retailer: &Retailer, landing: &Path, mirrored: &[Order], progress: &(dyn Fn(u64) + Sync)) -> Result<Ledger> {
    // 11 % of the lines: telesales 2 lines a document, wholesale 6.
    let calls = retailer.lines * 30 / 2000;
    let wholesale = retailer.lines * 80 / 6000;
    let mut erp = Erp {
        retailer, next: 1, next_note: 1, rows: Vec::new(), why: Vec::new(),
        dice: Dice::new(retailer.seed, "erp"),
        pages: Pages::new(landing, schema()),
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
            erp.mirror(&mut ledger, order)?;
        }
        for (row, why) in std::mem::take(&mut erp.later[(date - FIRST) as usize]) {
            erp.put(&mut ledger, row, why)?;
        }
        if date == DIRTY_DAY {
            erp.dirty(&mut ledger, date)?;
        }
        progress(calls * 2 + wholesale * 6);
    }
    erp.flush(&mut ledger)?;
    erp.pages.close(&mut ledger)?;
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

    /// What all rows of a document share.
    fn head(&mut self, date: Day, call: bool) -> Row {
        let retailer = self.retailer;
        let dice = &mut self.dice;
        let (customer, ship) = if call {
            let consumer = retailer.consumer(dice, date);
            let mut key = Vec::new();
            super::push_consumer(&mut key, consumer);
            (String::from_utf8_lossy(&key).into_owned(), retailer.home(consumer))
        } else {
            let business = dice.skewed(retailer.businesses);
            (business_key(business), business_home(business))
        };
        let german = REGIONS[ship].country == "DE";
        let zone = if german { Zone::Berlin } else { Zone::London };
        let created = zone.utc(date * DAY + dice.between(8 * 3600, 17 * 3600));
        let bill = if !call && dice.chance(1500) { if german { 5 } else { 0 } } else { ship };
        let mut row = Row {
            record_type: "L",
            doc_no: format!("E{:07}", self.next),
            doc_version: 1,
            order_type: Some(if call { "TA" } else { "B2" }),
            channel: Some(if call { "TEL" } else { "B2B" }),
            status: Some(60),
            company: Some(if german { "DE01" } else { "UK01" }),
            created_at: Some(created),
            rep: Some(format!("R{:02}", dice.between(1, 12))),
            customer_no: Some(customer),
            ship_region: Some(REGIONS[ship].id),
            bill_region: Some(REGIONS[bill].id),
            currency: Some(if german { "EUR" } else { "GBP" }),
            is_test: Some(dice.chance(30)),
            is_staff: Some(call && dice.chance(100)),
            fulfil_place: Some(if german { "W02" } else { "W01" }),
            ..Row::default()
        };
        self.next += 1;
        if !call {
            // Some is sold to distributors, some is what distributors tell that they sold; some is no order.
            match dice.below(100) {
                0..=7 => (row.order_type, row.flow) = (Some("WS"), Some("IN")),
                8..=12 => (row.order_type, row.flow) = (Some("WS"), Some("OUT")),
                13..=15 => row.order_type = Some("QT"),
                16 => row.order_type = Some("IN"),
                _ => {}
            }
        }
        self.progress(&mut row, created, zone, call);
        row
    }

    /// How far the document has come by the last day.
    fn progress(&mut self, row: &mut Row, created: Seconds, zone: Zone, call: bool) {
        let dice = &mut self.dice;
        let end = zone.utc(LAST * DAY + 18 * 3600);
        let confirmed = created + if call { dice.between(0, 600) } else { dice.between(0, 2) * DAY + dice.between(0, 3000) };
        let paid = confirmed + if call { dice.between(60, 600) } else { dice.between(14 * DAY, 45 * DAY) };
        if confirmed > end || dice.chance(200) {
            row.status = Some(10);
            return;
        }
        row.confirmed_at = Some(confirmed);
        if dice.chance(250) {
            let at = confirmed + dice.between(DAY, 9 * DAY);
            if at <= end {
                (row.status, row.cancelled_at) = (Some(90), Some(at));
                return;
            }
        }
        row.paid_at = (paid <= end).then_some(paid);
        row.status = Some(match ((end - confirmed) / DAY, row.paid_at) {
            (0..=2, _) => 20,
            (3..=5, _) => 40,
            (_, None) => 50,
            _ => 60,
        });
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
        if !self.tell(ledger, &rows, date)? && head.status == Some(60) && head.order_type != Some("QT") {
            for row in rows.iter().filter(|r| r.record_type == "L") {
                self.credit(ledger, row, date);
            }
        }
        Ok(())
    }

    /// A line at the net price; wholesale sells most things by the case, at a discount.
    fn line(&mut self, head: &Row, no: i32, date: Day, call: bool, german: bool) -> Row {
        let (currency, tax) = if german { (Currency::Eur, Tax::Germany) } else { (Currency::Gbp, Tax::Britain) };
        let retailer = self.retailer;
        let basket = Basket { retailer, currency, tax, place: None, date };
        let mut order = Order::new(0, 0, currency);
        basket.add(&mut self.dice, &mut order);
        let line = order.lines.swap_remove(0);
        let weighed = retailer.catalogue.items[line.item].kind == ItemType::Weighed;
        let case = !call && !weighed && self.dice.chance(8000);
        let quantity = if call { line.quantity } else { 1000 * self.dice.between(1, if case { 8 } else { 40 }) };
        // Net price in whole cents, so that price × quantity needs no rounding.
        let net = line.price * 10_000 / (10_000 + line.tax);
        let price = if call { net } else { net * 62 / 100 } * if case { CASE } else { 1 } * 100;
        let gross = price * quantity / 1000;
        let discount = if call && line.discount > 0 { gross / 10 } else { 0 };
        Row {
            line_no: no,
            sku: Some(retailer.catalogue.items[line.item].sku.clone()),
            uom: Some(if case { "CS" } else if weighed { "KGM" } else { "EA" }),
            quantity: Some(quantity),
            base_quantity: Some(if case { quantity * CASE } else { quantity }),
            unit_price: Some(price),
            line_discount: Some(discount),
            order_discount: Some(0),
            net_amount: Some(gross - discount),
            tax_rate: Some(line.tax),
            unit_cost: Some(line.cost),
            line_status: Some("A"),
            ..head.clone()
        }
    }

    /// Writes a document, and keeps for later what is told again; true when it will be changed.
    fn tell(&mut self, ledger: &mut Ledger, rows: &[Row], date: Day) -> Result<bool> {
        ledger.counts.orders += 1;
        let fate = self.dice.below(1000);
        let later = date + 1 + self.dice.skewed(30) as i64;
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

    /// Now and then some of a line comes back: a credit note, in stock units.
    fn credit(&mut self, ledger: &mut Ledger, sold: &Row, date: Day) {
        let (Some(base), Some(net), Some(rate)) = (sold.base_quantity, sold.net_amount, sold.tax_rate) else { return };
        if base % 1000 != 0 || !self.dice.chance(250) {
            return;
        }
        let quantity = 1000 * self.dice.between(1, base / 1000);
        let day = date + 3 + self.dice.skewed(40) as i64;
        let at = day * DAY + self.dice.between(9 * 3600, 15 * 3600);
        let refund = net * quantity / base;
        let restock = *self.dice.pick(&["STOCK", "STOCK", "DAMAGED", "NONE"]);
        let note = Row {
            record_type: "R",
            doc_no: format!("N{:06}", self.next_note),
            line_no: 1,
            ref_doc_no: Some(sold.doc_no.clone()),
            ref_line_no: Some(sold.line_no),
            quantity: Some(quantity),
            refund_net: Some(refund),
            refund_tax: Some((refund * rate + 5000) / 10_000),
            requested_at: Some(at - 2 * DAY),
            refunded_at: Some(at),
            reason: Some(*self.dice.pick(&["damaged", "overdelivered", "wrong_item", "unknown"])),
            restock: Some(restock),
            stock_cost: Some(if restock == "STOCK" { sold.unit_cost.unwrap_or(0) * quantity / 1000 } else { 0 }),
            channel: sold.channel,
            company: sold.company,
            flow: sold.flow,
            currency: sold.currency,
            sku: sold.sku.clone(),
            customer_no: sold.customer_no.clone(),
            is_test: sold.is_test,
            is_staff: sold.is_staff,
            fulfil_place: sold.fulfil_place,
            doc_version: 1,
            ..Row::default()
        };
        self.next_note += 1;
        if day <= LAST {
            ledger.counts.return_lines += 1;
            self.keep(day, note, Why::First);
        }
    }

    /// The copy of a marketplace order, at net prices; it does not count, the marketplace's own report does.
    fn mirror(&mut self, ledger: &mut Ledger, order: &Order) -> Result<()> {
        let created = Zone::Berlin.utc(order.made);
        let mut head = Row {
            record_type: "L",
            doc_no: format!("E{:07}", self.next),
            doc_version: 1,
            order_type: Some("TA"),
            channel: Some("MKT"),
            status: Some(60),
            company: Some("DE01"),
            created_at: Some(created),
            confirmed_at: Some(created),
            paid_at: order.paid.map(|at| Zone::Berlin.utc(at)),
            ship_region: Some(REGIONS[order.ship].id),
            bill_region: Some(REGIONS[order.bill].id),
            currency: Some("EUR"),
            is_test: Some(false),
            is_staff: Some(order.staff),
            origin_order: Some(format!("market_eu:M{:07}", order.no)),
            fulfil_place: Some("W02"),
            ..Row::default()
        };
        head.status = Some(if head.paid_at.is_some() { 60 } else { 20 });
        self.next += 1;
        ledger.counts.orders += 1;
        for line in &order.lines {
            let without = |cents: i64| (cents * 1_000_000 + (10_000 + line.tax) / 2) / (10_000 + line.tax);
            let price = without(line.price);
            let discount = without(line.discount + line.share);
            let gross = (price * line.quantity + 500) / 1000;
            let row = Row {
                line_no: line.no as i32,
                sku: Some(self.retailer.catalogue.items[line.item].sku.clone()),
                uom: Some(if line.quantity % 1000 == 0 { "EA" } else { "KGM" }),
                quantity: Some(line.quantity),
                base_quantity: Some(line.quantity),
                unit_price: Some(price),
                line_discount: Some(discount),
                order_discount: Some(0),
                net_amount: Some(gross - discount),
                tax_rate: Some(line.tax),
                unit_cost: Some(line.cost),
                line_status: Some("A"),
                ..head.clone()
            };
            ledger.counts.order_lines += 1;
            self.put(ledger, row, Why::First)?;
        }
        Ok(())
    }

    fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (spoil, dirt) in DIRT {
            let mut head = self.head(date, true);
            head = Row { status: Some(60), confirmed_at: head.created_at, paid_at: head.created_at, cancelled_at: None, is_test: Some(false),
                currency: Some("GBP"), company: Some("UK01"), ..head };
            let mut row = self.line(&head, 1, date, true, false);
            row.tax_rate = Some(2000);
            if dirt.field.starts_with("refund") {
                row = Row { record_type: "R", ref_doc_no: Some("E0000001".into()), ref_line_no: Some(1), refund_net: Some(100_000),
                    refund_tax: Some(20_000), refunded_at: row.created_at, doc_no: format!("N9{:05}", self.next), ..row };
            }
            if !dirt.pair.is_empty() {
                self.put(ledger, row.clone(), Why::Dirty(dirt))?;
            }
            spoil(&mut row);
            if dirt.lands() || !dirt.pair.is_empty() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
            }
            self.put(ledger, row, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

fn charge(head: &Row, kind: &'static str, amount: i64, before: usize) -> Row {
    Row { record_type: "C", line_no: before as i32 + 1, charge_type: Some(kind), charge_amount: Some(amount), ..head.clone() }
}

/// Spreads a discount of `amount` ten-thousandths over the lines, whole cents, by largest remainder, ties by line number.
fn share(rows: &mut [Row], amount: i64) {
    let base: i64 = rows.iter().filter_map(|r| r.net_amount).sum();
    let cents = (amount / 100).min(base / 100 / 2);
    if cents <= 0 {
        return;
    }
    let mut left = cents;
    let mut rests = Vec::new();
    for (i, row) in rows.iter_mut().enumerate() {
        let exact = cents * row.net_amount.unwrap_or(0);
        row.order_discount = Some(exact / base * 100);
        left -= exact / base;
        rests.push((-(exact % base), i));
    }
    rests.sort_unstable();
    for (k, (_, i)) in rests.into_iter().enumerate() {
        let row = &mut rows[i];
        let extra = if (k as i64) < left { 100 } else { 0 };
        row.order_discount = row.order_discount.map(|d| d + extra);
        row.net_amount = row.net_amount.map(|n| n - row.order_discount.unwrap_or(0));
    }
}

/// "B00012".
pub fn business_key(business: usize) -> String {
    format!("B{business:05}")
}

/// Where a business is: an index into [`REGIONS`].
pub fn business_home(business: usize) -> usize {
    [0, 1, 2, 4, 0, 5, 3, 1, 4, 2][business % 10]
}

/// 2025-09-16.
const DIRTY_DAY: Day = 20_347;

type Spoil = fn(&mut Row);

const DIRT: &[(Spoil, Dirt)] = &[
    (|r| r.record_type = "X", Dirt::new("V00", "quarantine", "", "a type of record that nothing takes")),
    (|r| r.sku = None, Dirt::new("V01", "reject", "sku", "no article")),
    (|r| r.created_at = None, Dirt::new("V01", "reject", "created_at", "no instant")),
    (|r| r.flow = Some("SIDEWAYS"), Dirt::new("V01", "reject", "flow", "not a flow")),
    (|r| r.quantity = Some(0), Dirt::new("V03", "quarantine", "quantity", "nothing was sold")),
    (|r| r.net_amount = r.net_amount.map(|n| n + 123_400), Dirt::new("V04", "quarantine", "net_amount", "net is not gross less discounts")),
    (|r| r.net_amount = r.net_amount.map(|n| n - 200), Dirt::new("V04", "quarantine", "net_amount", "net is two cents off")),
    (|r| r.currency = Some("USD"), Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    (|r| r.currency = Some("CHF"), Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    (|r| r.rep = Some("R99".into()), Dirt::new("V19", "quarantine", "sales_rep_id", "same document line and version, other representative").of("erp-same-file")),
    (|r| r.customer_no = Some("lee@example.com".into()), Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
    (|r| r.unit_cost = Some(99_999_0000), Dirt::new("V13", "warn", "unit_cost", "a cost of more than five prices")),
    (|r| r.customer_no = Some("B99999".into()), Dirt::new("V12", "warn", "customer_key", "a customer that the customer list does not have")),
    (|r| r.refund_net = Some(-100_000), Dirt::new("V03", "quarantine", "refund_net_amount", "a refund is given as a positive amount")),
    (|r| r.refunded_at = None, Dirt::new("V01", "reject", "refunded_at", "a return without any instant")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_is_spread_to_the_cent() {
        assert_eq!(DIRTY_DAY, super::super::days::day(2025, 9, 16));
        let row = |net| Row { net_amount: Some(net), order_discount: Some(0), ..Row::default() };
        let mut rows = [row(99_900), row(99_900), row(99_900)];
        share(&mut rows, 50_000);
        assert_eq!(rows.iter().filter_map(|r| r.order_discount).sum::<i64>(), 50_000);
        assert_eq!(rows[0].order_discount, Some(16_700));
        assert_eq!(rows[1].net_amount, Some(99_900 - 16_700));
        assert_eq!(rows[2].order_discount, Some(16_600));
    }
}
