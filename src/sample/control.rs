//! Control totals: what the tills and the German marketplace say they sent per business day, counted while their records are
//! written. It draws from dice of its own, so that no other file changes, and it must not know how records are written.
//!
//! A few totals are wrong on purpose, so that a reconciliation has something to find: left out, of a day without sales, a
//! pound or euro amount too high, an order and line too many. What `dirt.csv` holds back was sold, so it is counted.

use std::collections::BTreeMap;
use std::path::Path;

use super::catalogue::Currency;
use super::days::{DAY, Day, LAST, push_date, push_german, quarter_name};
use super::dice::Dice;
use super::order::{Line, Order, without_tax};
use super::out::{Ledger, Sheet, Why};
use super::retailer::Retailer;
use super::text::{push_decimal, push_int};
use crate::error::Result;

/// The first day that is totalled: 2025-03-01.
pub const SINCE: Day = 20_148;

/// What was sold on a day, in a place, in a currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    orders: i64,
    lines: i64,
    /// Thousandths.
    units: i64,
    /// Price × quantity without tax and before discounts, rounded line by line, ten-thousandths.
    gross: i64,
    /// With tax and after discounts, ten-thousandths.
    total: i64,
}

/// Days, places and currencies with what was sold.
#[derive(Debug, Default)]
pub struct Totals(BTreeMap<(Day, usize, &'static str), Sums>);

/// Who totals, and how it looks.
pub struct Layout<'a> {
    /// Below `control/`, in front of the quarter; also the name of the dice.
    pub name: &'a str,
    pub header: &'a str,
    /// The places that total, and the currency of a day without sales. A platform has one place, of no meaning.
    pub places: &'a [(usize, Currency)],
    /// So many of a thousand totals are wrong in each way.
    pub wrong: u64,
    row: fn(&mut Vec<u8>, &Retailer, Entry),
}

struct Entry {
    day: Day,
    place: usize,
    currency: &'static str,
    sums: Sums,
}

impl<'a> Layout<'a> {
    /// The tills' of one country.
    pub fn tills(name: &'a str, places: &'a [(usize, Currency)]) -> Layout<'a> {
        Layout { name, header: "store;zone;day;tickets;lines;units;total;currency", places, wrong: 1, row: till }
    }
    /// The German marketplace's.
    pub fn platform(name: &'a str) -> Layout<'a> {
        let header = "Tag;Bestellungen;Positionen;Menge;Warenwert netto;Summe;Währung";
        Layout { name, header, places: &[(0, Currency::Eur)], wrong: 8, row: platform }
    }
}

impl Totals {
    /// Counts an order on its business day; of lines that were corrected later, one more was sold in the end.
    pub fn add(&mut self, day: Day, order: &Order, corrected: impl Fn(&Line) -> bool) {
        if day < SINCE {
            return;
        }
        let sums = self.0.entry((day, order.place, order.currency.code())).or_default();
        sums.orders += 1;
        for line in &order.lines {
            let quantity = line.quantity + if corrected(line) { 1000 } else { 0 };
            // Cents × thousandths.
            let full = line.price * quantity;
            sums.lines += 1;
            sums.units += quantity;
            sums.gross += without_tax(full, line.tax);
            sums.total += (full - (line.discount + line.share) * 1000) / 10;
        }
    }

    /// Writes the totals, a file per quarter, the first one readable.
    pub fn write(
        &self,
        retailer: &Retailer,
        landing: &Path,
        level: u32,
        layout: &Layout<'_>,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let mut dice = Dice::new(retailer.seed, &format!("control_{}", layout.name));
        let mut sheet = Sheet::new(landing, "csv", layout.header, level);
        let mut record = Vec::new();
        for day in SINCE..=LAST {
            let stem = format!("control/{}_{}", layout.name, quarter_name(day));
            sheet.open(ledger, &stem, day < SINCE + 31)?;
            for &(place, currency) in layout.places {
                let fate = dice.below(1000);
                for (currency, sums) in self.told(day, place, currency, fate, layout.wrong) {
                    record.clear();
                    (layout.row)(&mut record, retailer, Entry { day, place, currency, sums });
                    sheet.put(ledger, &record, Why::First)?;
                }
            }
        }
        sheet.close(ledger)
    }

    /// What is said of a day and place: the truth, unless `fate` has it otherwise.
    fn told(&self, day: Day, place: usize, usual: Currency, fate: u64, wrong: u64) -> Vec<(&'static str, Sums)> {
        let known = self.0.range((day, place, "")..(day, place + 1, ""));
        let mut told: Vec<_> = known.map(|((_, _, currency), sums)| (*currency, *sums)).collect();
        let way = fate / wrong;
        match (told.first_mut(), way) {
            (Some(_), 0) => told.clear(),
            (Some((_, sums)), 1) => sums.total += 100_000,
            (Some((_, sums)), 2) => {
                sums.orders += 1;
                sums.lines += 1;
            }
            (None, 0 | 1) => {
                let sums = Sums { orders: 2, lines: 3, units: 3000, gross: 399_160, total: 475_000 };
                told.push((usual.code(), sums));
            }
            _ => {}
        }
        told
    }
}

fn till(out: &mut Vec<u8>, retailer: &Retailer, entry: Entry) {
    let place = &retailer.places[entry.place];
    for field in [place.id.as_str(), place.zone().name()] {
        out.extend_from_slice(field.as_bytes());
        out.push(b';');
    }
    push_date(out, entry.day);
    for n in [entry.sums.orders, entry.sums.lines] {
        out.push(b';');
        push_int(out, n);
    }
    for (n, scale) in [(entry.sums.units, 3), (entry.sums.total, 4)] {
        out.push(b';');
        push_decimal(out, n, scale, b'.');
    }
    out.push(b';');
    out.extend_from_slice(entry.currency.as_bytes());
    out.push(b'\n');
}

fn platform(out: &mut Vec<u8>, _: &Retailer, entry: Entry) {
    push_german(out, entry.day * DAY);
    // The day without its midnight.
    out.truncate(10);
    for n in [entry.sums.orders, entry.sums.lines] {
        out.push(b';');
        push_int(out, n);
    }
    for (n, scale) in [(entry.sums.units, 3), (entry.sums.gross, 4), (entry.sums.total, 4)] {
        out.push(b';');
        push_decimal(out, n, scale, b',');
    }
    out.push(b';');
    out.extend_from_slice(entry.currency.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::days::day;
    use super::super::order::LineKind;
    use super::*;

    /// Two of 2.50 at 20 %, 0.30 off.
    fn order() -> Order {
        let mut order = Order::new(1, SINCE * DAY, Currency::Gbp);
        let (price, quantity, discount, share, tax) = (250, 2000, 20, 10, 2000);
        let kind = LineKind::Product;
        order.lines.push(Line {
            no: 1,
            item: 0,
            kind,
            quantity,
            price,
            discount,
            share,
            tax,
            cost: 0,
            parent: None,
            removed: false,
        });
        order
    }

    #[test]
    fn the_first_day_is_in_march() {
        assert_eq!(SINCE, day(2025, 3, 1));
    }

    #[test]
    fn a_day_is_added_up() {
        let mut totals = Totals::default();
        totals.add(SINCE, &order(), |_| false);
        totals.add(SINCE, &order(), |_| true);
        totals.add(SINCE - 1, &order(), |_| false);
        // 5.00 and 7.50 with 20 % tax are 4.1667 and 6.25 without.
        let sums = Sums { orders: 2, lines: 2, units: 5000, gross: 41_667 + 62_500, total: 47_000 + 72_000 };
        assert_eq!(totals.told(SINCE, 0, Currency::Gbp, 999, 1), [("GBP", sums)]);
        assert_eq!(totals.told(SINCE, 1, Currency::Gbp, 999, 1), []);
    }

    #[test]
    fn totals_are_wrong_in_each_way() {
        let mut totals = Totals::default();
        totals.add(SINCE, &order(), |_| false);
        let told = |place, fate| totals.told(SINCE, place, Currency::Eur, fate, 8);
        assert_eq!(told(0, 7), []);
        assert_eq!(told(0, 8)[0].1.total, 147_000);
        assert_eq!((told(0, 23)[0].1.orders, told(0, 23)[0].1.lines), (2, 2));
        assert_eq!(told(0, 24)[0].1.orders, 1);
        assert_eq!(told(1, 15)[0].0, "EUR");
        assert_eq!(told(1, 16), []);
    }
}
