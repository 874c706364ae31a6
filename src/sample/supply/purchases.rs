//! What is ordered from suppliers: a file per month, each line as it stood at the month's end; what was open at the end of May and
//! came in June is told again.

use std::path::Path;

use super::super::days::{DAY, Day, LAST, civil, day, month_name, push_local};
use super::super::out::{Dirt, Ledger, Sheet, Why};
use super::super::retailer::Retailer;
use super::super::text::{push_decimal, push_int, with_field};
use super::{DayOf, SINCE, all_of, lead_days, supplier};
use crate::error::Result;

const HEADER: &str = "po;sku;rev;supplier;place;zone;ordered_at;expected_at;first_received_at;last_received_at;ordered;confirmed;received;unit_cost;currency;status";
/// Deliveries of so many days after the end are ordered already.
const AHEAD: i64 = 12;

/// A line as it stands on a day.
struct Line<'a> {
    of: &'a DayOf<'a>,
    ordered_on: Day,
    expected_on: Day,
    ordered: i64,
    confirmed: i64,
    received: i64,
    status: &'static str,
    rev: i64,
}

/// Writes the purchase orders.
pub fn write(retailer: &Retailer, landing: &Path, level: u32) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut sheet = Sheet::new(landing, "csv", HEADER, level);
    for end in [day(2026, 5, 31), LAST] {
        sheet.open(&mut ledger, &format!("purchasing/po_{}", month_name(end)), end < LAST)?;
        for date in SINCE..=LAST + AHEAD {
            for of in all_of(retailer, date).filter(|of| of.is_ordered() && of.comes_in() > 0) {
                tell(&of, end, &mut sheet, &mut ledger)?;
            }
        }
        if end == LAST {
            dirty(retailer, &mut sheet, &mut ledger)?;
        }
    }
    sheet.close(&mut ledger)?;
    Ok(ledger)
}

/// Tells the order of the day's delivery in the file that ends with `end`, where something changed in its month.
fn tell(of: &DayOf<'_>, end: Day, sheet: &mut Sheet, ledger: &mut Ledger) -> Result<()> {
    let line = line(of, end);
    if line.ordered_on > end {
        return Ok(());
    }
    let (begin, told_before) = (end - civil(end).2 + 1, line.ordered_on < day(2026, 6, 1) && end == LAST);
    let why = match told_before {
        false => Why::First,
        true if of.day >= begin => Why::Revision,
        true => return Ok(()),
    };
    ledger.counts.purchase_lines += u64::from(!told_before);
    sheet.put(ledger, &line.record(), why)?;
    if of.dice(0x81).is_multiple_of(53) {
        sheet.put(ledger, &line.record(), Why::Repeat)?;
    }
    Ok(())
}

fn line<'a>(of: &'a DayOf<'a>, end: Day) -> Line<'a> {
    let dice = of.dice(0x82);
    // Up to two days early or late; some articles are ordered long before.
    let late = (dice % 5) as i64 - 2;
    let ordered_on = of.day - (lead_days(supplier(of.item)) + late).max(1);
    let arrives = of.comes_in();
    // Of some, only half comes: of the last days' the rest is awaited, of others nothing more will come.
    let halved = (dice >> 8).is_multiple_of(17);
    let ordered = if halved { 2 * arrives } else { arrives };
    let (received, status) = match (of.day <= end, halved) {
        (true, false) => (arrives, "DONE"),
        (true, true) if of.day > LAST - 6 => (arrives, "PART"),
        (true, true) => (arrives, "CLOSED"),
        (false, _) if end == LAST && (dice >> 16).is_multiple_of(23) => (0, "CANCELLED"),
        (false, _) if (dice >> 24).is_multiple_of(2) => (0, "CONFIRMED"),
        (false, _) => (0, "OPEN"),
    };
    let confirmed = if status == "OPEN" { 0 } else { ordered };
    let rev = if of.day <= end { 2 } else { 1 };
    Line { of, ordered_on, expected_on: of.day - late, ordered, confirmed, received, status, rev }
}

impl Line<'_> {
    fn record(&self) -> Vec<u8> {
        let (retailer, of) = (self.of.retailer, self.of);
        let place = &retailer.places[of.place];
        let at = |day: Day, hour: i64| {
            let mut out = Vec::new();
            push_local(&mut out, day * DAY + hour * 3600);
            out
        };
        let received = if self.received > 0 { at(of.day, 7) } else { Vec::new() };
        let number = |n: i64| {
            let mut out = Vec::new();
            push_int(&mut out, n);
            out
        };
        let mut cost = Vec::new();
        push_decimal(&mut cost, of.cost(), 4, b'.');
        let fields: [Vec<u8>; 16] = [
            of.purchase_id().into_bytes(),
            retailer.catalogue.items[of.item].sku.clone().into_bytes(),
            number(self.rev),
            format!("SUP{:02}", supplier(of.item) + 1).into_bytes(),
            place.id.clone().into_bytes(),
            place.zone().name().into(),
            at(self.ordered_on, 10),
            at(self.expected_on, 12),
            received.clone(),
            received,
            number(self.ordered),
            if self.confirmed > 0 { number(self.confirmed) } else { Vec::new() },
            number(self.received),
            cost,
            place.currency().code().into(),
            self.status.into(),
        ];
        let mut record = fields.join(&b';');
        record.push(b'\n');
        record
    }
}

fn dirty(retailer: &Retailer, sheet: &mut Sheet, ledger: &mut Ledger) -> Result<()> {
    // An article that nobody orders, so that no other line has its key.
    let item = retailer.catalogue.bag;
    for (no, (column, value, dirt)) in DIRT.iter().enumerate() {
        let of = DayOf { retailer, place: 0, item, day: LAST - no as i64 };
        let (ordered_on, expected_on) = (of.day - 5, of.day);
        let (ordered, confirmed, received, status, rev) = (100, 100, 0, "CONFIRMED", 1);
        let clean = Line { of: &of, ordered_on, expected_on, ordered, confirmed, received, status, rev };
        let at = HEADER.split(';').position(|name| name == *column).unwrap_or(0);
        sheet.put(ledger, &with_field(&clean.record(), b';', at, value), Why::Dirty(dirt))?;
        ledger.counts.purchase_lines += u64::from(dirt.lands());
    }
    Ok(())
}

/// The column, what it says, and what is wrong with that.
static DIRT: [(&str, &str, Dirt); 5] = [
    ("ordered", "0", Dirt::new("V03", "quarantine", "ordered_qty", "nothing was ordered")),
    ("received", "-1", Dirt::new("V03", "quarantine", "received_qty", "less than nothing was received")),
    ("supplier", "", Dirt::new("V01", "reject", "supplier_id", "no supplier")),
    ("status", "LOST", Dirt::new("V01", "reject", "status", "not a status of an order")),
    ("place", "S998", Dirt::new("V12", "warn", "location_id", "a place that the location list does not have")),
];
