//! Marketing: the lists of promotions and campaigns, what campaigns cost per day, and contacts with customers, as CSV.

use std::path::Path;

use super::days::{DAY, Day, FIRST, LAST, Zone, push_rfc3339, quarter_name, settled};
use super::dice::{Dice, hash};
use super::list::{List, date, text};
use super::offers::{MEANS, Offer, campaign, campaigns, coupon, offers};
use super::out::{Dirt, Ledger, Sheet, Why};
use super::push_consumer;
use super::retailer::{Retailer, Rhythm, busy, spread};
use super::text::{push_cents, push_decimal, push_digits, with_field};
use super::words::CATEGORIES;
use crate::error::Result;

/// Writes the lists, the cost and the contacts.
pub fn write(retailer: &Retailer, landing: &Path, level: u32) -> Result<Vec<Ledger>> {
    Ok(vec![
        promotions(retailer, landing)?,
        promotion_products(retailer, landing)?,
        campaign_list(landing)?,
        spend(retailer, landing)?,
        contacts(retailer, landing, level)?,
    ])
}

/// Midnight of London on `day`.
fn midnight(day: Day) -> String {
    text(|o| push_rfc3339(o, Zone::London.utc(day * DAY), Zone::London))
}

fn promotions(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "promotion_id,name,type,starts_at,ends_at,channels,budget,fixed_cost,funded_by";
    let mut list = List::new(landing, "dimensions/promotions", header, true)?;
    let pounds = |amount: Option<i64>| amount.map(|a| a.to_string()).unwrap_or_default();
    for Offer { id, name, kind, from, until, channels, budget, fixed_cost, funder, .. } in &offers(retailer.seed) {
        let until = until.map(midnight).unwrap_or_default();
        list.row(&[
            id,
            name,
            kind,
            &midnight(*from),
            &until,
            channels,
            &pounds(*budget),
            &pounds(*fixed_cost),
            funder,
        ])?;
    }
    list.dirt(&["PROMO-LUCK", "Luck", "lottery", &midnight(FIRST), "", "", "", "", "merchant"], &PROMOTION)?;
    list.done()
}

static PROMOTION: Dirt = Dirt::new("V01", "reject", "promotion_type", "not a type of promotion");

/// Each promotion's categories; beside a quarter's one category stands another one for comparison.
fn promotion_products(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut list = List::new(landing, "dimensions/promotion_products", "promotion_id,sku,category_id,role", true)?;
    for offer in offers(retailer.seed) {
        for category in &offer.categories {
            list.row(&[&offer.id, "", CATEGORIES[*category].id, "promoted"])?;
        }
        if let [category] = offer.categories[..] {
            let other = CATEGORIES[(category + 3) % CATEGORIES.len()].id;
            list.row(&[&offer.id, "", other, "control"])?;
        }
    }
    list.dirt(&["SALE-2025-BLACK", &retailer.catalogue.items[0].sku, "HOM", "promoted"], &BOTH)?;
    list.done()
}

static BOTH: Dirt = Dirt::new("V01", "reject", "product_id", "an article and a category in one row");

fn campaign_list(landing: &Path) -> Result<Ledger> {
    let header = "campaign_id,name,means,starts_at,ends_at,objective,budget";
    let mut list = List::new(landing, "dimensions/campaigns", header, true)?;
    for c in campaigns() {
        let (_, means, _, _, _, pence) = MEANS[c.means];
        let objective = if means == "email" { "loyalty" } else { "acquisition" };
        let budget = (pence * (c.until - c.from) / 100).to_string();
        list.row(&[&c.id, &c.name, means, &midnight(c.from), &midnight(c.until), objective, &budget])?;
    }
    list.dirt(&["CMP-LOST", "Lost", "email", "some day", "", "", ""], &CAMPAIGN)?;
    list.done()
}

static CAMPAIGN: Dirt = Dirt::new("V01", "reject", "starts_at", "not an instant");

/// What campaigns cost per day. Platforms correct themselves days later, and some tell a day twice.
fn spend(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "day,campaign,platform,spend,currency,impressions,clicks,conversions,revenue,rev";
    let stem = |day: Day| format!("marketing/spend_{}", quarter_name(day));
    let mut list = List::new(landing, &stem(FIRST), header, true)?;
    let mut later: Vec<(Day, Vec<String>, Why)> = Vec::new();
    let usual = (FIRST..=LAST).map(|d| busy(retailer.seed, Rhythm::Online, d)).sum::<u64>() / (LAST - FIRST + 1) as u64;
    for day in FIRST..=LAST {
        list.open(&stem(day), true)?;
        let size = busy(retailer.seed, Rhythm::Online, day) as i64 * 1000 / usual.max(1) as i64;
        for (at, (_, _, platform, currency, _, pence)) in MEANS.iter().enumerate() {
            let h = hash(&[retailer.seed, 0x3a, day as u64, at as u64]);
            // The newsletter goes out on Thursdays and Sundays.
            if at == 2 && ![3, 6].contains(&super::days::weekday(day)) {
                continue;
            }
            let cents = (pence * size / 1000 * (80 + (h % 41) as i64) / 100 * retailer.lines as i64
                / super::DEFAULT_LINES as i64)
                .max(1);
            let impressions = cents * (3 + (h >> 8) as i64 % 5);
            let clicks = impressions / (40 + (h >> 16) as i64 % 60);
            let claimed = clicks / (20 + (h >> 24) as i64 % 20);
            let row = |cents: i64, rev: &str| {
                vec![
                    date(day),
                    campaign(day, at),
                    (*platform).into(),
                    text(|o| push_cents(o, cents)),
                    (*currency).into(),
                    impressions.to_string(),
                    clicks.to_string(),
                    claimed.to_string(),
                    text(|o| push_cents(o, claimed * 4200)),
                    rev.into(),
                ]
            };
            let first = row(cents, "1");
            list.ledger.counts.marketing_rows += 1;
            list.why(&fields(&first), Why::First)?;
            match (h >> 40) % 50 {
                0 | 1 => later.push((day + 3, row(cents + cents / 33 + 1, "2"), Why::Revision)),
                2 => later.push((day + 1, first, Why::Repeat)),
                _ => {}
            }
        }
        let (due, rest): (Vec<_>, Vec<_>) = later.into_iter().partition(|(on, ..)| *on == day);
        later = rest;
        for (_, row, why) in due {
            list.why(&fields(&row), why)?;
        }
        if day == DIRTY_DAY {
            let on = date(day);
            for (column, value, dirt) in SPEND_DIRT {
                // A platform of its own for each, so that no two have one key.
                let usual: [&str; 10] =
                    [&on, "CMP-2025-Q4-EML", dirt.why, "12.00", "GBP", "100", "10", "1", "42.00", "1"];
                let at = header.split(',').position(|c| c == *column).unwrap_or(0);
                let dirty: Vec<&str> =
                    usual.iter().enumerate().map(|(i, field)| if i == at { *value } else { *field }).collect();
                list.why(&dirty, Why::Dirty(dirt))?;
            }
        }
    }
    list.done()
}

fn fields(row: &[String]) -> Vec<&str> {
    row.iter().map(String::as_str).collect()
}

/// 2025-11-04.
const DIRTY_DAY: Day = 20_396;

const SPEND_DIRT: &[(&str, &str, Dirt)] = &[
    ("spend", "-3.00", Dirt::new("V03", "quarantine", "spend", "spent less than nothing")),
    ("campaign", "", Dirt::new("V01", "reject", "campaign_id", "no campaign")),
    ("clicks", "many", Dirt::new("V01", "reject", "clicks", "not a number of clicks")),
    ("currency", "SEK", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
];

const TOUCHES: &str = "id,type,at,customer,visitor,campaign,means,promotion,coupon,cost,currency";

/// Contacts with customers and visitors; a mail is sent for a fifth of a penny.
fn contacts(retailer: &Retailer, landing: &Path, level: u32) -> Result<Ledger> {
    let mut dice = Dice::new(retailer.seed, "touches");
    let mut sheet = Sheet::new(landing, "csv", TOUCHES, level);
    let mut ledger = Ledger::default();
    let mut next = 1;
    for (day, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Online, retailer.lines / 8)) {
        sheet.open(&mut ledger, &format!("marketing/touches_{}", quarter_name(day)), false)?;
        for _ in 0..n {
            let record = contact(retailer, &mut dice, day, next);
            next += 1;
            ledger.counts.marketing_rows += 1;
            sheet.put(&mut ledger, &record, Why::First)?;
            if dice.chance(30) {
                sheet.put(&mut ledger, &record, Why::Repeat)?;
            }
        }
        if day == DIRTY_DAY {
            for (column, value, dirt) in TOUCH_DIRT {
                let record = contact(retailer, &mut dice, day, next);
                next += 1;
                let at = TOUCHES.split(',').position(|c| c == *column).unwrap_or(0);
                sheet.put(&mut ledger, &with_field(&record, b',', at, value), Why::Dirty(dirt))?;
            }
        }
    }
    sheet.close(&mut ledger)?;
    Ok(ledger)
}

const TOUCH_DIRT: &[(&str, &str, Dirt)] = &[
    ("type", "smoke_signal", Dirt::new("V01", "reject", "touch_type", "not a kind of contact")),
    ("at", "", Dirt::new("V01", "reject", "touched_at", "no instant")),
    ("customer", "kim@example.com", Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
];

fn contact(retailer: &Retailer, dice: &mut Dice, day: Day, no: u64) -> Vec<u8> {
    // Clicks of searches, social media and banners; banners shown; mails sent, opened, clicked; coupons; unsubscribed.
    let (kind, means) = match dice.below(100) {
        0..=21 => ("click", 0),
        22..=36 => ("click", 1),
        37..=40 => ("click", 3),
        41..=55 => ("impression", 3),
        56..=71 => ("email_sent", 2),
        72..=78 => ("email_open", 2),
        79..=88 => ("email_click", 2),
        89..=98 => ("coupon_issued", 2),
        _ => ("unsubscribe", 2),
    };
    let known = means == 2 || dice.chance(6500);
    let at = Zone::London.utc(day * DAY + settled(day, dice.between(0, DAY - 60)));
    let mut out = Vec::with_capacity(140);
    out.push(b'T');
    push_digits(&mut out, no, 8);
    out.push(b',');
    out.extend_from_slice(kind.as_bytes());
    out.push(b',');
    push_rfc3339(&mut out, at, Zone::London);
    out.push(b',');
    if known {
        push_consumer(&mut out, retailer.consumer(dice, day));
        out.push(b',');
    } else {
        out.extend_from_slice(b",v");
        push_digits(&mut out, 2_000_000 + no, 7);
    }
    let (promotion, code) = if kind == "coupon_issued" { coupon(day, dice.below(3)) } else { Default::default() };
    for field in [campaign(day, means).as_str(), MEANS[means].1, promotion.as_str(), code.as_str()] {
        out.push(b',');
        out.extend_from_slice(field.as_bytes());
    }
    out.push(b',');
    if kind == "email_sent" {
        push_decimal(&mut out, 20, 4, b'.');
        out.extend_from_slice(b",GBP");
    } else {
        out.push(b',');
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::days::day;
    use super::*;

    #[test]
    fn a_contact_has_as_many_fields_as_the_header() {
        assert_eq!(DIRTY_DAY, day(2025, 11, 4));
        let retailer = Retailer::new(1, 2_000);
        let mut dice = Dice::new(1, "test");
        for no in 0..300 {
            let record = contact(&retailer, &mut dice, FIRST + 30, no);
            let commas = |text: &[u8]| text.iter().filter(|b| **b == b',').count();
            assert_eq!(commas(&record), commas(TOUCHES.as_bytes()), "{}", String::from_utf8_lossy(&record));
        }
    }
}
