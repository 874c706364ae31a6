//! How goods come and go: the ledger of stock movements, and what is ordered from suppliers. Both follow from the stock that is
//! told ([`super::stock::level`]): what a place had plus what moved is what it has. A function of place, article and day.

mod movements;
mod purchases;

pub use movements::write as write_movements;
pub use purchases::write as write_purchases;

use super::days::{Day, LAST};
use super::dice::hash;
use super::retailer::Retailer;
use super::stock::{daily_use, level};

/// The first day whose movements are told: 2026-06-10. Every day before and since is counted.
pub const SINCE: Day = LAST - 20;
/// How many suppliers there are; an article's is that of the product list.
pub const SUPPLIERS: usize = 17;

/// "SUP07": whoever delivers the article.
pub fn supplier(item: usize) -> usize {
    item % SUPPLIERS
}

/// How long the supplier takes, in days.
pub fn lead_days(supplier: usize) -> i64 {
    3 + supplier as i64 * 5 % 8
}

/// An article's stock in a place over one day.
struct DayOf<'a> {
    retailer: &'a Retailer,
    place: usize,
    item: usize,
    day: Day,
}

impl DayOf<'_> {
    fn dice(&self, salt: u64) -> u64 {
        hash(&[self.retailer.seed, salt, self.place as u64, self.item as u64, self.day as u64])
    }

    fn warehouse(&self) -> bool {
        self.retailer.places[self.place].warehouse
    }

    fn closing(&self, day: Day) -> i64 {
        i64::from(level(self.retailer.seed, self.place, self.item, day, self.warehouse()))
    }

    /// Pieces that an ordinary day takes.
    fn usual(&self) -> i64 {
        i64::from(daily_use(self.retailer.seed, self.place, self.item, self.warehouse()))
    }

    /// Pieces that come in, beside what sells on the day; 0 on most days.
    fn comes_in(&self) -> i64 {
        let (before, after) = (self.closing(self.day - 1), self.closing(self.day));
        match after - before {
            change if change <= 0 => 0,
            change if before >= self.usual() => change + self.usual(),
            change => change,
        }
    }

    /// What comes in was ordered from a supplier: always for warehouses, of shops two thirds of their articles.
    fn is_ordered(&self) -> bool {
        let of_item = hash(&[self.retailer.seed, 0x71, self.place as u64, self.item as u64]);
        self.warehouse() || !of_item.is_multiple_of(3)
    }

    /// A twentieth of what comes in without an order was found again.
    fn is_found(&self) -> bool {
        self.dice(0x72).is_multiple_of(20)
    }

    /// What the delivery cost per piece, in ten-thousandths: up to 2 % off the list.
    fn cost(&self) -> i64 {
        let currency = self.retailer.places[self.place].currency();
        self.retailer.catalogue.cost(self.item, currency) * (980 + (self.dice(0x73) % 41) as i64) / 1000
    }

    /// The order that brings the day's goods.
    fn purchase_id(&self) -> String {
        format!("PO-{}-{:02}-{}", self.retailer.places[self.place].id, supplier(self.item) + 1, self.day)
    }
}

/// Every article that every open place holds on `day`.
fn all_of(retailer: &Retailer, day: Day) -> impl Iterator<Item = DayOf<'_>> {
    let places = retailer.places.iter().enumerate().filter(move |(_, place)| place.open_on(day));
    places.flat_map(move |(place, _)| {
        super::stock::held(retailer, place, day).map(move |item| DayOf { retailer, place, item, day })
    })
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_LINES;
    use super::*;

    #[test]
    fn deliveries_and_sales_make_the_stock() {
        let retailer = Retailer::new(1, DEFAULT_LINES);
        let (mut deliveries, mut articles) = (0, 0);
        for of in all_of(&retailer, LAST - 3) {
            let (before, after, arrived) = (of.closing(of.day - 1), of.closing(of.day), of.comes_in());
            assert!(arrived >= 0 && before + arrived >= after, "{before} {arrived} {after}");
            deliveries += usize::from(arrived > 0);
            articles += 1;
        }
        assert!(deliveries * 30 > articles && deliveries * 5 < articles, "{deliveries} of {articles}");
    }
}
