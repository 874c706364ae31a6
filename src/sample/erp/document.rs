//! The parts of a document: what its rows share, its lines and charges.

use super::super::catalogue::{CASE, Currency, ItemType, Tax};
use super::super::days::{DAY, Day, LAST, Seconds, Zone};
use super::super::order::{Basket, Order};
use super::super::push_consumer;
use super::super::words::REGIONS;
use super::Erp;
use super::row::Row;

impl Erp<'_> {
    /// What all rows of a document share.
    pub(super) fn head(&mut self, date: Day, call: bool) -> Row {
        let retailer = self.retailer;
        let dice = &mut self.dice;
        let (customer, ship) = if call {
            let consumer = retailer.consumer(dice, date);
            let mut key = Vec::new();
            push_consumer(&mut key, consumer);
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
        let confirmed =
            created + if call { dice.between(0, 600) } else { dice.between(0, 2) * DAY + dice.between(0, 3000) };
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

    /// A line at the net price; wholesale sells most things by the case, at a discount.
    pub(super) fn line(&mut self, head: &Row, no: i32, date: Day, call: bool, german: bool) -> Row {
        let (currency, tax) = if german { (Currency::Eur, Tax::Germany) } else { (Currency::Gbp, Tax::Britain) };
        let retailer = self.retailer;
        let basket = Basket { retailer, currency, tax, place: None, date };
        let mut order = Order::new(0, 0, currency);
        basket.add(&mut self.dice, &mut order);
        let line = order.lines.swap_remove(0);
        let weighed = retailer.catalogue.items[line.item].kind == ItemType::Weighed;
        let case = !call && !weighed && self.dice.chance(8000);
        let quantity = if call { line.quantity } else { 1000 * self.dice.between(1, if case { 3 } else { 12 }) };
        // Net price in whole cents, so that price × quantity needs no rounding.
        let net = line.price * 10_000 / (10_000 + line.tax);
        let price = if call { net } else { net * 62 / 100 } * if case { CASE } else { 1 } * 100;
        let gross = price * quantity / 1000;
        let discount = match call {
            true if line.discount > 0 => gross / 10,
            false if self.dice.chance(2000) => gross / 20,
            _ => 0,
        };
        Row {
            line_no: no,
            sku: Some(retailer.catalogue.items[line.item].sku.clone()),
            uom: Some(if case {
                "CS"
            } else if weighed {
                "KGM"
            } else {
                "EA"
            }),
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
}

pub(super) fn charge(head: &Row, kind: &'static str, amount: i64, before: usize) -> Row {
    Row {
        record_type: "C",
        line_no: before as i32 + 1,
        charge_type: Some(kind),
        charge_amount: Some(amount),
        ..head.clone()
    }
}

/// Spreads a discount of `amount` ten-thousandths over the lines, whole cents, by largest remainder, ties by line number.
pub(super) fn share(rows: &mut [Row], amount: i64) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_is_spread_to_the_cent() {
        let row = |net| Row { net_amount: Some(net), order_discount: Some(0), ..Row::default() };
        let mut rows = [row(99_900), row(99_900), row(99_900)];
        share(&mut rows, 50_000);
        assert_eq!(rows.iter().filter_map(|r| r.order_discount).sum::<i64>(), 50_000);
        assert_eq!(rows[0].order_discount, Some(16_700));
        assert_eq!(rows[1].net_amount, Some(99_900 - 16_700));
        assert_eq!(rows[2].order_discount, Some(16_600));
    }
}
