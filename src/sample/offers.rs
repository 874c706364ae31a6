//! What the retailer offers and how it advertises: promotions, coupons and campaigns, all a function of seed and date. It must
//! not know who took what.

use super::days::{Day, FIRST, LAST, civil, day, quarter_name};
use super::dice::hash;
use super::words::CATEGORIES;

/// A promotion.
pub struct Offer {
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    pub from: Day,
    /// The first day on which it does not hold.
    pub until: Option<Day>,
    /// Separated by blanks; empty = all.
    pub channels: &'static str,
    /// Pounds.
    pub budget: Option<i64>,
    pub fixed_cost: Option<i64>,
    pub funder: &'static str,
    /// Indexes into [`CATEGORIES`].
    pub categories: Vec<usize>,
}

/// The sales: name, month, first day, first day after.
const SALES: [(&str, i64, i64, i64); 3] =
    [("Winter sale", 1, 2, 21), ("Summer sale", 7, 5, 26), ("Black week", 11, 22, 31)];

/// Points of regular customers, at the till.
pub const LOYALTY: &str = "LOYALTY";
/// A coupon that new customers get.
const WELCOME: &str = "CPN-WELCOME";
/// The coupon of telesales.
pub const CALL: &str = "CPN-TEL";
/// The promotion that the list does not have.
const UNLISTED: &str = "PROMO-2026-Q2-FOO";

/// The sale that is on at `date`: its place in [`SALES`].
fn sale(date: Day) -> Option<usize> {
    let (_, month, of_month) = civil(date);
    SALES.iter().position(|(_, m, from, until)| *m == month && (*from..*until).contains(&of_month))
}

fn sale_id(which: usize, date: Day) -> String {
    format!("SALE-{}-{}", civil(date).0, ["WINTER", "SUMMER", "BLACK"][which])
}

/// The first day of the quarter of `date`.
fn quarter(date: Day) -> Day {
    let (year, month, _) = civil(date);
    day(year, (month - 1) / 3 * 3 + 1, 1)
}

fn next_quarter(date: Day) -> Day {
    quarter(quarter(date) + 95)
}

/// The promotion under which an article of a category is reduced on `date`, and who bears it.
pub fn price_cut(seed: u64, category: usize, date: Day) -> (String, &'static str) {
    match sale(date) {
        Some(which) => (sale_id(which, date), "merchant"),
        None => {
            let bears = hash(&[seed, 0x0f, quarter(date) as u64, category as u64]).is_multiple_of(3);
            let id = format!("PROMO-{}-{}", quarter_name(date), CATEGORIES[category].id);
            (id, if bears { "supplier" } else { "merchant" })
        }
    }
}

/// A coupon of `date` and its code, hashed: two codes of the quarter, and one for new customers.
pub fn coupon(date: Day, which: u64) -> (String, String) {
    let id = if which % 3 == 2 { WELCOME.into() } else { format!("CPN-{}", quarter_name(date)) };
    let code = code_of(&id, which % 3);
    (id, code)
}

/// The hash of the code `which` of a promotion; a letter in front, so that it never looks like a number.
pub fn code_of(promotion: &str, which: u64) -> String {
    let of: Vec<u64> = promotion.bytes().map(u64::from).chain([which]).collect();
    format!("h{:016x}", hash(&of))
}

/// The voucher of a marketplace.
pub fn voucher(system: &str) -> String {
    format!("VOUCHER-{}", if system == "market_cn" { "CN" } else { "EU" })
}

/// Every promotion that the list has.
pub fn offers(seed: u64) -> Vec<Offer> {
    let mut all = Vec::new();
    let mut add = |id: String, name: String, kind, from, until| {
        all.push(Offer {
            id,
            name,
            kind,
            from,
            until,
            channels: "",
            budget: None,
            fixed_cost: None,
            funder: "merchant",
            categories: Vec::new(),
        });
        all.len() - 1
    };
    let every = add(LOYALTY.into(), "Points of regular customers".into(), "points", day(2020, 1, 1), None);
    let welcome = add(WELCOME.into(), "Welcome".into(), "coupon", day(2023, 1, 1), None);
    let call = add(CALL.into(), "Five off by telephone".into(), "coupon", day(2024, 1, 1), None);
    let vouchers = ["market_eu", "market_cn"]
        .map(|system| add(voucher(system), format!("Vouchers of {system}"), "coupon", day(2024, 1, 1), None));
    let first_sale = vouchers[1] + 1;
    for (which, (name, month, from, until)) in SALES.iter().enumerate() {
        for year in 2024..=2026 {
            let (begins, ends) = (day(year, *month, *from), day(year, *month, *until));
            if (FIRST..=LAST).contains(&begins) {
                add(sale_id(which, begins), format!("{name} {year}"), "percent_off", begins, Some(ends));
            }
        }
    }
    let first_quarterly = all.len();
    all[every].channels = "pos";
    (all[welcome].channels, all[call].channels) = ("web app live", "tel");
    for (at, channel) in vouchers.into_iter().zip(["market_eu", "market_cn"]) {
        (all[at].channels, all[at].funder) = (channel, "platform");
    }
    for offer in &mut all[first_sale..first_quarterly] {
        (offer.budget, offer.fixed_cost) = (Some(20_000), Some(1_500));
        offer.categories = (0..CATEGORIES.len()).collect();
    }
    let mut begins = FIRST;
    while begins <= LAST {
        let ends = next_quarter(begins);
        all.push(Offer {
            id: format!("CPN-{}", quarter_name(begins)),
            name: format!("Coupons {}", quarter_name(begins)),
            kind: "coupon",
            from: begins,
            until: Some(ends),
            channels: "web app live",
            budget: Some(3_000),
            fixed_cost: Some(250),
            funder: "merchant",
            categories: Vec::new(),
        });
        for (category, top) in CATEGORIES.iter().enumerate() {
            let id = format!("PROMO-{}-{}", quarter_name(begins), top.id);
            if id == UNLISTED {
                continue;
            }
            // Any day of the quarter without a sale tells who bears it: so does its first one.
            let (_, funder) = price_cut(seed, category, begins);
            all.push(Offer {
                id,
                name: format!("{} {}", top.name, quarter_name(begins)),
                kind: "percent_off",
                from: begins,
                until: Some(ends),
                channels: "",
                budget: Some(2_000 + 500 * category as i64),
                fixed_cost: (category % 2 == 0).then_some(400),
                funder,
                categories: vec![category],
            });
        }
        begins = ends;
    }
    all
}

/// Ways to advertise: the end of a campaign's id, its marketing channel, platform, currency, name, and pence per day at the
/// usual size.
pub const MEANS: [(&str, &str, &str, &str, &str, i64); 4] = [
    ("SEA", "paid_search", "google", "GBP", "Search", 4800),
    ("SOC", "paid_social", "instagram", "EUR", "Social", 3500),
    ("EML", "email", "mailer", "GBP", "Newsletter", 800),
    ("DSP", "display", "adnet", "EUR", "Banners", 2400),
];

/// The campaign by `means` that runs on `date`.
pub fn campaign(date: Day, means: usize) -> String {
    format!("CMP-{}-{}", quarter_name(date), MEANS[means].0)
}

/// A campaign of the list: id, name, means, first day, first day after.
pub struct Campaign {
    pub id: String,
    pub name: String,
    pub means: usize,
    pub from: Day,
    pub until: Day,
}

/// Every campaign that the list has: the last quarter's banners are not in it.
pub fn campaigns() -> Vec<Campaign> {
    let mut all = Vec::new();
    let mut begins = FIRST;
    while begins <= LAST {
        let until = next_quarter(begins);
        for (means, (_, _, _, _, name, _)) in MEANS.iter().enumerate() {
            if until <= LAST || means != 3 {
                let name = format!("{name} {}", quarter_name(begins));
                all.push(Campaign { id: campaign(begins, means), name, means, from: begins, until });
            }
        }
        begins = until;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_listed_but_for_one() {
        let offers = offers(1);
        let mut ids: Vec<&str> = offers.iter().map(|o| o.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), offers.len(), "no promotion twice");
        for date in FIRST..=LAST {
            for category in 0..CATEGORIES.len() {
                let (id, funder) = price_cut(1, category, date);
                match offers.iter().find(|o| o.id == id) {
                    Some(offer) => {
                        assert!(offer.from <= date && offer.until.is_none_or(|until| date < until), "{id}");
                        assert_eq!(offer.funder, funder, "{id}");
                    }
                    None => assert_eq!(id, UNLISTED),
                }
            }
            assert!((0..3).all(|which| offers.iter().any(|o| o.id == coupon(date, which).0)));
        }
        assert_eq!(campaigns().len(), 8 * 4 - 1);
    }

    #[test]
    fn codes_differ() {
        let (a, b) = (coupon(FIRST, 0), coupon(FIRST, 1));
        assert!(a.0 == b.0 && a.1 != b.1 && a.1.starts_with('h') && a.1.len() == 17);
        assert_eq!(next_quarter(FIRST), day(2024, 10, 1));
    }
}
