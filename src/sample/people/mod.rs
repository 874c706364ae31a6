//! Who sells and what is planned: representatives, whom they look after, targets, activities and opportunities, as CSV.

use std::path::Path;

use super::days::{DAY, Day, FIRST, LAST, Zone, push_rfc3339, quarter_name};
use super::dice::{Dice, hash};
use super::erp::{business_home, business_key};
use super::list::{List, date, text};
use super::out::{Dirt, Ledger, Why};
use super::retailer::{Place, Retailer, Rhythm, spread};
use super::text::push_decimal;
use super::words::REGIONS;
use crate::error::Result;

mod deals;
mod targets;

/// The ERP's representatives.
const REPS: u64 = 12;
/// When two of them change places: 2025-10-01.
const MOVED: Day = 20_362;
/// Activities, opportunities and the rest have their dirt on 2025-09-30.
const DIRTY_DAY: Day = 20_361;

/// Writes the lists, the targets and what representatives did.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Vec<Ledger>> {
    Ok(vec![
        representatives(retailer, landing)?,
        assignments(retailer, landing)?,
        targets::write(retailer, landing)?,
        activities(retailer, landing)?,
        deals::write(retailer, landing)?,
    ])
}

/// "R07".
fn rep_id(rep: u64) -> String {
    format!("R{rep:02}")
}

/// Team, its leader, and the region, as an index into [`REGIONS`].
fn team(rep: u64) -> (&'static str, &'static str, usize) {
    match rep {
        1..=4 => ("telesales", "R01", 2),
        5..=9 => ("wholesale_uk", "R05", 0),
        _ => ("wholesale_de", "R10", 4),
    }
}

/// Representatives, and four people at the tills of each shop. The last shop has not sent its list.
fn representatives(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "sales_rep_id,name,team,manager,region,hired_on,left_on,valid_from,rev";
    let mut list = List::new(landing, "dimensions/sales_reps", header, true)?;
    for rep in 1..=REPS {
        let (team, leader, region) = team(rep);
        let hired = date(FIRST - 900 + 60 * rep as i64);
        let name = masked(retailer.seed, rep);
        list.row(&[&rep_id(rep), &name, team, leader, REGIONS[region].id, &hired, "", "", "1"])?;
    }
    let since = format!("{}T00:00:00Z", date(MOVED));
    for (rep, team, leader, region) in [(4, "wholesale_uk", "R05", 1), (9, "telesales", "R01", 3)] {
        let hired = date(FIRST - 900 + 60 * rep as i64);
        let name = masked(retailer.seed, rep);
        list.row(&[&rep_id(rep), &name, team, leader, REGIONS[region].id, &hired, "", &since, "2"])?;
    }
    for (at, place) in retailer.places[..retailer.shops - 1].iter().enumerate() {
        for k in 0..4 {
            till(&mut list, retailer.seed, at, place, k)?;
        }
    }
    let wrong = ["E990", "ada@example.com", "S001", "", "GB-LON", "", "", "", "1"];
    list.dirt(&wrong, &NOT_MASKED)?;
    list.done()
}

static NOT_MASKED: Dirt = Dirt::new("V20", "quarantine", "name_masked", "an e-mail address as name");

/// Somebody at the tills of a shop; who works in a shop that has closed has left.
fn till(list: &mut List, seed: u64, at: usize, place: &Place, k: u64) -> Result<()> {
    let number = at as u64 * 5 + k;
    let hired = date((place.opened + 20 * k as i64).min(LAST - 30));
    let left = place.closed.map(date).unwrap_or_default();
    let (id, name) = (format!("E{number:03}"), masked(seed, 100 + number));
    let leader = format!("E{:03}", at * 5);
    list.row(&[&id, &name, &place.id, &leader, REGIONS[place.region].id, &hired, &left, "", "1"])
}

/// "K. M***".
fn masked(seed: u64, number: u64) -> String {
    let h = hash(&[seed, 0x4e, number]);
    let letter = |n: u64| char::from(b'A' + (n % 26) as u8);
    format!("{}. {}***", letter(h), letter(h >> 8))
}

/// Who looks after which business. Some are shared 60 to 40; when two representatives change places, so do their businesses.
fn assignments(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut list = List::new(landing, "people/assignments", "kind,id,rep,share,since,rev", true)?;
    let (begin, change) = (date(FIRST - 180), date(MOVED));
    for business in 0..retailer.businesses {
        let key = business_key(business);
        let first = 5 + hash(&[retailer.seed, 0xa5, business as u64]) % 8;
        let second = 5 + (first - 5 + 3) % 8;
        // One in nine is nobody's.
        if business % 9 == 8 {
            continue;
        }
        let shared = business % 4 == 1;
        let mut put = |rep: u64, share: i64, since: &str, why: Why| {
            list.ledger.counts.people_rows += u64::from(why == Why::First);
            let share = text(|o| push_decimal(o, share, 1, b'.'));
            list.why(&["customer", &key, &rep_id(rep), &share, since, "1"], why)
        };
        put(first, if shared { 6 } else { 10 }, &begin, Why::First)?;
        if shared {
            put(second, 4, &begin, Why::First)?;
        }
        if first == 9 {
            put(4, 10, &change, Why::First)?;
        }
        if business % 50 == 7 {
            put(first, if shared { 6 } else { 10 }, &begin, Why::Repeat)?;
        }
    }
    list.why(&["customer", "B99998", "R05", "1.5", &begin, "1"], Why::Dirty(&SHARE))?;
    list.why(&["planet", "B99997", "R05", "1.0", &begin, "1"], Why::Dirty(&ASSIGNED))?;
    list.done()
}

static SHARE: Dirt = Dirt::new("V03", "reject", "share", "a share of more than all");
static ASSIGNED: Dirt = Dirt::new("V01", "reject", "assigned_type", "not a kind of thing to look after");

fn instant(at: i64) -> String {
    text(|o| push_rfc3339(o, at, Zone::London))
}

/// Calls and visits, planned and done, told in the evening; some are told again with another outcome.
fn activities(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "id,rev,type,rep,customer,planned,started,ended,outcome";
    let stem = |day: Day| format!("people/activities_{}", quarter_name(day));
    let mut dice = Dice::new(retailer.seed, "activities");
    let mut list = List::new(landing, &stem(FIRST), header, true)?;
    let mut later: Vec<(Day, [String; 9], Why)> = Vec::new();
    let mut next = 1;
    for (day, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Business, retailer.lines / 20)) {
        list.open(&stem(day), day < FIRST + 92)?;
        for _ in 0..n {
            let mut row = activity(retailer, &mut dice, day, next);
            next += 1;
            list.ledger.counts.people_rows += 1;
            list.why(&row.each_ref().map(String::as_str), Why::First)?;
            match dice.below(200) {
                0 => later.push((day + 2, row, Why::Repeat)),
                1 if row[8] == "open" => {
                    (row[1], row[8]) = ("2".into(), "order".into());
                    later.push((day + 5, row, Why::Revision));
                }
                _ => {}
            }
        }
        let (due, rest): (Vec<_>, Vec<_>) = later.into_iter().partition(|(on, ..)| *on == day);
        later = rest;
        for (_, row, why) in due {
            list.why(&row.each_ref().map(String::as_str), why)?;
        }
        if day == DIRTY_DAY {
            for (at, (spoil, dirt)) in ACTIVITY_DIRT.iter().enumerate() {
                let mut row = activity(retailer, &mut dice, day, 9_000_000 + at as u64);
                spoil(&mut row);
                list.ledger.counts.people_rows += u64::from(dirt.lands());
                list.why(&row.each_ref().map(String::as_str), Why::Dirty(dirt))?;
            }
        }
    }
    list.done()
}

fn activity(retailer: &Retailer, dice: &mut Dice, day: Day, no: u64) -> [String; 9] {
    let rep = 1 + dice.below(REPS);
    let kind = *dice.pick(&["call", "call", "call", "visit", "email", "meeting"]);
    let business = business_key(dice.skewed(retailer.businesses));
    let planned = Zone::London.utc(day * DAY + dice.between(8 * 3600, 16 * 3600));
    // One in twelve did not come about.
    let started = (!dice.chance(830)).then(|| planned + dice.between(0, 20) * 60);
    let ended = started.map(|at| at + dice.between(5, 70) * 60);
    let outcome = match started {
        None => "missed",
        Some(_) => *dice.pick(&["open", "open", "order", "no_interest"]),
    };
    let shown = |at: Option<i64>| at.map(instant).unwrap_or_default();
    [
        format!("A{no:07}"),
        "1".into(),
        kind.into(),
        rep_id(rep),
        business,
        instant(planned),
        shown(started),
        shown(ended),
        outcome.into(),
    ]
}

type Spoil = fn(&mut [String; 9]);

const ACTIVITY_DIRT: &[(Spoil, Dirt)] = &[
    (|r| r[2] = "seance".into(), Dirt::new("V01", "reject", "activity_type", "not a kind of activity")),
    (|r| r[3] = String::new(), Dirt::new("V01", "reject", "sales_rep_id", "nobody did it")),
    (
        |r| (r[5], r[6], r[7]) = Default::default(),
        Dirt::new("V01", "reject", "started_at", "an activity without any instant"),
    ),
    (
        |r| r[4] = "max@example.org".into(),
        Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer"),
    ),
    (|r| r[3] = "R77".into(), Dirt::new("V12", "warn", "sales_rep_id", "a representative that the list does not have")),
];

/// Where a business is, by its number.
fn home(business: usize) -> &'static str {
    REGIONS[business_home(business)].country
}

#[cfg(test)]
mod tests {
    use super::super::days::day;
    use super::*;

    #[test]
    fn the_days_are_what_they_are_called() {
        assert_eq!((MOVED, DIRTY_DAY), (day(2025, 10, 1), day(2025, 9, 30)));
        assert_eq!((rep_id(7), team(9).0), ("R07".to_string(), "wholesale_uk"));
    }
}
