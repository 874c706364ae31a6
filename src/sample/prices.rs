//! What articles cost and are offered at, and what gift sets consist of, as CSV. It draws from dice of its own, so that no other
//! file of a sample depends on it.

use std::path::Path;

use super::catalogue::{Catalogue, Currency, PRICE_RISE};
use super::days::{Day, FIRST, day};
use super::dice::Dice;
use super::list::{List, date, text};
use super::out::{Dirt, Ledger, Why};
use super::retailer::Retailer;
use super::text::{push_cents, push_decimal};
use crate::error::Result;

/// Of how many best sellers the price lists tell.
const PRICED: usize = 100;

/// Writes unit costs, price lists and bundles.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Vec<Ledger>> {
    Ok(vec![costs(retailer, landing)?, prices(retailer, landing)?, bundles(&retailer.catalogue, landing)?])
}

fn put(list: &mut List, fields: &[String], why: Why) -> Result<()> {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    match why {
        Why::First => list.row(&fields),
        why => list.why(&fields, why),
    }
}

/// What every usual article costs; some cost more since 2025-10-01, and the warehouses have means of their own for a few. Every
/// hundredth row is told again.
fn costs(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut dice = Dice::new(retailer.seed, "costs");
    let mut list =
        List::new(landing, "dimensions/product_costs", "sku,place,method,valid_from,unit_cost,currency,rev", false)?;
    let catalogue = &retailer.catalogue;
    let cost =
        |item: usize, place: &str, method: &str, valid_from: &str, cost: i64, currency: Currency| -> Vec<String> {
            vec![
                catalogue.items[item].sku.clone(),
                place.into(),
                method.into(),
                valid_from.into(),
                text(|o| push_decimal(o, cost, 4, b'.')),
                currency.code().into(),
                "1".into(),
            ]
        };
    for item in 0..catalogue.usual {
        let now = catalogue.cost(item, Currency::Gbp);
        let first = cost(item, "", "standard", "", now, Currency::Gbp);
        put(&mut list, &first, Why::First)?;
        if item % 100 == 50 {
            put(&mut list, &first, Why::Repeat)?;
        }
        if dice.chance(1_500) {
            let risen = cost(item, "", "standard", &date(PRICE_RISE), now * 103 / 100, Currency::Gbp);
            put(&mut list, &risen, Why::First)?;
        }
    }
    let since = date(day(2026, 1, 1));
    for place in retailer.places.iter().filter(|p| p.warehouse) {
        let currency = place.currency();
        for item in 0..catalogue.usual {
            if !dice.chance(500) {
                continue;
            }
            let mean = catalogue.cost(item, currency) * dice.between(95, 104) / 100;
            put(&mut list, &cost(item, &place.id, "moving_avg", &since, mean, currency), Why::First)?;
        }
    }
    put(&mut list, &cost(catalogue.bag, "", "standard", "", -5_000, Currency::Gbp), Why::Dirty(&COST))?;
    put(&mut list, &cost(catalogue.deposit, "", "guess", "", 5_000, Currency::Gbp), Why::Dirty(&METHOD))?;
    list.done()
}

static COST: Dirt = Dirt::new("V03", "reject", "unit_cost", "a cost below nothing");
static METHOD: Dirt = Dirt::new("V01", "reject", "cost_method", "not a way to find a cost");

/// What the best sellers are offered at: by the web shop and the marketplace with tax, to cafes and other businesses without it; a few
/// have another price in the first shop, or are reduced since the middle of June 2026.
fn prices(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "sku,channel,place,customers,valid_from,price,reduced,currency,with_tax,rev";
    let mut dice = Dice::new(retailer.seed, "prices");
    let mut list = List::new(landing, "dimensions/price_lists", header, false)?;
    let catalogue = &retailer.catalogue;
    let (june, shop) = (day(2026, 6, 15), retailer.places[0].id.as_str());
    for item in (0..PRICED).map(|rank| catalogue.ranked(rank)) {
        let sku = catalogue.items[item].sku.as_str();
        let row =
            |at: [&str; 3], since: Option<Day>, price: i64, reduced: Option<i64>, currency: Currency| -> Vec<String> {
                let [channel, place, customers] = at;
                let with_tax = if channel == "b2b" { "false" } else { "true" };
                let cents = |cents: Option<i64>| cents.map(|c| text(|o| push_cents(o, c))).unwrap_or_default();
                let since = since.map(date).unwrap_or_default();
                let (price, reduced) = (cents(Some(price)), cents(reduced));
                let fields = [
                    sku,
                    channel,
                    place,
                    customers,
                    since.as_str(),
                    price.as_str(),
                    reduced.as_str(),
                    currency.code(),
                    with_tax,
                    "1",
                ];
                fields.iter().map(ToString::to_string).collect()
            };
        let now = catalogue.price(item, Currency::Gbp, PRICE_RISE);
        for (channel, currency) in [("web", Currency::Gbp), ("market_eu", Currency::Eur)] {
            let price = catalogue.price(item, currency, FIRST);
            put(&mut list, &row([channel, "", ""], None, price, None, currency), Why::First)?;
            if catalogue.items[item].rises {
                let risen = catalogue.price(item, currency, PRICE_RISE);
                put(&mut list, &row([channel, "", ""], Some(PRICE_RISE), risen, None, currency), Why::First)?;
            }
        }
        if dice.chance(1_500) {
            put(&mut list, &row(["web", "", ""], Some(june), now, Some(now * 9 / 10), Currency::Gbp), Why::First)?;
        }
        if dice.chance(1_000) {
            put(&mut list, &row(["pos", shop, ""], None, now + 20, None, Currency::Gbp), Why::First)?;
        }
        if dice.chance(3_000) {
            put(&mut list, &row(["b2b", "", ""], None, now * 2 / 3, None, Currency::Gbp), Why::First)?;
            put(&mut list, &row(["b2b", "", "cafe"], None, now * 3 / 5, None, Currency::Gbp), Why::First)?;
        }
    }
    let (bag, card) = (&catalogue.items[catalogue.bag].sku, &catalogue.items[catalogue.gift_card].sku);
    list.dirt(&[bag, "web", "", "", "", "-0.20", "", "GBP", "true", "1"], &PRICE)?;
    list.dirt(&[card, "web", "", "", "", "25.00", "27.00", "GBP", "true", "1"], &REDUCED)?;
    list.done()
}

static PRICE: Dirt = Dirt::new("V03", "reject", "list_price", "a price below nothing");
static REDUCED: Dirt = Dirt::new("V03", "warn", "promo_price", "reduced to more than the price");

/// What gift sets consist of; the revenue is shared by the prices of the components. Of one set the shares are not all, of another
/// there is a component of nothing, so that all of it has to wait.
fn bundles(catalogue: &Catalogue, landing: &Path) -> Result<Ledger> {
    let mut list = List::new(landing, "dimensions/product_bundles", "bundle,component,quantity,share,rev", true)?;
    let mut again = Vec::new();
    for (which, bundle) in catalogue.bundles.clone().enumerate() {
        // An article may be in a set twice.
        let mut parts: Vec<(usize, i64)> = Vec::new();
        for item in catalogue.components(which) {
            match parts.iter_mut().find(|(known, _)| *known == item) {
                Some((_, quantity)) => *quantity += 1,
                None => parts.push((item, 1)),
            }
        }
        let worth = |(item, quantity): &(usize, i64)| catalogue.price(*item, Currency::Gbp, FIRST) * quantity;
        let all: i64 = parts.iter().map(worth).sum();
        let mut left = 1_000_000;
        for (at, part) in parts.iter().enumerate() {
            let share = if at + 1 == parts.len() { left } else { worth(part) * 1_000_000 / all };
            left -= share;
            let row = [
                catalogue.items[bundle].sku.clone(),
                catalogue.items[part.0].sku.clone(),
                part.1.to_string(),
                text(|o| push_decimal(o, share, 6, b'.')),
                "1".into(),
            ];
            put(&mut list, &row, Why::First)?;
            if which == 2 {
                again.push(row);
            }
        }
    }
    for row in again {
        put(&mut list, &row, Why::Repeat)?;
    }
    let sku = |rank: usize| catalogue.items[catalogue.ranked(rank)].sku.as_str();
    list.dirt(&["BN9001", sku(0), "1", "0.500000", "1"], &SHARES)?;
    list.dirt(&["BN9001", sku(1), "2", "0.400000", "1"], &SHARES)?;
    list.dirt(&["BN9002", sku(0), "1", "0.700000", "1"], &SHARES)?;
    list.dirt(&["BN9002", sku(1), "0", "0.300000", "1"], &NOTHING)?;
    list.done()
}

static SHARES: Dirt = Dirt::new("V17", "reject", "revenue_share", "the shares of the set do not add up to 1");
static NOTHING: Dirt = Dirt::new("V03", "reject", "component_qty", "a component of nothing");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_made_of_old_articles() {
        let catalogue = Catalogue::new(1, 500);
        for which in 0..catalogue.bundles.len() {
            let parts = catalogue.components(which);
            assert_eq!(parts.len(), 2 + which % 2);
            assert!(parts.iter().all(|item| *item < catalogue.usual && catalogue.items[*item].launched <= FIRST));
        }
    }
}
