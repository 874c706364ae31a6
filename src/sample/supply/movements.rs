//! The ledger: every movement of the last three weeks, told on the day; and a file of July with what was forgotten, told again or
//! told wrongly.

use std::path::Path;

use super::super::catalogue::Currency;
use super::super::days::{DAY, LAST, Seconds, month_name, push_local};
use super::super::out::{Dirt, Ledger, Sheet, Why};
use super::super::retailer::{Place, Retailer};
use super::super::text::{push_decimal, push_digits, push_int, with_field};
use super::{DayOf, SINCE, all_of};
use crate::error::Result;

const HEADER: &str = "movement;rev;moved_at;zone;type;place;other_place;sku;qty;unit_cost;currency;ref;reason";

/// What is told of one movement.
struct Move<'a> {
    of: &'a DayOf<'a>,
    /// The how-manieth of its article on its day.
    no: u64,
    kind: &'static str,
    quantity: i64,
    cost: i64,
    /// Hour of the day.
    hour: i64,
    other_place: &'static str,
    reference: String,
    reason: &'static str,
}

/// Writes the movements.
pub fn write(retailer: &Retailer, landing: &Path, level: u32) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut sheet = Sheet::new(landing, "csv", HEADER, level);
    let mut later = Vec::new();
    for day in SINCE..=LAST {
        sheet.open(&mut ledger, &format!("movements/movements_{}", month_name(day)), false)?;
        for of in all_of(retailer, day) {
            for told in moves(&of) {
                ledger.counts.movements += 1;
                tell(&told, &mut sheet, &mut ledger, &mut later)?;
            }
        }
        if day == LAST - 10 {
            dirty(retailer, day, &mut sheet, &mut ledger)?;
        }
    }
    sheet.open(&mut ledger, "movements/movements_2026-07", true)?;
    for (record, why) in later {
        sheet.put(&mut ledger, &record, why)?;
    }
    sheet.close(&mut ledger)?;
    Ok(ledger)
}

/// What moved on the day, so that closing = closing before + all of it.
fn moves<'a>(of: &'a DayOf<'a>) -> Vec<Move<'a>> {
    let (before, after, arrived) = (of.closing(of.day - 1), of.closing(of.day), of.comes_in());
    let mut left = before + arrived - after;
    let mut all = Vec::new();
    let mut add = |kind, quantity, hour, other_place, reference, reason| {
        let cost = if arrived > 0 && quantity > 0 { of.cost() } else { listed(of) };
        let no = all.len() as u64 + 1;
        all.push(Move { of, no, kind, quantity, cost, hour, other_place, reference, reason });
    };
    if arrived > 0 {
        match (of.is_ordered(), of.is_found()) {
            (true, _) => add("GR", arrived, 7, "", of.purchase_id(), ""),
            (false, true) => add("AU", arrived, 8, "", String::new(), "found"),
            (false, false) => add("TI", arrived, 8, warehouse_of(of), String::new(), ""),
        }
    }
    // Now and then a piece comes back and sells again.
    if left > 0 && of.dice(0x74).is_multiple_of(61) {
        add("RT", 1, 11, "", String::new(), "");
        left += 1;
    }
    // What goes beyond a few usual days is no sale.
    let lost = if left > 3 * of.usual() { left - of.usual() } else { 0 };
    if lost > 0 {
        let (kind, reason) = [("AD", "recount"), ("TH", ""), ("DM", "water"), ("WO", "expired"), ("CN", "stocktaking")]
            [(of.dice(0x75) % 5) as usize];
        add(kind, -lost, 20, "", String::new(), reason);
    }
    if left > lost {
        add(if of.warehouse() { "TO" } else { "SO" }, lost - left, 18, "", String::new(), "");
    }
    all
}

fn listed(of: &DayOf<'_>) -> i64 {
    of.retailer.catalogue.cost(of.item, of.retailer.places[of.place].currency())
}

fn warehouse_of(of: &DayOf<'_>) -> &'static str {
    if of.retailer.places[of.place].german() { "W02" } else { "W01" }
}

/// Tells a movement on its day, or later, or again.
fn tell(told: &Move<'_>, sheet: &mut Sheet, ledger: &mut Ledger, later: &mut Vec<(Vec<u8>, Why)>) -> Result<()> {
    let dice = told.of.dice(0x76 + told.no);
    let record = told.record(1, told.quantity);
    if dice.is_multiple_of(197) {
        later.push((record, Why::First));
    } else if dice.is_multiple_of(211) {
        // One piece too many, put right in July.
        sheet.put(ledger, &told.record(1, told.quantity + told.quantity.signum()), Why::First)?;
        later.push((told.record(2, told.quantity), Why::Revision));
    } else {
        sheet.put(ledger, &record, Why::First)?;
        if dice.is_multiple_of(223) {
            later.push((record, Why::Repeat));
        } else if dice.is_multiple_of(1009) {
            later.push((told.record(0, 3 * told.quantity), Why::Revision));
        }
    }
    Ok(())
}

impl Move<'_> {
    fn record(&self, rev: i64, quantity: i64) -> Vec<u8> {
        let place = &self.of.retailer.places[self.of.place];
        let mut out = id(place, &self.of.retailer.catalogue.items[self.of.item].sku, self.of.day, self.no);
        out.push(b';');
        push_int(&mut out, rev);
        out.push(b';');
        push_local(&mut out, self.at());
        let (sku, currency) = (&self.of.retailer.catalogue.items[self.of.item].sku, place.currency());
        for field in [place.zone().name(), self.kind, &place.id, self.other_place, sku] {
            out.push(b';');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b';');
        push_int(&mut out, quantity);
        out.push(b';');
        push_decimal(&mut out, self.cost, 4, b'.');
        for field in [currency.code(), &self.reference, self.reason] {
            out.push(b';');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b'\n');
        out
    }

    /// On the place's wall clock, within the hour.
    fn at(&self) -> Seconds {
        self.of.day * DAY + self.hour * 3600 + (self.of.dice(0x77) % 3600) as i64
    }
}

/// "M-S001-001077-20634-1".
fn id(place: &Place, sku: &str, day: i64, no: u64) -> Vec<u8> {
    let mut out = format!("M-{}-{sku}-{day}-", place.id).into_bytes();
    push_digits(&mut out, no, 1);
    out
}

fn dirty(retailer: &Retailer, day: i64, sheet: &mut Sheet, ledger: &mut Ledger) -> Result<()> {
    // An article that no place counts, so that no stock is missing what they say.
    let item = retailer.catalogue.bag;
    debug_assert_eq!(retailer.places[0].currency(), Currency::Gbp);
    let of = DayOf { retailer, place: 0, item, day };
    for (no, (column, value, dirt)) in DIRT.iter().enumerate() {
        let no = no as u64 + 1;
        let (kind, reference, cost) = ("GR", String::new(), 100);
        let clean = Move { of: &of, no, kind, quantity: 5, cost, hour: 9, other_place: "", reference, reason: "" };
        let at = HEADER.split(';').position(|name| name == *column).unwrap_or(0);
        sheet.put(ledger, &with_field(&clean.record(1, 5), b';', at, value), Why::Dirty(dirt))?;
        ledger.counts.movements += u64::from(dirt.lands());
    }
    Ok(())
}

/// The column, what it says, and what is wrong with that.
static DIRT: [(&str, &str, Dirt); 6] = [
    ("qty", "0", Dirt::new("V03", "quarantine", "quantity", "nothing moved")),
    ("qty", "-5", Dirt::new("V03", "quarantine", "quantity", "a receipt that takes away")),
    ("qty", "a few", Dirt::new("V01", "reject", "quantity", "not a number")),
    ("type", "XX", Dirt::new("V01", "reject", "movement_type", "not a type of movement")),
    ("place", "", Dirt::new("V01", "reject", "location_id", "no place")),
    ("place", "S998", Dirt::new("V12", "warn", "location_id", "a place that the location list does not have")),
];
