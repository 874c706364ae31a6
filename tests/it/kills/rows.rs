//! Versions of orders and returns: the line in which one arrives, and the row that it makes. Everything follows from its key
//! and version, so that one version has one content; versions put their row into another month, make it a tombstone or
//! bring it back.

use chrono::{Days, NaiveDate};

use super::world::SHARED;

/// A version of an order of one line.
#[derive(Debug, Clone)]
pub struct Sale {
    pub order: String,
    pub version: u64,
}

impl Sale {
    /// The round of an order that waits for its day's rate, which comes a round later.
    fn waits_in(&self) -> Option<u64> {
        self.order.strip_prefix('E')?.parse().ok()
    }

    fn day(&self) -> String {
        let days = ["2024-01-30", "2024-02-01", "2024-03-15"];
        self.waits_in().map_or_else(|| days[self.version as usize % days.len()].into(), euro_day)
    }

    pub fn sku(&self) -> String {
        self.waits_in().map_or_else(|| format!("SKU{}", self.version % 4), |_| "EURO".into())
    }

    pub fn quantity(&self) -> u64 {
        1 + self.version % 7
    }

    /// In hundredths.
    fn price(&self) -> u64 {
        150 + 100 * (self.version % 9)
    }

    fn place(&self) -> String {
        format!("S{}", self.version % 3)
    }

    fn is_gone(&self) -> bool {
        self.version % 5 == 4
    }

    /// Its line; `quantity` is another than its own in lines that no rule lets in.
    pub fn line(&self, quantity: &str, note: &str) -> String {
        let Sale { order, version } = self;
        let (price, gone) = (self.price(), if self.is_gone() { "y" } else { "n" });
        let currency = if self.waits_in().is_some() { "EUR" } else { "GBP" };
        let price = format!("{}.{:02}", price / 100, price % 100);
        let (day, sku, place) = (self.day(), self.sku(), self.place());
        format!("{order},{version},{day} 12:00,{sku},{quantity},{price},{currency},{gone},{place},{note}")
    }

    /// Id, version, date, quantity, place, product, net in pounds, tombstone.
    pub fn row(&self) -> Vec<String> {
        let net = self.quantity() * self.price() * 100;
        // A euro is 1.25 pounds.
        let net = if self.waits_in().is_some() { net * 5 / 4 } else { net };
        vec![
            self.order.clone(),
            self.version.to_string(),
            self.day(),
            format!("{}.000", self.quantity()),
            self.place(),
            self.sku(),
            format!("{}.{:04}", net / 10_000, net % 10_000),
            self.is_gone().to_string(),
        ]
    }
}

/// Every round has a day of its own, after all days that have a rate.
pub fn euro_day(round: u64) -> String {
    let first = NaiveDate::from_ymd_opt(2021, 1, 1).expect("a date");
    (first + Days::new(round)).to_string()
}

/// A version of a return; its order may be unknown, then or for ever.
#[derive(Debug)]
pub struct Back {
    pub number: u64,
    pub version: u64,
}

impl Back {
    pub fn order(&self) -> String {
        match self.number % 4 {
            3 => format!("nobody's-{}", self.number),
            _ => format!("S{}", self.number % SHARED),
        }
    }

    fn day(&self) -> &'static str {
        ["2024-04-10", "2024-05-10"][self.version as usize % 2]
    }

    fn quantity(&self) -> u64 {
        1 + self.version % 3
    }

    pub fn line(&self) -> String {
        let (number, version, quantity) = (self.number, self.version, self.quantity());
        format!("R{number},{version},{},{} 12:00,{quantity},{quantity}.25", self.order(), self.day())
    }

    /// Id, version, date, quantity; place and date of its sale, and whether that is known.
    pub fn row(&self, sale: Option<&Sale>) -> Vec<String> {
        let (place, sold) = sale.map_or(("NULL".into(), self.day().into()), |s| (s.place(), s.day()));
        vec![
            format!("R{}", self.number),
            self.version.to_string(),
            self.day().into(),
            format!("{}.000", self.quantity()),
            place,
            sold,
            sale.is_some().to_string(),
        ]
    }
}
