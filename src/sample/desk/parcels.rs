//! The way of an order's goods: into which parcels they go, when these leave and arrive, what is late, cut short or lost.

use super::super::days::{DAY, LAST, Seconds};
use super::super::dice::Dice;
use super::Job;
use super::fields::Fields;

pub const HEADER: &str = "system,parcel,line,rev,order_id,order_line,place,method,carrier,status,qty,planned,promised,shipped,delivered,cost,\
    currency,zone";

/// What has not happened by then is not known yet.
pub const END: Seconds = LAST * DAY + 20 * 3600;

#[derive(Debug, Clone)]
pub struct Parcel {
    pub no: i64,
    /// Lines of the order and thousandths.
    pub goods: Vec<(i64, i64)>,
    pub carrier: &'static str,
    pub status: &'static str,
    pub shipped: Option<Seconds>,
    pub delivered: Option<Seconds>,
    /// What sending it costs, in cents.
    pub cost: i64,
}

/// The parcels of an order, as they are in the end.
pub fn plan(dice: &mut Dice, job: &Job) -> Vec<Parcel> {
    let Some(confirmed) = job.confirmed.filter(|_| !job.goods.is_empty()) else { return Vec::new() };
    let partly = job.status == "partially_fulfilled";
    let mut loads = vec![job.goods.clone()];
    if partly || dice.chance(400) {
        loads = split(&job.goods);
    }
    let sent = matches!(job.status, "partially_fulfilled" | "fulfilled" | "completed");
    let mut left = confirmed;
    let mut parcels = Vec::new();
    for (at, goods) in loads.into_iter().enumerate() {
        let carrier = *dice.pick(carriers(job));
        let mut parcel = Parcel {
            no: at as i64 + 1,
            goods,
            carrier,
            status: if dice.chance(3000) { "picked" } else { "planned" },
            shipped: None,
            delivered: None,
            cost: 290 + 10 * dice.between(0, 40),
        };
        let waits = dice.between(3 * 3600, 40 * 3600) + if dice.chance(600) { dice.between(2, 5) * DAY } else { 0 };
        let travels = dice.between(DAY / 2, 3 * DAY) + if dice.chance(700) { dice.between(1, 4) * DAY } else { 0 };
        let (short, lost) = (at > 0 && dice.chance(2000), dice.chance(30));
        if job.cancelled.is_some() || sent && short && !partly {
            // Nothing of it leaves: the order was cancelled, or there was nothing left to send.
            parcel.status = "cancelled";
        } else if sent && !(partly && at > 0) {
            left = (left + waits).min(END - 7200).max(left + 600);
            parcel.shipped = Some(left);
            parcel.status = if lost { "lost" } else { "shipped" };
            let arrives = (left + travels).min(if job.status == "completed" { END - 3600 } else { Seconds::MAX });
            if !lost && arrives < END {
                parcel.delivered = Some(arrives);
                parcel.status = "delivered";
            }
        }
        parcels.push(parcel);
    }
    parcels
}

/// Two loads: half of the lines each, or half of the only line; one load where nothing can be split.
fn split(goods: &[(i64, i64)]) -> Vec<Vec<(i64, i64)>> {
    match goods {
        [(line, quantity)] if *quantity >= 2000 && quantity % 1000 == 0 => {
            let first = quantity / 2000 * 1000;
            vec![vec![(*line, first)], vec![(*line, quantity - first)]]
        }
        [_] => vec![goods.to_vec()],
        _ => {
            let (first, rest) = goods.split_at(goods.len() / 2);
            vec![first.to_vec(), rest.to_vec()]
        }
    }
}

fn carriers(job: &Job) -> &'static [&'static str] {
    match job.zone {
        "Asia/Shanghai" => &["swift_panda"],
        "Europe/Berlin" => &["gelbpost", "gelbpost", "blitzkurier"],
        _ => &["redmail", "redmail", "parrot", "hollybank"],
    }
}

/// Until when it is to be shipped, and to arrive.
pub fn promised(job: &Job) -> (Option<Seconds>, Option<Seconds>) {
    let days = match job.channel {
        "market_cn" => 6,
        "b2b" => 7,
        "market_eu" => 4,
        _ => 5,
    };
    let until = |days: i64| job.confirmed.map(|at| (at.div_euclid(DAY) + days) * DAY + 18 * 3600);
    (until(2), until(days))
}

/// A parcel's lines as the desk writes them; `known`: as they were when it was planned, or as they are in the end.
pub fn records(system: &str, job: &Job, parcel: &Parcel, rev: i64, known: bool) -> Vec<Vec<u8>> {
    let (_, promised) = promised(job);
    let happened = |at: Option<Seconds>| at.filter(|_| known);
    let status = if known { parcel.status } else { "planned" };
    let cost = if happened(parcel.shipped).is_some() { parcel.cost } else { 0 };
    let lines = (1..).zip(&parcel.goods);
    let record = |(no, (line, quantity)): (i64, &(i64, i64))| {
        let fields = Fields::new()
            .text(system)
            .text(&format!("{}-{}", job.id, parcel.no))
            .int(no)
            .int(rev)
            .text(&job.id)
            .int(*line)
            .text(job.place)
            .text("ship")
            .text(parcel.carrier)
            .text(status)
            .thousandths(*quantity)
            .at(job.confirmed)
            .at(promised)
            .at(happened(parcel.shipped))
            .at(happened(parcel.delivered));
        // The whole parcel's cost stands on its first line.
        fields.cents(if no == 1 { cost } else { 0 }).text(job.currency).text(job.zone).record()
    };
    lines.map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_add_up() {
        assert_eq!(split(&[(1, 5000)]), [[(1, 2000)], [(1, 3000)]]);
        assert_eq!(split(&[(1, 1000)]), [[(1, 1000)]]);
        assert_eq!(split(&[(1, 250), (2, 1000), (3, 2000)]), vec![vec![(1, 250)], vec![(2, 1000), (3, 2000)]]);
    }
}
