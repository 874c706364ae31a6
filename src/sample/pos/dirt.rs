//! The tickets that are wrong on purpose, and those of the nights when the clocks change.

use super::super::catalogue::Currency;
use super::super::days::{DAY, Day, day};
use super::super::order::{LineKind, Order};
use super::super::out::{Dirt, Ledger, Why};
use super::super::text::with_field;
use super::Pos;
use super::row::HEADER;
use crate::error::Result;

impl Pos<'_> {
    /// On the nights when the clocks change, the shop at night sells at a time that does not exist, or occurs twice.
    pub(super) fn clock_change(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let hour = if self.german { 2 } else { 1 };
        for (change, dirt) in [(day(2025, 3, 30), &CLOCK[0]), (day(2025, 10, 26), &CLOCK[1])] {
            let night = self.shops.iter().copied().find(|s| self.retailer.places[*s].night);
            if let (true, Some(place)) = (date + 1 == change, night) {
                let mut order = self.single(date, place);
                order.made = change * DAY + hour * 3600 + 1800;
                self.totals.add(self.business_day(&order), &order, |_| false);
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

    pub(super) fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        if self.german {
            return Ok(());
        }
        for (column, value, dirt) in DIRT {
            let place = self
                .shops
                .iter()
                .copied()
                .find(|s| self.retailer.places[*s].open_on(date) && !self.retailer.places[*s].night);
            let order = self.single(date, place.unwrap_or(self.shops[0]));
            debug_assert_eq!(order.currency, Currency::Gbp);
            self.totals.add(self.business_day(&order), &order, |_| false);
            self.row(&order, &order.lines[0]);
            let record = match *column {
                "short" => [&self.scratch[..70], b"\n"].concat(),
                "long" => [&self.scratch[..self.scratch.len() - 1], b";;extra\n"].concat(),
                name => with_field(&self.scratch, b';', HEADER.split(';').position(|n| n == name).unwrap_or(0), value),
            };
            if !dirt.pair.is_empty() {
                // The same ticket and version, another word for the unit: which of the two stays is the hash's to say.
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
pub(super) const DIRTY_DAY: Day = 20_165;

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
    (
        "sold_at",
        "2099-12-31 10:00:00",
        Dirt::new("V09", "reject", "event_time", "sold long after the file was written"),
    ),
    ("sold_at", "1999-03-18 10:00:00", Dirt::new("V09", "reject", "event_time", "sold before 2000")),
    (
        "member",
        "jo.bloggs@example.com",
        Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer"),
    ),
    (
        "uom",
        "H87",
        Dirt::new("V19", "quarantine", "row_key", "same ticket line and version, other unit").of("pos-same-file"),
    ),
    (
        "uom",
        "C62",
        Dirt::new("V19", "quarantine", "row_key", "same ticket line and version, other unit").of("pos-later"),
    ),
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
