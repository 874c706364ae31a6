//! What the retailer sells: articles with prices, costs and taxes, all a function of the seed. It must not draw from dice.

use super::days::{Day, FIRST, day};
use super::dice::hash;
use super::words::{BRANDS, CATEGORIES, CHINA_ONLY, COLOURS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    Gbp,
    Eur,
}

impl Currency {
    pub fn code(self) -> &'static str {
        match self {
            Currency::Gbp => "GBP",
            Currency::Eur => "EUR",
        }
    }
}

/// Whose tax is on the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tax {
    Britain,
    Germany,
    /// The composite import tax of cross-border retail.
    China,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemType {
    Stocked,
    /// Sold by the kilogram.
    Weighed,
    Bundle,
    GiftCard,
    /// Gift wrapping.
    Service,
    /// The levy on a carrier bag.
    Fee,
    /// A bottle's deposit.
    Deposit,
    /// Sold by the Chinese marketplace only, unknown to the product master.
    ChinaOnly,
}

/// An article.
#[derive(Debug, Clone)]
pub struct Item {
    pub sku: String,
    pub name: String,
    pub brand: &'static str,
    /// Position in the category tree.
    pub category: (usize, usize, usize),
    pub kind: ItemType,
    /// Usual price in pence, British tax included.
    pub pence: i64,
    /// Cost in ten-thousandths of a pound.
    pub cost: i64,
    pub reduced_tax: bool,
    /// The price goes up by 4 % at [`PRICE_RISE`].
    pub rises: bool,
    pub launched: Day,
}

/// When some prices go up: 2025-10-01.
pub const PRICE_RISE: Day = 20_362;
/// When ten articles move to another category: 2025-10-15.
pub const MOVE: Day = 20_376;
/// Pieces in a case, as wholesale sells them.
pub const CASE: i64 = 12;

#[derive(Debug)]
pub struct Catalogue {
    /// The usual articles first, then the special ones.
    pub items: Vec<Item>,
    /// How many usual articles there are.
    pub usual: usize,
    pub bundles: std::ops::Range<usize>,
    pub china_only: std::ops::Range<usize>,
    pub gift_card: usize,
    pub wrapping: usize,
    pub bag: usize,
    pub deposit: usize,
    seed: u64,
}

impl Catalogue {
    pub fn new(seed: u64, usual: usize) -> Catalogue {
        let mut items: Vec<Item> = (0..usual).map(|i| article(seed, i)).collect();
        let mut add = |sku: String, name: String, kind, pence, cost, brand| {
            let category = if kind == ItemType::Bundle { (1, 2, 2) } else { (0, 2, 2) };
            items.push(Item {
                sku,
                name,
                brand,
                category,
                kind,
                pence,
                cost,
                reduced_tax: false,
                rises: false,
                launched: day(2020, 1, 1),
            });
            items.len() - 1
        };
        let gift_card = add("GC0025".into(), "Gift card £25".into(), ItemType::GiftCard, 2500, 0, "");
        let wrapping = add("SV0001".into(), "Gift wrapping".into(), ItemType::Service, 350, 6000, "");
        let bag = add("FE0001".into(), "Carrier bag levy".into(), ItemType::Fee, 20, 0, "");
        let deposit = add("DP0001".into(), "Bottle deposit".into(), ItemType::Deposit, 25, 0, "");
        let first = deposit + 1;
        for i in 0..6 {
            add(format!("BN{:04}", i + 1), format!("Gift set {}", COLOURS[i]), ItemType::Bundle, 0, 0, BRANDS[i]);
        }
        for (i, (sku, name)) in CHINA_ONLY.iter().enumerate() {
            add(
                (*sku).into(),
                (*name).into(),
                ItemType::ChinaOnly,
                2400 + 700 * i as i64,
                95_000 + 20_000 * i as i64,
                "",
            );
        }
        Catalogue {
            items,
            usual,
            bundles: first..first + 6,
            china_only: first + 6..first + 6 + CHINA_ONLY.len(),
            gift_card,
            wrapping,
            bag,
            deposit,
            seed,
        }
    }

    /// The usual article of popularity `rank`, 0 = sells best. Neighbours in rank are not neighbours in number.
    pub fn ranked(&self, rank: usize) -> usize {
        (rank * 197 + 11) % self.usual
    }

    /// The usual article at position `at` of a place's range of `size`: the best sellers, then some of its own.
    pub fn ranged(&self, place: usize, at: usize, size: usize) -> usize {
        let core = size * 2 / 5;
        if at < core {
            return self.ranked(at);
        }
        let rest = self.usual - core;
        let start = hash(&[self.seed, 0x7a, place as u64]) as usize % rest;
        self.ranked(core + (start + (at - core) * 7919) % rest)
    }

    /// The articles of the gift set `which`: always the same, old ones.
    pub fn components(&self, which: usize) -> Vec<usize> {
        let old = |k: usize| {
            let mut item = self.ranked(which * 3 + k);
            while self.items[item].launched > FIRST {
                item = (item + 1) % self.usual;
            }
            item
        };
        (0..2 + which % 2).map(old).collect()
    }

    /// Price in cents of `currency`, tax included, on `day`.
    pub fn price(&self, item: usize, currency: Currency, day: Day) -> i64 {
        let item = &self.items[item];
        let pence = if item.rises && day >= PRICE_RISE { (item.pence * 104 + 50) / 100 } else { item.pence };
        match currency {
            Currency::Gbp => pence,
            Currency::Eur if matches!(item.kind, ItemType::Deposit | ItemType::Bundle) => pence,
            Currency::Eur => (pence * 117 / 100 + 9) / 10 * 10 - 5,
        }
    }

    /// Cost in ten-thousandths of `currency`.
    pub fn cost(&self, item: usize, currency: Currency) -> i64 {
        let cost = self.items[item].cost;
        if currency == Currency::Eur { cost * 117 / 100 } else { cost }
    }

    /// Tax as ten-thousandths of the net price.
    pub fn tax(&self, item: usize, tax: Tax) -> i64 {
        let item = &self.items[item];
        if matches!(item.kind, ItemType::GiftCard | ItemType::Deposit) {
            return 0;
        }
        match (tax, item.reduced_tax) {
            (Tax::Britain, false) => 2000,
            (Tax::Britain, true) => 0,
            (Tax::Germany, false) => 1900,
            (Tax::Germany, true) => 700,
            (Tax::China, _) => 910,
        }
    }
}

fn article(seed: u64, i: usize) -> Item {
    let h = hash(&[seed, 0x17, i as u64]);
    let category = (i % 6, i / 6 % 3, i / 18 % 3);
    let top = &CATEGORIES[category.0];
    let (_, thirds) = top.below[category.1];
    let weighed = top.id == "FOO" && category.1 == 1;
    let brand = BRANDS[(h >> 8) as usize % BRANDS.len()];
    let colour = COLOURS[(h >> 16) as usize % COLOURS.len()];
    let third = thirds[category.2];
    // Between one and six times the category's floor, most of them low, ending in 9 or 5.
    let spread = (h >> 24) % 1000;
    let floor = if weighed { 6 * top.from_pence } else { top.from_pence };
    let pence = (floor * (1000 + (spread * spread / 200) as i64) / 1000) / 10 * 10 + if h & 1 == 0 { 9 } else { 5 };
    let net = if top.reduced_tax { pence * 100 } else { pence * 100 * 10 / 12 };
    let cost = net * (340 + ((h >> 40) % 270) as i64) / 1000 / 50 * 50;
    Item {
        // Leading zeros on purpose: an article number is text.
        sku: format!("{:06}", 1000 + 7 * i),
        name: if weighed { format!("{brand} {third} No. {i}") } else { format!("{brand} {third} {colour} {i}") },
        brand,
        category,
        kind: if weighed { ItemType::Weighed } else { ItemType::Stocked },
        pence,
        cost,
        reduced_tax: top.reduced_tax,
        rises: h >> 60 < 5,
        launched: if h >> 32 & 15 == 0 {
            day(2025, 2, 1 + (h >> 50 & 15) as i64)
        } else {
            day(2022, 1 + (h >> 44 & 7) as i64, 15)
        },
    }
}

/// The id of a category: "KIT", "KIT-1", "KIT-1-2".
pub fn category_id(category: (usize, usize, usize), level: usize) -> String {
    let top = CATEGORIES[category.0].id;
    match level {
        1 => top.into(),
        2 => format!("{top}-{}", category.1 + 1),
        _ => format!("{top}-{}-{}", category.1 + 1, category.2 + 1),
    }
}

pub fn category_name(category: (usize, usize, usize), level: usize) -> &'static str {
    let top = &CATEGORIES[category.0];
    match level {
        1 => top.name,
        2 => top.below[category.1].0,
        _ => top.below[category.1].1[category.2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sane() {
        let catalogue = Catalogue::new(1, 500);
        assert_eq!((PRICE_RISE, MOVE), (day(2025, 10, 1), day(2025, 10, 15)));
        let mut skus: Vec<_> = catalogue.items.iter().map(|i| &i.sku).collect();
        skus.sort();
        skus.dedup();
        assert_eq!(skus.len(), catalogue.items.len());
        for (i, item) in catalogue.items.iter().enumerate() {
            for currency in [Currency::Gbp, Currency::Eur] {
                let price = catalogue.price(i, currency, PRICE_RISE);
                assert!(item.kind == ItemType::Bundle || price > 0, "{item:?}");
                assert!(catalogue.cost(i, currency) <= price * 100, "{item:?} {price}");
            }
        }
        let mut range: Vec<_> = (0..150).map(|at| catalogue.ranged(3, at, 150)).collect();
        range.sort_unstable();
        range.dedup();
        assert_eq!(range.len(), 150, "a place's range has no article twice");
    }
}
