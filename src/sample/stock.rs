//! Stock at the close of a day, as Parquet: month ends, and every day of the last 35. A function of place, article and day.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::days::{Day, FIRST, LAST, civil, month_name};
use super::dice::hash;
use super::out::{Dirt, Ledger, Pages, Why};
use super::retailer::Retailer;
use crate::error::Result;

/// Every day is told for so long before the end.
const DAILY: i64 = 35;

/// Which days are told: the last 35, and before them the last of each month.
pub fn days() -> impl Iterator<Item = Day> {
    (FIRST..=LAST).filter(|d| *d > LAST - DAILY || civil(d + 1).2 == 1)
}

/// Columns of one write, in the order of the schema.
#[derive(Default)]
struct Rows {
    day: Vec<i32>,
    place: Vec<Option<String>>,
    sku: Vec<String>,
    on_hand: Vec<i32>,
    available: Vec<i32>,
    cost: Vec<i128>,
    retail: Vec<i128>,
    currency: Vec<&'static str>,
    ranged: Vec<bool>,
    why: Vec<Why>,
}

fn schema() -> SchemaRef {
    let money = || DataType::Decimal128(18, 4);
    Arc::new(Schema::new(vec![
        Field::new("stock_date", DataType::Date32, false),
        Field::new("place", DataType::Utf8, true),
        Field::new("sku", DataType::Utf8, false),
        Field::new("on_hand", DataType::Int32, false),
        Field::new("available", DataType::Int32, false),
        Field::new("unit_cost", money(), false),
        Field::new("unit_retail", money(), false),
        Field::new("currency", DataType::Utf8, false),
        Field::new("ranged", DataType::Boolean, false),
    ]))
}

impl Rows {
    fn write(&mut self, ledger: &mut Ledger, pages: &mut Pages) -> Result<()> {
        let rows = std::mem::take(self);
        let money = |n: Vec<i128>| Decimal128Array::from(n).with_precision_and_scale(18, 4);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Date32Array::from(rows.day)),
            Arc::new(StringArray::from(rows.place)),
            Arc::new(StringArray::from(rows.sku)),
            Arc::new(Int32Array::from(rows.on_hand)),
            Arc::new(Int32Array::from(rows.available)),
            Arc::new(money(rows.cost)?),
            Arc::new(money(rows.retail)?),
            Arc::new(StringArray::from(rows.currency)),
            Arc::new(BooleanArray::from(rows.ranged)),
        ];
        pages.put(ledger, &RecordBatch::try_new(schema(), columns)?, &rows.why)
    }
}

/// Writes the stock of all places.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    let mut pages = Pages::new(landing, schema());
    let mut rows = Rows::default();
    for day in days() {
        pages.open(&mut ledger, &format!("stock/stock_{}", month_name(day)))?;
        for (p, place) in retailer.places.iter().enumerate() {
            // The second shop forgot to count on 2026-06-17.
            if place.open_on(day) && !(p == 1 && day == LAST - 13) {
                of_place(retailer, p, day, &mut rows);
            }
            if rows.day.len() >= 16_384 {
                ledger.counts.stock_rows += rows.day.len() as u64;
                rows.write(&mut ledger, &mut pages)?;
            }
        }
        ledger.counts.stock_rows += rows.day.len() as u64;
        rows.write(&mut ledger, &mut pages)?;
        if day == LAST - 20 {
            dirty(retailer, day, &mut ledger, &mut pages)?;
        }
    }
    pages.close(&mut ledger)?;
    Ok(ledger)
}

fn of_place(retailer: &Retailer, p: usize, day: Day, rows: &mut Rows) {
    for item in held(retailer, p, day) {
        let on_hand = level(retailer.seed, p, item, day, retailer.places[p].warehouse);
        // Some places leave articles out that they have none of.
        if on_hand == 0 && hash(&[retailer.seed, 0x57, p as u64]).is_multiple_of(3) {
            continue;
        }
        let held = (hash(&[retailer.seed, 0x58, p as u64, item as u64, day as u64]) % 3) as i32;
        rows.push(retailer, p, item, day, on_hand, held);
    }
}

impl Rows {
    fn push(&mut self, retailer: &Retailer, p: usize, item: usize, day: Day, on_hand: i32, held: i32) {
        let (catalogue, currency) = (&retailer.catalogue, retailer.places[p].currency());
        self.day.push(day as i32);
        self.place.push(Some(retailer.places[p].id.clone()));
        self.sku.push(catalogue.items[item].sku.clone());
        self.on_hand.push(on_hand);
        self.available.push(on_hand - held.min(on_hand.max(0)));
        self.cost.push(i128::from(catalogue.cost(item, currency)));
        self.retail.push(i128::from(catalogue.price(item, currency, day) * 100));
        self.currency.push(currency.code());
        self.ranged.push(true);
        self.why.push(Why::First);
    }
}

/// The articles that a place is supposed to have on `day`.
pub fn held(retailer: &Retailer, p: usize, day: Day) -> impl Iterator<Item = usize> {
    // Warehouses hold twice as many articles.
    let twice = (2 * retailer.range).min(retailer.catalogue.usual);
    let range = if retailer.places[p].warehouse { twice } else { retailer.range };
    let items = (0..range).map(move |at| retailer.catalogue.ranged(p, at, range));
    items.filter(move |item| retailer.catalogue.items[*item].launched <= day)
}

/// Pieces that an ordinary day takes.
pub fn daily_use(seed: u64, p: usize, item: usize, warehouse: bool) -> i32 {
    let h = hash(&[seed, 0x55, p as u64, item as u64]);
    (1 + (h >> 24) % 3) as i32 * if warehouse { 20 } else { 1 }
}

/// Deliveries come every week or two, sales take some every day; now and then there is none, or less than none.
pub fn level(seed: u64, p: usize, item: usize, day: Day, warehouse: bool) -> i32 {
    let h = hash(&[seed, 0x55, p as u64, item as u64]);
    let spell = hash(&[seed, 0x56, p as u64, item as u64, (day / 6) as u64]);
    if spell.is_multiple_of(29) && !warehouse {
        return if spell >> 32 & 7 == 0 { -1 - (spell >> 40 & 1) as i32 } else { 0 };
    }
    let cycle = 7 + (h >> 8) % 12;
    let since = (day as u64 + (h >> 16)) % cycle;
    let daily = 1 + (h >> 24) % 3;
    let safety = 1 + (h >> 32) % 9;
    let pieces = safety + daily * (cycle - since);
    (if warehouse { pieces * 20 } else { pieces }) as i32
}

fn dirty(retailer: &Retailer, day: Day, ledger: &mut Ledger, pages: &mut Pages) -> Result<()> {
    let special = [retailer.catalogue.gift_card, retailer.catalogue.wrapping, retailer.catalogue.bag];
    let mut rows = Rows::default();
    for (i, dirt) in DIRT.iter().enumerate() {
        // Articles that no place counts, so that no other row has their key.
        rows.push(retailer, 0, special[i], day, if i == 0 { 2_000_000 } else { 5 }, 0);
        if i == 1 {
            rows.place[i] = None;
        }
        if i == 2 {
            rows.place[i] = Some("S998".into());
            ledger.counts.stock_rows += 1;
        }
        rows.why[i] = Why::Dirty(dirt);
    }
    rows.write(ledger, pages)
}

static DIRT: [Dirt; 3] = [
    Dirt::new("V03", "quarantine", "on_hand", "more than a million pieces"),
    Dirt::new("V01", "reject", "location_id", "no place"),
    Dirt::new("V12", "warn", "location_id", "a place that the location list does not have"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_ends_then_daily() {
        let days: Vec<_> = days().collect();
        assert_eq!(days.len(), 35 + 22); // July 2024 to April 2026; the last 35 days begin on 27 May
        assert_eq!(civil(days[0]), (2024, 7, 31));
        assert_eq!(civil(days[21]), (2026, 4, 30));
        assert_eq!(civil(days[22]), (2026, 5, 27));
    }
}
