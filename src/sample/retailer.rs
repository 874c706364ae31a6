//! Who the retailer is at a given size: places, customers, and how busy each day is. All a function of seed and size.

use super::catalogue::{Catalogue, Currency, Tax};
use super::days::{DAYS, Day, FIRST, LAST, Zone, civil, day, weekday};
use super::dice::{Dice, hash, root};
use super::words::REGIONS;

/// A shop or warehouse.
#[derive(Debug, Clone)]
pub struct Place {
    pub id: String,
    pub name: String,
    pub city: &'static str,
    /// Index into [`REGIONS`].
    pub region: usize,
    pub warehouse: bool,
    /// Open at night: its day ends at 04:00.
    pub night: bool,
    pub opened: Day,
    pub closed: Option<Day>,
    /// How much it sells, against other places.
    pub weight: u32,
    pub square_metres: i64,
}

impl Place {
    pub fn german(&self) -> bool {
        REGIONS[self.region].country == "DE"
    }
    pub fn zone(&self) -> Zone {
        if self.german() { Zone::Berlin } else { Zone::London }
    }
    pub fn currency(&self) -> Currency {
        if self.german() { Currency::Eur } else { Currency::Gbp }
    }
    pub fn tax(&self) -> Tax {
        if self.german() { Tax::Germany } else { Tax::Britain }
    }
    pub fn open_on(&self, day: Day) -> bool {
        self.opened <= day && self.closed.is_none_or(|c| day <= c)
    }
}

#[derive(Debug)]
pub struct Retailer {
    pub seed: u64,
    pub lines: u64,
    pub catalogue: Catalogue,
    /// Shops, then the two warehouses.
    pub places: Vec<Place>,
    pub shops: usize,
    /// Articles that a place is supposed to have.
    pub range: usize,
    pub consumers: usize,
    pub businesses: usize,
}

impl Retailer {
    /// 40 shops, 500 articles and 10,000 consumers at 200,000 lines; shops grow with the root of the lines, articles slower.
    pub fn new(seed: u64, lines: u64) -> Retailer {
        let scale = root(lines * 10_000 / super::DEFAULT_LINES) as usize; // 100 at the usual size
        let mut places = Vec::new();
        for (r, region) in REGIONS.iter().enumerate() {
            let shops = if region.stores == 0 { 0 } else { (region.stores * scale / 100).max(1) };
            for _ in 0..shops {
                places.push(shop(seed, places.len(), r));
            }
        }
        let shops = places.len();
        // Shops at night: the first of London and the first of Northern Germany, whatever the size.
        for region in [0, 4] {
            if let Some(place) = places.iter_mut().find(|p| p.region == region) {
                (place.night, place.opened, place.closed) = (true, day(2019, 3, 1), None);
            }
        }
        for (id, region, city) in [("W01", 1, "Daventry"), ("W02", 4, "Hamburg")] {
            places.push(Place {
                id: id.into(),
                name: format!("Warehouse {city}"),
                city,
                region,
                warehouse: true,
                night: false,
                opened: day(2015, 1, 1),
                closed: None,
                weight: 0,
                square_metres: 12_000,
            });
        }
        let usual = 500 * (100 + scale.saturating_sub(100) / 3) / 100;
        let range = 150 + (usual - 500) / 10;
        let consumers = (lines as usize / 20).max(200);
        Retailer {
            seed,
            lines,
            catalogue: Catalogue::new(seed, usual),
            places,
            shops,
            range,
            consumers,
            businesses: consumers / 60 + 20,
        }
    }

    /// A European consumer who is known on `day`, some far more often than others. The later ones joined later.
    pub fn consumer(&self, dice: &mut Dice, day: Day) -> u32 {
        let known = self.consumers * 2 / 5 + self.consumers * 3 / 5 * (day - FIRST + 1) as usize / DAYS;
        let at = dice.skewed(known) as u32;
        if at % 20 == 19 { at - 1 } else { at }
    }

    /// As [`Retailer::consumer`], one of the twentieth who live in China.
    pub fn chinese_consumer(&self, dice: &mut Dice, day: Day) -> u32 {
        let at = self.consumer(dice, day);
        if at < 20 { 19 } else { at / 20 * 20 - 1 }
    }

    /// The day on which a consumer was first known: before [`Retailer::consumer`] can draw it.
    pub fn joined(&self, consumer: u32) -> Day {
        let old = self.consumers * 2 / 5;
        let (at, young) = (consumer as usize, self.consumers * 3 / 5);
        if at < old {
            return FIRST - 1 - (hash(&[self.seed, 0xc0, u64::from(consumer)]) % 1500) as i64;
        }
        (FIRST + ((at - old) * DAYS / young.max(1)) as i64 - 1).min(LAST)
    }

    /// Where a consumer lives: an index into [`REGIONS`].
    pub fn home(&self, consumer: u32) -> usize {
        if consumer % 20 == 19 {
            return 6 + hash(&[self.seed, 0xc1, u64::from(consumer)]) as usize % 3;
        }
        [0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5][hash(&[self.seed, 0xc1, u64::from(consumer)]) as usize % 11]
    }
}

fn shop(seed: u64, number: usize, region: usize) -> Place {
    let h = hash(&[seed, 0x51, number as u64]);
    let cities = REGIONS[region].cities;
    let city = cities[number % cities.len()];
    // A twelfth opened during the window, a twentieth closed in it.
    let opened = match h % 12 {
        0 => FIRST + 60 + (h >> 20) as i64 % 500,
        _ => day(2016 + (h >> 8 & 7) as i64, 1 + (h >> 12) as i64 % 12, 1 + (h >> 16) as i64 % 28),
    };
    let closed = (h % 20 == 7).then_some(FIRST + 300 + (h >> 24) as i64 % 400);
    Place {
        id: format!("S{:03}", number + 1),
        name: format!("{city} {}", ["High Street", "Station", "Market", "Arcade", "Quay"][(h >> 32) as usize % 5]),
        city,
        region,
        warehouse: false,
        night: false,
        opened,
        closed: closed.filter(|c| *c > opened + 90),
        weight: 50 + (h >> 40) as u32 % 100,
        square_metres: 80 + (h >> 48) as i64 % 400,
    }
}

/// Which days are busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    Shops,
    Online,
    Business,
    China,
}

/// How busy `day` is against others: growth × season × weekday × a little chance, in arbitrary units.
pub fn busy(seed: u64, rhythm: Rhythm, date: Day) -> u64 {
    let (_, month, of_month) = civil(date);
    let season = match rhythm {
        Rhythm::Business => [92, 98, 104, 100, 96, 98, 90, 84, 110, 118, 120, 80],
        Rhythm::China => [130, 80, 90, 92, 100, 135, 90, 92, 110, 105, 160, 110],
        _ => [88, 84, 92, 96, 98, 96, 94, 90, 98, 106, 132, 178],
    }[month as usize - 1];
    let week = match rhythm {
        Rhythm::Shops => [80, 82, 88, 98, 118, 150, 84],
        Rhythm::Online => [112, 104, 98, 94, 88, 90, 114],
        Rhythm::Business => [118, 122, 120, 116, 96, 6, 2],
        Rhythm::China => [98, 96, 96, 98, 102, 106, 104],
    }[weekday(date)];
    // Yearly growth: shops 3 %, online 18 %, business 8 %, China 40 %.
    let growth = match rhythm {
        Rhythm::Shops => 3,
        Rhythm::Online => 18,
        Rhythm::Business => 8,
        Rhythm::China => 40,
    } * (date - FIRST)
        + 36_500;
    let special = match (rhythm, month, of_month) {
        (Rhythm::Shops, 12, 25) => 0,
        (Rhythm::Shops, 12, 26) | (Rhythm::Shops | Rhythm::Business, 1, 1) => 8,
        (Rhythm::Business, 12, 24..=31) => 20,
        (Rhythm::Shops, 12, 18..=24) => 135,
        (Rhythm::Online, 11, 24..=30) => 190,
        (Rhythm::Online, 12, 22..=26) => 55,
        (Rhythm::China, 11, 11) => 600,
        (Rhythm::China, 6, 18) => 450,
        _ => 100,
    };
    let chance = 88 + hash(&[seed, 0xda, rhythm as u64, date as u64]) % 25;
    season * week * special * growth as u64 / 1000 * chance / 100
}

/// Orders of each day of the window, `total` in all, spread by [`busy`].
pub fn spread(seed: u64, rhythm: Rhythm, total: u64) -> Vec<u64> {
    let weights: Vec<u64> = (FIRST..=LAST).map(|d| busy(seed, rhythm, d)).collect();
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    let (mut before, mut gone) = (0_u128, 0_u64);
    weights
        .iter()
        .map(|w| {
            before += u128::from(*w);
            let until = (u128::from(total) * before / sum) as u64;
            let n = until - gone;
            gone = until;
            n
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_size_is_the_small_retailer() {
        let retailer = Retailer::new(1, super::super::DEFAULT_LINES);
        assert_eq!(
            (retailer.shops, retailer.places.len(), retailer.catalogue.usual, retailer.range),
            (40, 42, 500, 150)
        );
        let tiny = Retailer::new(1, 2_000);
        assert_eq!(tiny.shops, 6);
        let big = Retailer::new(1, 10_000_000);
        assert!(big.shops > 200 && big.catalogue.usual > 1000, "{} {}", big.shops, big.catalogue.usual);
    }

    #[test]
    fn all_orders_have_a_day() {
        let days = spread(1, Rhythm::Shops, 12_345);
        assert_eq!((days.len(), days.iter().sum::<u64>()), (DAYS, 12_345));
        assert_eq!(days[(day(2025, 12, 25) - FIRST) as usize], 0);
        let mut dice = Dice::new(1, "test");
        let retailer = Retailer::new(1, 20_000);
        for date in [FIRST, FIRST + 400, LAST] {
            for _ in 0..200 {
                let consumer = retailer.consumer(&mut dice, date);
                assert!(retailer.joined(consumer) <= date, "{consumer} {date}");
            }
        }
    }
}
