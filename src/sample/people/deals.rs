//! Opportunities: every step of each is a version of its own.

use std::path::Path;

use super::super::days::{DAY, Day, FIRST, LAST, Zone, quarter_name};
use super::super::dice::Dice;
use super::super::list::{List, text};
use super::super::offers::campaign;
use super::super::out::{Dirt, Ledger, Why};
use super::super::retailer::{Retailer, Rhythm, spread};
use super::super::text::push_cents;
use super::{DIRTY_DAY, REPS, home, instant, rep_id};
use crate::error::Result;

const HEADER: &str =
    "id,rev,stage,stage_no,status,amount,currency,probability,owner,lead,campaign,created,entered,closed,lost_reason";
const STAGES: [(&str, &str); 4] = [("lead", "0.1"), ("qualified", "0.3"), ("offer", "0.5"), ("negotiation", "0.8")];

type Version = [String; 15];

/// Writes the versions of all opportunities, each in the file of the quarter in which it began.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let stem = |day: Day| format!("people/opportunities_{}", quarter_name(day));
    let mut dice = Dice::new(retailer.seed, "opportunities");
    let mut list = List::new(landing, &stem(FIRST), HEADER, true)?;
    let mut later: Vec<(Day, Version)> = Vec::new();
    let mut next = 1;
    for (day, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Business, retailer.lines / 400)) {
        list.open(&stem(day), true)?;
        for _ in 0..n {
            later.extend(versions(retailer, &mut dice, day, next));
            next += 1;
        }
        let (due, rest): (Vec<_>, Vec<_>) = later.into_iter().partition(|(on, _)| *on == day);
        later = rest;
        for (_, version) in due {
            let fields = version.each_ref().map(String::as_str);
            list.ledger.counts.people_rows += 1;
            list.why(&fields, Why::First)?;
            if dice.chance(150) {
                list.why(&fields, Why::Repeat)?;
            }
        }
        if day == DIRTY_DAY {
            for (at, (column, value, dirt)) in DIRT.iter().enumerate() {
                let mut dirty = version(1, &deal(&mut dice, day, 900_000 + at as u64, "GBP"), day, End::Open, 0);
                dirty[HEADER.split(',').position(|c| c == *column).unwrap_or(0)] = (*value).into();
                list.why(&dirty.each_ref().map(String::as_str), Why::Dirty(dirt))?;
            }
        }
    }
    list.done()
}

/// What all versions share.
struct Deal {
    no: u64,
    /// Cents.
    amount: i64,
    currency: &'static str,
    owner: u64,
    lead: &'static str,
    campaign: String,
    created: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Won,
    Lost,
}

fn deal(dice: &mut Dice, day: Day, no: u64, currency: &'static str) -> Deal {
    let lead = *dice.pick(&["fair", "web", "referral", "cold_call"]);
    Deal {
        no,
        amount: 100 * dice.between(200, 9000),
        currency,
        owner: 1 + dice.below(REPS),
        lead,
        campaign: if lead == "web" { campaign(day, 0) } else { String::new() },
        created: Zone::London.utc(day * DAY + dice.between(9 * 3600, 12 * 3600)),
    }
}

/// The steps of an opportunity with their days; it may end at any of them, or stay where it is.
fn versions(retailer: &Retailer, dice: &mut Dice, day: Day, no: u64) -> Vec<(Day, Version)> {
    let german = home(dice.skewed(retailer.businesses)) == "DE";
    let mut deal = deal(dice, day, no, if german { "EUR" } else { "GBP" });
    let mut all = Vec::new();
    let mut on = day;
    for stage in 0..STAGES.len() {
        let end = match dice.below(100) {
            0..=13 => End::Lost,
            14..=55 if stage == 3 => End::Won,
            14..=17 if stage > 0 => End::Won,
            _ => End::Open,
        };
        all.push((on, version(all.len() + 1, &deal, on, end, stage)));
        if end != End::Open || dice.chance(700) {
            break;
        }
        on += dice.between(3, 25);
        // What is talked about changes what it is worth.
        deal.amount += 100 * dice.between(-50, 150);
    }
    all
}

fn version(rev: usize, deal: &Deal, on: Day, end: End, stage: usize) -> Version {
    let entered = (Zone::London.utc(on * DAY) + 13 * 3600 + 60 * (deal.no % 200) as i64).max(deal.created);
    let (name, likely) = STAGES[stage];
    let (status, likely) = match end {
        End::Open => ("open", likely),
        End::Won => ("won", "1"),
        End::Lost => ("lost", "0"),
    };
    [
        format!("O{:06}", deal.no),
        rev.to_string(),
        name.into(),
        (stage + 1).to_string(),
        status.into(),
        text(|o| push_cents(o, deal.amount)),
        deal.currency.into(),
        likely.into(),
        rep_id(deal.owner),
        deal.lead.into(),
        deal.campaign.clone(),
        instant(deal.created),
        instant(entered),
        if end == End::Open { String::new() } else { instant(entered) },
        if end == End::Lost {
            ["price", "delivery", "competitor"][(deal.no % 3) as usize].into()
        } else {
            String::new()
        },
    ]
}

const DIRT: &[(&str, &str, Dirt)] = &[
    ("status", "maybe", Dirt::new("V01", "reject", "status", "neither open nor won nor lost")),
    ("amount", "much", Dirt::new("V01", "reject", "amount", "not a number")),
    ("status", "won", Dirt::new("V01", "reject", "closed_at", "won, and not closed")),
    ("currency", "SEK", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
];
