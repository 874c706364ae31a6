//! What visitors of the online shops did, as NDJSON: visits that led to the orders, visits that led to nothing, robots.

use std::path::Path;

use super::days::{DAY, Day, Seconds, Zone, month_name, settled};
use super::dice::Dice;
use super::order::{LineKind, Order};
use super::out::{Ledger, Sheet, Why};
use super::retailer::Retailer;
use super::words::REGIONS;
use crate::error::Result;
use dirt::DIRTY_DAY;
pub use json::push_session;

mod dirt;
mod json;

/// Tracking began on 2026-01-01.
pub const TRACKED: Day = 20_454;
/// Lines above which only a part of the visits is tracked, so that big samples stay about sales.
const TRACK_ALL: u64 = 1_000_000;

pub struct Events<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    sheet: Sheet,
    session: u64,
    /// One of so many visits is tracked.
    every: u64,
    scratch: Vec<u8>,
}

/// A visit: what all its events share.
struct Visit {
    session: u64,
    visitor: u64,
    customer: Option<u32>,
    channel: usize,
    region: usize,
    device: &'static str,
    source: (&'static str, &'static str),
    bot: bool,
    consent: bool,
    /// Seconds by which the device's clock is ahead.
    skew: i64,
    now: Seconds,
    events: i64,
}

/// What one event is about.
#[derive(Default)]
struct About<'a> {
    item: Option<(&'a str, i64)>,
    quantity: Option<i64>,
    currency: &'a str,
    order: Option<u64>,
    term: &'a str,
}

const SOURCES: &[(&str, &str)] = &[
    ("google", "organic"),
    ("google", "cpc"),
    ("direct", "none"),
    ("newsletter", "email"),
    ("instagram", "social"),
    ("bing", "organic"),
];
const TERMS: &[&str] = &["teapot", "gift", "lantern", "jigsaw", "honey", "throw blanket", "coffee beans", "birthday"];

impl<'a> Events<'a> {
    pub fn new(retailer: &'a Retailer, landing: &Path, level: u32) -> Events<'a> {
        Events {
            retailer,
            dice: Dice::new(retailer.seed, "events"),
            sheet: Sheet::new(landing, "ndjson", "", level),
            session: 0,
            every: (retailer.lines / TRACK_ALL).max(1),
            scratch: Vec::new(),
        }
    }

    pub fn open(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        if date < TRACKED {
            Ok(())
        } else {
            self.sheet.open(ledger, &format!("events/events_{}", month_name(date)), false)
        }
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.sheet.close(ledger)
    }

    fn visit(&mut self, customer: Option<u32>, channel: usize, region: usize, now: Seconds) -> Visit {
        self.session += 1;
        let dice = &mut self.dice;
        Visit {
            session: self.session,
            visitor: customer.map_or_else(|| 1_000_000 + self.session * 7 / 9, u64::from),
            customer,
            channel,
            region,
            device: if channel == 1 { "mobile" } else { ["desktop", "mobile", "mobile", "tablet"][dice.index(4)] },
            source: if channel == 2 { ("streamline", "live") } else { *dice.pick(SOURCES) },
            bot: false,
            consent: dice.chance(9700),
            skew: if channel == 1 && dice.chance(100) { dice.between(-4, 6) * 3600 } else { 0 },
            now,
            events: 0,
        }
    }

    /// The visit in which an order was made; `None` when it was not tracked.
    pub fn bought(&mut self, ledger: &mut Ledger, order: &Order, channel: usize, date: Day) -> Result<Option<u64>> {
        if date < TRACKED || !order.no.is_multiple_of(self.every) || order.test {
            return Ok(None);
        }
        let products: Vec<_> = order.lines.iter().filter(|l| l.kind == LineKind::Product).take(4).collect();
        let start = order.made - 45 * (3 + 2 * products.len() as i64) - 30;
        let mut visit = self.visit(order.customer, channel, order.ship, start);
        self.event(ledger, &mut visit, if channel == 2 { "live_view" } else { "session_start" }, &About::default())?;
        let retailer = self.retailer;
        let currency = order.currency.code();
        for (name, step) in [("view_item", 45), ("add_to_cart", 45)] {
            for line in &products {
                visit.now += step;
                let item = Some((retailer.catalogue.items[line.item].sku.as_str(), line.price));
                let quantity = (name == "add_to_cart").then_some(line.quantity);
                self.event(ledger, &mut visit, name, &About { item, quantity, currency, ..About::default() })?;
            }
        }
        visit.now += 45;
        self.event(ledger, &mut visit, "begin_checkout", &About::default())?;
        if order.confirmed.is_some() {
            visit.now = order.made;
            self.event(ledger, &mut visit, "purchase", &About { order: Some(order.no), currency, ..About::default() })?;
        }
        Ok(Some(visit.session))
    }

    /// The visits of a day with `orders` orders that led to none of them.
    pub fn browsed(&mut self, ledger: &mut Ledger, date: Day, orders: u64) -> Result<()> {
        if date < TRACKED {
            return Ok(());
        }
        for _ in 0..orders * 6 / self.every {
            self.browse(ledger, date)?;
        }
        if date == DIRTY_DAY { self.dirty(ledger, date) } else { Ok(()) }
    }

    fn browse(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let retailer = self.retailer;
        let second = self.dice.between(0, DAY - 1800);
        let now = Zone::London.utc(date * DAY + settled(date, second));
        let channel = self.dice.weighted(&[66, 26, 8]);
        let customer = self.dice.chance(2200).then(|| retailer.consumer(&mut self.dice, date));
        let region = customer.map_or_else(|| self.dice.index(6), |c| retailer.home(c));
        let mut visit = self.visit(customer, channel, region, now);
        visit.bot = channel == 0 && self.dice.chance(400);
        self.event(ledger, &mut visit, if channel == 2 { "live_view" } else { "session_start" }, &About::default())?;
        if self.dice.chance(1200) {
            visit.now += 15;
            let term = *self.dice.pick(TERMS);
            self.event(ledger, &mut visit, "search", &About { term, ..About::default() })?;
        }
        let views = if visit.bot { 8 } else { [0, 0, 1, 1, 1, 2, 2, 3][self.dice.index(8)] };
        let german = REGIONS[region].country == "DE";
        let currency = if german { super::catalogue::Currency::Eur } else { super::catalogue::Currency::Gbp };
        for _ in 0..views {
            visit.now += self.dice.between(8, 120);
            let item = retailer.catalogue.ranked(self.dice.skewed(retailer.catalogue.usual));
            let about = About {
                item: Some((&retailer.catalogue.items[item].sku, retailer.catalogue.price(item, currency, date))),
                currency: currency.code(),
                ..About::default()
            };
            self.event(ledger, &mut visit, "view_item", &about)?;
            if !visit.bot && self.dice.chance(1500) {
                visit.now += 12;
                self.event(ledger, &mut visit, "add_to_cart", &About { quantity: Some(1000), ..about })?;
                if self.dice.chance(2500) {
                    visit.now += 40;
                    self.event(ledger, &mut visit, "begin_checkout", &About::default())?;
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, ledger: &mut Ledger, visit: &mut Visit, name: &str, about: &About<'_>) -> Result<()> {
        self.record(visit, name, about);
        let record = std::mem::take(&mut self.scratch);
        self.sheet.put(ledger, &record, Why::First)?;
        if self.dice.chance(15) {
            self.sheet.put(ledger, &record, Why::Repeat)?;
        }
        self.scratch = record;
        ledger.counts.events += 1;
        Ok(())
    }
}
