//! Targets: plans of a year from July to June, in versions. What is planned is near what such a retailer sells.

use std::path::Path;

use super::super::days::{Day, LAST, civil, day};
use super::super::dice::hash;
use super::super::list::{List, date};
use super::super::out::{Dirt, Ledger, Why};
use super::super::retailer::Retailer;
use super::super::words::{CATEGORIES, CHANNELS, REGIONS};
use super::{REPS, rep_id};
use crate::error::Result;

const HEADER: &str = "plan,grain,start,end,kind,member,metric,version,value,approved_at,rev";
/// Net sales of a month at the usual size, pounds: January to December of the first year.
const MONTHS: [i64; 12] = [294, 285, 335, 336, 346, 336, 294, 285, 305, 376, 428, 423];
/// Ten-thousandths of the net sales, in the order of [`REGIONS`].
const OF_REGIONS: [i64; 9] = [2160, 1590, 1810, 1100, 1700, 1400, 145, 108, 104];
/// The same of [`CHANNELS`].
const OF_CHANNELS: [i64; 8] = [1050, 500, 120, 460, 360, 3750, 200, 3680];
/// The same of [`CATEGORIES`].
const OF_CATEGORIES: [i64; 6] = [2640, 1480, 1030, 1630, 2340, 880];

/// Writes a file per plan.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let mut plans = Plans {
        list: List::new(landing, "people/targets_2025", HEADER, true)?,
        seed: retailer.seed,
        lines: retailer.lines,
        rows: 0,
    };
    // The last plan ends in December: the rest is not made yet.
    for (year, months) in [(2025, 12), (2026, 12), (2027, 6)] {
        plans.list.open(&format!("people/targets_{year}"), true)?;
        for month in 0..months {
            plans.month(year, add_months(day(year - 1, 7, 1), month))?;
            if month % 3 == 0 {
                plans.quarter(retailer, year, add_months(day(year - 1, 7, 1), month))?;
            }
        }
        if year == 2026 {
            plans.dirty()?;
        }
    }
    plans.list.done()
}

fn add_months(from: Day, months: i64) -> Day {
    let (year, month, _) = civil(from);
    let at = year * 12 + month - 1 + months;
    day(at.div_euclid(12), at.rem_euclid(12) + 1, 1)
}

struct Plans {
    list: List,
    seed: u64,
    lines: u64,
    /// Rows told so far.
    rows: u64,
}

/// One target, its value aside.
struct Of<'a> {
    year: i64,
    start: Day,
    end: Day,
    kind: &'a str,
    member: &'a str,
    metric: &'a str,
}

impl Plans {
    /// Pounds that are expected of months, a share of them in ten-thousandths, 7 % more every year.
    fn expected(&self, start: Day, end: Day, share: i64) -> i64 {
        let (mut at, mut sum) = (start, 0);
        while at < end {
            let (year, month, _) = civil(at);
            let years = (year * 12 + month - 1 - (2024 * 12 + 6)).div_euclid(12);
            sum += MONTHS[month as usize - 1] * 1000 * (100 + 7 * years) / 100;
            at = add_months(at, 1);
        }
        sum * share / 10_000 * self.lines as i64 / super::super::DEFAULT_LINES as i64
    }

    fn month(&mut self, year: i64, start: Day) -> Result<()> {
        let end = add_months(start, 1);
        let of = |kind, member, metric| Of { year, start, end, kind, member, metric };
        let whole = self.expected(start, end, 10_000);
        for (metric, value) in [
            ("net_sales", whole),
            ("gross_profit", whole * 38 / 100),
            ("net_units", whole / 16),
            ("orders", whole / 104),
        ] {
            self.versions(&of("company", "all", metric), value)?;
        }
        for (region, share) in REGIONS.iter().zip(OF_REGIONS) {
            let value = self.expected(start, end, share);
            self.versions(&of("region", region.id, "net_sales"), value)?;
        }
        for ((channel, ..), share) in CHANNELS.iter().zip(OF_CHANNELS) {
            let value = self.expected(start, end, share);
            self.versions(&of("channel", *channel, "net_sales"), value)?;
        }
        Ok(())
    }

    fn quarter(&mut self, retailer: &Retailer, year: i64, start: Day) -> Result<()> {
        let end = add_months(start, 3);
        let all: i64 = retailer.places.iter().map(|p| i64::from(p.weight)).sum();
        for place in retailer.places.iter().filter(|p| !p.warehouse && p.open_on(start.min(LAST))) {
            let value = self.expected(start, end, 3750) * i64::from(place.weight) / all.max(1);
            self.versions(&Of { year, start, end, kind: "location", member: &place.id, metric: "net_sales" }, value)?;
        }
        for rep in 1..=REPS {
            let value = self.expected(start, end, 3880) / REPS as i64;
            self.versions(
                &Of { year, start, end, kind: "sales_rep", member: &rep_id(rep), metric: "net_sales" },
                value,
            )?;
        }
        for (region, share) in REGIONS.iter().zip(OF_REGIONS).filter(|(region, _)| region.stores > 0) {
            for (category, part) in CATEGORIES.iter().zip(OF_CATEGORIES) {
                let member = format!("{}/{}", region.id, category.id);
                let value = self.expected(start, end, share) * part / 10_000;
                let of = Of { year, start, end, kind: "region_category", member: &member, metric: "net_sales" };
                self.versions(&of, value)?;
            }
        }
        Ok(())
    }

    /// The plan; in 2026 a second version of regions and the company, and a draft that does not hold.
    fn versions(&mut self, of: &Of<'_>, value: i64) -> Result<()> {
        let wish = 96 + (hash(&[self.seed, 0x7a6, of.start as u64, of.member.len() as u64, self.rows]) % 13) as i64;
        let value = value * wish / 100;
        let value = if value > 5000 { value / 100 * 100 } else { value.max(1) };
        let revised = of.year == 2026 && of.start >= day(2026, 1, 1) && ["company", "region"].contains(&of.kind);
        self.put(of, 1, value, &format!("{}-06-20T12:00:00Z", of.year - 1))?;
        if revised {
            self.put(of, 2, value * 104 / 100, "2026-01-15T12:00:00Z")?;
            self.put(of, 3, value * 2, "")?;
        }
        Ok(())
    }

    /// A row; now and then one is told twice, or first with a wrong value.
    fn put(&mut self, of: &Of<'_>, version: i64, value: i64, approved: &str) -> Result<()> {
        let grain = if add_months(of.start, 1) == of.end { "month" } else { "quarter" };
        let plan = format!("PLAN-{}", of.year);
        let (start, end, version) = (date(of.start), date(of.end), version.to_string());
        let mut tell = |value: i64, rev: &str, why: Why| {
            let value = value.to_string();
            let (kind, member, metric) = (of.kind, of.member, of.metric);
            self.list.why(&[&plan, grain, &start, &end, kind, member, metric, &version, &value, approved, rev], why)
        };
        match self.rows % 97 {
            41 => {
                tell(value / 2, "1", Why::First)?;
                tell(value, "2", Why::Revision)?;
            }
            77 => {
                tell(value, "1", Why::First)?;
                tell(value, "1", Why::Repeat)?;
            }
            _ => tell(value, "1", Why::First)?,
        }
        self.rows += 1;
        self.list.ledger.counts.people_rows += 1;
        Ok(())
    }

    fn dirty(&mut self) -> Result<()> {
        for (column, value, dirt) in DIRT {
            let usual: [&str; 11] = [
                "PLAN-2026",
                "month",
                "2026-01-01",
                "2026-02-01",
                "channel",
                "kiosk",
                "net_sales",
                "1",
                "1000",
                "2025-06-20T12:00:00Z",
                "1",
            ];
            let at = HEADER.split(',').position(|c| c == *column).unwrap_or(0);
            let row: Vec<&str> =
                usual.iter().enumerate().map(|(i, field)| if i == at { *value } else { *field }).collect();
            self.list.why(&row, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

const DIRT: &[(&str, &str, Dirt)] = &[
    ("grain", "decade", Dirt::new("V01", "reject", "grain", "not a length of periods")),
    ("metric", "smiles", Dirt::new("V01", "reject", "metric", "not a figure that is planned")),
    ("value", "lots", Dirt::new("V01", "reject", "target_value", "not a number")),
    ("end", "2026-01-01", Dirt::new("V03", "reject", "period_end", "a period without a day")),
    ("value", "-5", Dirt::new("V03", "quarantine", "target_value", "a target below 0")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other() {
        assert_eq!(add_months(day(2025, 11, 1), 3), day(2026, 2, 1));
        assert_eq!(OF_CHANNELS.len(), CHANNELS.len());
        assert_eq!(OF_CATEGORIES.iter().sum::<i64>(), 10_000);
    }
}
