//! Why lines are reduced: the promotion engine's log, a row per line and reason, as CSV. It is told what the orders hold, so
//! that the rows of a line add up to its discounts, and draws from no dice, so that no other file changes.

use std::path::Path;

use super::again::Again;
use super::days::{DAY, Day, FIRST, LAST, Seconds, push_local, quarter_name};
use super::dice::hash;
use super::offers::{CALL, LOYALTY, code_of, coupon, price_cut, voucher};
use super::order::{Line, Order, without_tax};
use super::out::{Dirt, Ledger, Sheet, Why};
use super::retailer::Retailer;
use super::text::{push_decimal, push_digits, push_int, with_field};
use crate::error::Result;

const HEADER: &str =
    "system,order_id,line,seq,rev,applied_at,zone,day_close,promotion,coupon,type,funded_by,amount,currency";

/// What was sold, as far as a reduction shows it.
#[derive(Debug, Clone, Copy)]
pub struct Sold {
    pub no: u64,
    /// When the order became a sale, else was made, as a clock in `zone` shows it.
    pub at: Seconds,
    pub zone: &'static str,
    pub night: bool,
    pub currency: &'static str,
}

/// Why a line is reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An article of this category costs less.
    Price(usize),
    Staff,
    Loyalty,
    ByHand,
    /// A coupon of the shop, of several.
    Coupon(u64),
    Call,
    Voucher,
}

/// A reduction: line, its number in the line, why, ten-thousandths without tax.
pub type Reduction = (i64, u8, Reason, i64);

/// The reductions of orders of one system.
pub struct Discounts {
    label: &'static str,
    system: &'static str,
    prefix: char,
    sheet: Sheet,
    again: Again,
}

impl Discounts {
    /// Of orders of `system`, whose numbers begin with `prefix`; `label` is in the file's name.
    pub fn new(landing: &Path, level: u32, label: &'static str, system: &'static str, prefix: char) -> Discounts {
        let sheet = Sheet::new(landing, "csv", HEADER, level);
        Discounts { label, system, prefix, sheet, again: Again::new() }
    }

    /// Writes the reductions of an order's lines; some are told twice, late, or first with the wrong reason.
    pub fn tell(
        &mut self,
        ledger: &mut Ledger,
        retailer: &Retailer,
        date: Day,
        sold: &Sold,
        reductions: &[Reduction],
    ) -> Result<()> {
        for reduction in reductions {
            let (line, seq, ..) = *reduction;
            self.open(ledger, date)?;
            ledger.counts.discount_rows += 1;
            let fate = hash(&[retailer.seed, 0xd1, u64::from(self.prefix), sold.no, line as u64, u64::from(seq)]);
            let later = date + 1 + (fate >> 32) as i64 % 12;
            let record = self.record(retailer.seed, date, sold, reduction, 0);
            match if later <= LAST { fate % 1000 } else { 999 } {
                // At first nobody knew the reason.
                0..=3 => {
                    let unknown = (line, seq, Reason::ByHand, reduction.3);
                    let newer = self.record(retailer.seed, date, sold, reduction, 1);
                    let older = self.record(retailer.seed, date, sold, &unknown, 0);
                    self.sheet.put(ledger, &older, Why::First)?;
                    self.again.keep(later, newer, Why::Revision);
                }
                4..=8 => {
                    self.sheet.put(ledger, &record, Why::First)?;
                    self.again.keep(later, record, Why::Repeat);
                }
                9..=14 => self.again.keep(later, record, Why::First),
                _ => self.sheet.put(ledger, &record, Why::First)?,
            }
        }
        Ok(())
    }

    fn open(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let stem = format!("discounts/discounts_{}_{}", self.label, quarter_name(date));
        // The first quarter of the smallest system stays readable.
        self.sheet.open(ledger, &stem, self.system == "erp" && date < FIRST + 92)
    }

    /// Writes what is told again on `date`.
    pub fn day(&mut self, ledger: &mut Ledger, retailer: &Retailer, date: Day) -> Result<()> {
        self.open(ledger, date)?;
        self.again.day(ledger, &mut self.sheet, date)?;
        if self.system == "erp" && date == DIRTY_DAY { self.dirty(ledger, retailer, date) } else { Ok(()) }
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.sheet.close(ledger)
    }

    fn record(&self, seed: u64, date: Day, sold: &Sold, reduction: &Reduction, rev: i64) -> Vec<u8> {
        let (line, seq, reason, amount) = *reduction;
        let (promotion, code, kind, funder) = self.words(seed, date, reason);
        let mut out = Vec::with_capacity(140);
        out.extend_from_slice(self.system.as_bytes());
        out.extend_from_slice(&[b',', self.prefix as u8]);
        push_digits(&mut out, sold.no, 7);
        for n in [line, i64::from(seq), rev] {
            out.push(b',');
            push_int(&mut out, n);
        }
        out.push(b',');
        push_local(&mut out, sold.at);
        let close = if sold.night { "04:00" } else { "00:00" };
        for field in [sold.zone, close, promotion.as_str(), code.as_str(), kind, funder] {
            out.push(b',');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b',');
        push_decimal(&mut out, amount, 4, b'.');
        out.push(b',');
        out.extend_from_slice(sold.currency.as_bytes());
        out.push(b'\n');
        out
    }

    /// Promotion, code, type of reduction, who bears it.
    fn words(&self, seed: u64, date: Day, reason: Reason) -> (String, String, &'static str, &'static str) {
        let none = String::new;
        match reason {
            Reason::Price(category) => {
                let (promotion, funder) = price_cut(seed, category, date);
                (promotion, none(), "auto", funder)
            }
            Reason::Staff => (none(), none(), "staff", "merchant"),
            Reason::ByHand => (none(), none(), "manual", "merchant"),
            Reason::Loyalty => (LOYALTY.into(), none(), "loyalty", "merchant"),
            Reason::Coupon(which) => {
                let (promotion, code) = coupon(date, which);
                (promotion, code, "coupon", "merchant")
            }
            Reason::Call => (CALL.into(), code_of(CALL, 0), "coupon", "merchant"),
            Reason::Voucher => (voucher(self.system), none(), "coupon", "platform"),
        }
    }

    fn dirty(&mut self, ledger: &mut Ledger, retailer: &Retailer, date: Day) -> Result<()> {
        let sold =
            Sold { no: 9_000_000, at: date * DAY + 36_000, zone: "Europe/London", night: false, currency: "GBP" };
        for (at, (column, value, dirt)) in DIRT.iter().enumerate() {
            let reduction = (1 + at as i64, 1, Reason::ByHand, 12_500);
            let record = self.record(retailer.seed, date, &sold, &reduction, 0);
            let record = match *column {
                "short" => [&record[..40], b"\n"].concat(),
                name => with_field(&record, b',', HEADER.split(',').position(|n| n == name).unwrap_or(0), value),
            };
            ledger.counts.discount_rows += u64::from(dirt.lands());
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// The reductions of an order whose prices include tax, with the categories of its articles. The discount without tax is gross
/// less net of the whole line, so the parts of a line with two of them add up to it.
pub fn reductions(retailer: &Retailer, order: &Order, share: Reason) -> Vec<Reduction> {
    let mut all = Vec::new();
    for line in order.lines.iter().filter(|l| l.discount > 0 || l.share > 0) {
        let full = line.price * line.quantity;
        let part = |cents: i64| without_tax(full, line.tax) - without_tax(full - cents * 1000, line.tax);
        let whole = part(line.discount + line.share);
        let price = match (line.discount, line.share) {
            (0, _) => 0,
            (_, 0) => whole,
            (discount, _) => without_tax(discount * 1000, line.tax),
        };
        if line.discount > 0 {
            all.push((line.no, 1, cut(retailer, line), price));
        }
        if line.share > 0 {
            all.push((line.no, 2, share, whole - price));
        }
    }
    all
}

fn cut(retailer: &Retailer, line: &Line) -> Reason {
    Reason::Price(retailer.catalogue.items[line.item].category.0)
}

/// 2025-05-13.
const DIRTY_DAY: Day = 20_221;

/// Column, value, what is wrong with it.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("short", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("type", "whim", Dirt::new("V01", "reject", "discount_type", "not a kind of reduction")),
    ("funded_by", "bank", Dirt::new("V01", "reject", "funded_by", "nobody who bears reductions")),
    ("amount", "a little", Dirt::new("V01", "reject", "amount", "not a number")),
    ("applied_at", "2025-05-32 10:00:00", Dirt::new("V01", "reject", "applied_at", "no such day")),
    ("amount", "-1.2500", Dirt::new("V03", "quarantine", "amount", "a reduction below 0")),
    ("currency", "SEK", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
];

#[cfg(test)]
mod tests {
    use super::super::catalogue::Currency;
    use super::super::days::day;
    use super::super::order::LineKind;
    use super::*;

    #[test]
    fn the_parts_of_a_line_add_up() {
        assert_eq!(DIRTY_DAY, day(2025, 5, 13));
        let retailer = Retailer::new(1, 2_000);
        let mut order = Order::new(1, 0, Currency::Gbp);
        let (kind, quantity, price, tax) = (LineKind::Product, 3000, 999, 2000);
        for (no, discount, share) in [(1, 300, 0), (2, 0, 101), (3, 299, 7), (4, 0, 0)] {
            let line = Line {
                no,
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
            };
            order.lines.push(line);
        }
        let all = reductions(&retailer, &order, Reason::Staff);
        let seen: Vec<_> = all.iter().map(|(line, seq, ..)| (*line, *seq)).collect();
        assert_eq!(seen, [(1, 1), (2, 2), (3, 1), (3, 2)]);
        // 29.97 with 20 % tax is 24.9750 without, 26.91 is 22.4250.
        assert_eq!(all[2].3 + all[3].3, 249_750 - 224_250);
        assert_eq!(all[0].3, 25_000);
    }
}
