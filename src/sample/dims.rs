//! The lists: regions, channels, places, articles, customers and exchange rates, as CSV.

use std::path::Path;

use super::catalogue::{Catalogue, ItemType, MOVE, category_id, category_name};
use super::days::Zone;
use super::days::{DAY, FIRST, LAST, civil, push_rfc3339, weekday};
use super::dice::hash;
use super::erp::{business_home, business_key};
use super::list::{List, date, text};
use super::out::{Dirt, Ledger};
use super::retailer::Retailer;
use super::stock::held;
use super::supply::{SUPPLIERS, lead_days, supplier};
use super::text::{push_cents, push_decimal};
use super::words::{CHANNELS, COUNTRIES, REGIONS};
use crate::error::Result;

/// Writes all lists.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Vec<Ledger>> {
    Ok(vec![
        regions(landing)?,
        channels(landing)?,
        locations(retailer, landing)?,
        products(retailer, landing)?,
        customers(retailer, landing)?,
        suppliers(landing)?,
        policies(retailer, landing)?,
        rates(retailer, landing)?,
    ])
}

fn regions(landing: &Path) -> Result<Ledger> {
    let mut list = List::new(
        landing,
        "dimensions/regions",
        "region_id,name,level,parent_id,country_id,country_name,population",
        true,
    )?;
    for (id, name, people) in COUNTRIES {
        list.row(&[id, name, "1", "", id, name, &people.to_string()])?;
    }
    for r in REGIONS {
        let country = COUNTRIES.iter().find(|(id, ..)| *id == r.country).map_or("", |(_, name, _)| name);
        list.row(&[r.id, r.name, "2", r.country, r.country, country, &r.population.to_string()])?;
    }
    list.done()
}

fn channels(landing: &Path) -> Result<Ledger> {
    let mut list =
        List::new(landing, "dimensions/channels", "channel_id,name,type,online,platform,fee_rate,currency", true)?;
    for (id, name, kind, online, platform, fee, currency) in CHANNELS {
        list.row(&[id, name, kind, if *online { "true" } else { "false" }, platform, fee, currency])?;
    }
    list.dirt(&["pigeon", "Carrier pigeon", "carrier_pigeon", "false", "", "", "GBP"], &CHANNEL)?;
    list.done()
}

static CHANNEL: Dirt = Dirt::new("V01", "reject", "channel_type", "not a type of channel");

fn locations(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "location_id,name,type,region_id,country,city,tz,currency,day_close,opened_on,closed_on,area_sqm";
    let mut list = List::new(landing, "dimensions/locations", header, true)?;
    for p in &retailer.places {
        let closed = p.closed.map(date).unwrap_or_default();
        list.row(&[
            &p.id,
            &p.name,
            if p.warehouse { "warehouse" } else { "store" },
            REGIONS[p.region].id,
            REGIONS[p.region].country,
            p.city,
            p.zone().name(),
            p.currency().code(),
            if p.night { "04:00" } else { "00:00" },
            &date(p.opened),
            &closed,
            &p.square_metres.to_string(),
        ])?;
    }
    let wrong = [
        "S997",
        "Pop-up Brighton",
        "tent",
        "GB-LON",
        "GB",
        "Brighton",
        "Europe/London",
        "GBP",
        "00:00",
        "2026-06-01",
        "",
        "12",
    ];
    list.dirt(&wrong, &LOCATION)?;
    list.done()
}

static LOCATION: Dirt = Dirt::new("V01", "reject", "location_type", "not a type of place");

fn products(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "sku,gtin,name,brand,supplier,category1_id,category1,category2_id,category2,category3_id,category3,type,uom,\
        launched_on,msrp,tax_class,active,valid_from,rev";
    let mut list = List::new(landing, "dimensions/products", header, true)?;
    let catalogue = &retailer.catalogue;
    let mut last = 0;
    for (i, item) in catalogue.items.iter().enumerate() {
        if item.kind == ItemType::ChinaOnly {
            continue;
        }
        last = i;
        // Two articles have a wrong check digit; they land with a warning.
        let dirt = (i == 77 || i == 311).then_some(&GTIN);
        let gtin = gtin(i, dirt.is_some());
        let fields = product(catalogue, i, &gtin, item.category, "", "1");
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        match dirt {
            Some(dirt) => list.dirt(&fields, dirt)?,
            None => list.row(&fields)?,
        }
    }
    for i in moved(catalogue) {
        let (one, two, three) = catalogue.items[i].category;
        let fields = product(
            catalogue,
            i,
            &gtin(i, false),
            (one, (two + 1) % 3, three),
            &format!("{}T00:00:00Z", date(MOVE)),
            "2",
        );
        list.row(&fields.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    let mut fields = product(catalogue, last, "", (0, 0, 0), "", "1");
    fields[0].clear();
    list.dirt(&fields.iter().map(String::as_str).collect::<Vec<_>>(), &NO_SKU)?;
    list.done()
}

/// The articles that move to another second-level category at [`MOVE`].
fn moved(catalogue: &Catalogue) -> impl Iterator<Item = usize> + '_ {
    (0..10).map(|k| (k * 41 + 7) % catalogue.usual)
}

static GTIN: Dirt = Dirt::new("V11", "warn", "gtin", "the check digit is wrong");
static NO_SKU: Dirt = Dirt::new("V01", "reject", "sku", "no article");

fn product(
    catalogue: &Catalogue,
    i: usize,
    gtin: &str,
    category: (usize, usize, usize),
    valid_from: &str,
    rev: &str,
) -> Vec<String> {
    let item = &catalogue.items[i];
    let mut fields =
        vec![item.sku.clone(), gtin.into(), item.name.clone(), item.brand.into(), supplier_id(supplier(i))];
    for level in 1..=3 {
        fields.push(category_id(category, level));
        fields.push(category_name(category, level).into());
    }
    let kind = match item.kind {
        ItemType::Bundle => "bundle",
        ItemType::GiftCard => "gift_card",
        ItemType::Service => "service",
        ItemType::Fee | ItemType::Deposit => "non_stocked",
        _ => "stocked",
    };
    fields.push(kind.into());
    fields.push(if item.kind == ItemType::Weighed { "KGM" } else { "EA" }.into());
    fields.push(date(item.launched));
    fields.push(text(|o| push_cents(o, item.pence)));
    fields.push(if item.reduced_tax { "reduced" } else { "standard" }.into());
    fields.push("true".into());
    fields.push(valid_from.into());
    fields.push(rev.into());
    fields
}

/// A GTIN of 14 digits whose last one checks the others, or does not.
fn gtin(i: usize, wrong: bool) -> String {
    let body = format!("0{:012}", 505_000_000_000_u64 + 37 * i as u64);
    let sum: u32 = body.bytes().zip([3, 1].into_iter().cycle()).map(|(b, w)| u32::from(b - b'0') * w).sum();
    format!("{body}{}", ((10 - sum % 10) % 10 + u32::from(wrong)) % 10)
}

fn customers(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "customer_key,type,acquired_at,acquisition_channel,home_region,group,tier,birth_year,consent_email,consent_profiling";
    let mut list = List::new(landing, "dimensions/customers", header, false)?;
    for c in 0..retailer.consumers {
        let h = hash(&[retailer.seed, 0xcd, c as u64]);
        let at = text(|o| push_rfc3339(o, retailer.joined(c as u32) * DAY + (h >> 40) as i64 % 30_000, Zone::London));
        let tier = ["", "", "", "bronze", "bronze", "silver", "gold"][h as usize % 7];
        let channel =
            if c % 20 == 19 { "market_cn" } else { ["pos", "pos", "web", "web", "app", "tel"][(h >> 8) as usize % 6] };
        let year = if h >> 16 & 3 == 0 { String::new() } else { (1946 + (h >> 20) % 60).to_string() };
        list.row(&[
            &text(|o| super::push_consumer(o, c as u32)),
            "b2c",
            &at,
            channel,
            REGIONS[retailer.home(c as u32)].id,
            if tier.is_empty() { "guest" } else { "member" },
            tier,
            &year,
            if h >> 30 & 1 == 0 { "true" } else { "false" },
            if h >> 31 & 1 == 0 { "true" } else { "false" },
        ])?;
    }
    for b in 0..retailer.businesses {
        let group = ["retailer", "retailer", "cafe", "distributor"][b % 4];
        let home = REGIONS[business_home(b)].id;
        list.row(&[&business_key(b), "b2b", "2022-01-10T09:00:00Z", "b2b", home, group, "", "", "true", "false"])?;
    }
    let wrong = ["mel@example.com", "b2c", "2025-01-01T09:00:00Z", "web", "GB-LON", "guest", "", "", "true", "true"];
    list.dirt(&wrong, &CUSTOMER)?;
    list.done()
}

static CUSTOMER: Dirt = Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer");

fn suppliers(landing: &Path) -> Result<Ledger> {
    let mut list = List::new(landing, "dimensions/suppliers", "supplier_id,name,country,terms,lead_days,rev", true)?;
    for s in 0..SUPPLIERS {
        let (country, town) = [("GB", "Leeds"), ("DE", "Bremen"), ("NL", "Delft"), ("IT", "Prato")][s % 4];
        let terms = ["net 30", "net 60", "2/10 net 30"][s % 3];
        list.row(&[
            &supplier_id(s),
            &format!("{town} Trading {}", s + 1),
            country,
            terms,
            &lead_days(s).to_string(),
            "1",
        ])?;
    }
    list.dirt(&["SUP99", "Somewhen Ltd", "GB", "net 30", "-1", "1"], &SUPPLIER)?;
    list.done()
}

fn supplier_id(supplier: usize) -> String {
    format!("SUP{:02}", supplier + 1)
}

static SUPPLIER: Dirt = Dirt::new("V03", "reject", "default_lead_time_days", "delivered before it was ordered");

/// How each place keeps its articles; a few have no rule of their own, and of some the service level changed in March 2026.
fn policies(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "place,sku,valid_from,lead_days,lead_sd,review_days,service_level,min_order,pack,max_stock,order_cost,currency,holding_rate,rev";
    let mut list = List::new(landing, "dimensions/stock_policies", header, false)?;
    for (p, place) in retailer.places.iter().enumerate() {
        for item in held(retailer, p, LAST) {
            let h = hash(&[retailer.seed, 0x91, p as u64, item as u64]);
            if h.is_multiple_of(19) {
                continue;
            }
            let fields = |valid_from: &str, service: &str| -> Vec<String> {
                let lead = lead_days(supplier(item));
                let sd = ["0.5", "1", "1.5", ""][(h >> 8) as usize % 4];
                let pack = if place.warehouse { "24" } else { ["1", "1", "6", "12"][(h >> 16) as usize % 4] };
                let most = if (h >> 24).is_multiple_of(4) { (20 + (h >> 32) % 30).to_string() } else { String::new() };
                vec![
                    place.id.clone(),
                    retailer.catalogue.items[item].sku.clone(),
                    valid_from.into(),
                    lead.to_string(),
                    sd.into(),
                    ["7", "7", "14", "0"][(h >> 40) as usize % 4].into(),
                    service.into(),
                    ["1", "2", "6"][(h >> 44) as usize % 3].into(),
                    pack.into(),
                    if place.warehouse { String::new() } else { most },
                    ["5.00", "12.50"][(h >> 48) as usize % 2].into(),
                    place.currency().code().into(),
                    "0.2".into(),
                    "1".into(),
                ]
            };
            let write =
                |list: &mut List, fields: Vec<String>| list.row(&fields.iter().map(String::as_str).collect::<Vec<_>>());
            write(&mut list, fields("", ["0.9", "0.95", "0.98"][(h >> 52) as usize % 3]))?;
            if (h >> 56).is_multiple_of(29) {
                write(&mut list, fields("2026-03-01", "0.99"))?;
            }
        }
    }
    let bag = retailer.catalogue.items[retailer.catalogue.bag].sku.as_str();
    let wrong = ["S001", bag, "", "5", "1", "7", "1", "1", "1", "", "5.00", "GBP", "0.2", "1"];
    list.dirt(&wrong, &POLICY)?;
    list.done()
}

static POLICY: Dirt = Dirt::new("V03", "reject", "service_level", "never to run out");

/// Euro against pound on weekdays, both ways, from the week before the first day; none at weekends.
fn rates(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut list = List::new(landing, "dimensions/fx_rates", "date,base,quote,rate", true)?;
    let mut rate: i64 = 852_000; // millionths of a pound
    for day in FIRST - 7..=LAST {
        if weekday(day) >= 5 {
            continue;
        }
        rate += (hash(&[retailer.seed, 0xf0, day as u64]) % 4001) as i64 - 2000;
        rate += (852_000 - rate) / 40;
        let (_, month, of_month) = civil(day);
        // Banks are closed at Christmas.
        if (month, of_month) == (12, 25) {
            continue;
        }
        list.row(&[&date(day), "EUR", "GBP", &text(|o| push_decimal(o, rate, 6, b'.'))])?;
        list.row(&[&date(day), "GBP", "EUR", &text(|o| push_decimal(o, 1_000_000_000_000 / rate, 6, b'.'))])?;
    }
    list.dirt(&["2025-02-03", "USD", "GBP", "0"], &RATE)?;
    list.done()
}

static RATE: Dirt = Dirt::new("V03", "reject", "rate", "a rate of nothing");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_check() {
        // 3 × odd + 1 × even places of the whole number is a multiple of ten.
        let holds = |g: &str| {
            g.bytes().zip([3, 1].into_iter().cycle()).map(|(b, w)| u32::from(b - b'0') * w).sum::<u32>() % 10 == 0
        };
        assert!((0..50).all(|i| holds(&gtin(i, false)) && !holds(&gtin(i, true))));
        assert_eq!(gtin(0, false).len(), 14);
    }
}
