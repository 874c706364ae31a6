//! How the desk writes an order as a whole, and its steps from status to status.

use super::super::days::Seconds;
use super::Job;
use super::fields::Fields;
use super::parcels::{Parcel, promised};

pub const ORDERS: &str = "system,order_id,rev,external_no,priority,type,flow,channel,status,money,goods,placed,confirmed,paid,cancelled,\
    completed,ship_by,deliver_by,reason,zone,currency,total,customer,region,bill_region,staff,test";

pub const STEPS: &str = "system,order_id,seq,rev,from,to,at,actor,zone";

/// An order as it is in the end, with status `status`.
pub fn order(system: &str, job: &Job, parcels: &[Parcel], rev: i64, status: &str) -> Vec<u8> {
    let (ship_by, deliver_by) = promised(job);
    let cancelled = job.cancelled.filter(|_| status == "cancelled");
    let completed = completed(job, parcels).filter(|_| status == "completed");
    let sent = parcels.iter().filter(|p| p.shipped.is_some()).count();
    let goods = match status {
        "cancelled" => "cancelled",
        "completed" => "delivered",
        _ if sent == 0 => "unfulfilled",
        _ if sent < parcels.len() => "partial",
        _ => "fulfilled",
    };
    let money = match (job.paid, cancelled) {
        (Some(_), Some(_)) => "refunded",
        (Some(_), None) => "paid",
        (None, Some(_)) => "voided",
        (None, None) => "pending",
    };
    Fields::new()
        .text(system)
        .text(&job.id)
        .int(rev)
        .text(&job.external)
        .int(job.priority)
        .text(job.kind)
        .text(job.flow)
        .text(job.channel)
        .text(status)
        .text(money)
        .text(goods)
        .at(Some(job.made))
        .at(job.confirmed)
        .at(job.paid)
        .at(cancelled)
        .at(completed)
        .at(ship_by)
        .at(deliver_by)
        .text(if cancelled.is_some() { job.reason } else { "" })
        .text(job.zone)
        .text(job.currency)
        .cents(job.cents)
        .text(&job.customer)
        .text(job.ship)
        .text(job.bill)
        .flag(job.staff)
        .flag(job.test)
        .record()
}

/// When nothing was left to do: all had arrived and was paid. What was lost is given up after a while.
pub fn completed(job: &Job, parcels: &[Parcel]) -> Option<Seconds> {
    let arrived = parcels.iter().filter_map(|p| p.delivered.or(p.shipped)).max().or(job.confirmed);
    arrived.zip(job.paid).map(|(arrived, paid)| arrived.max(paid)).filter(|_| job.status == "completed")
}

/// The steps that an order took: status and instant, in order of time.
pub fn steps(job: &Job, parcels: &[Parcel]) -> Vec<(&'static str, Seconds)> {
    let mut steps = vec![("created", job.made)];
    steps.extend(job.confirmed.map(|at| ("confirmed", at)));
    steps.extend(job.paid.map(|at| ("paid", at)));
    let sent: Vec<Seconds> = parcels.iter().filter_map(|p| p.shipped).collect();
    let waits = parcels.iter().any(|p| p.shipped.is_none() && p.status != "cancelled");
    if let (Some(first), Some(last)) = (sent.iter().min(), sent.iter().max()) {
        if first < last || waits {
            steps.push(("partially_fulfilled", *first));
        }
        if !waits {
            steps.push(("fulfilled", *last));
        }
    }
    steps.extend(completed(job, parcels).map(|at| ("completed", at)));
    steps.extend(job.cancelled.map(|at| ("cancelled", at)));
    steps.sort_by_key(|(_, at)| *at);
    steps
}

/// One step.
pub fn step(system: &str, job: &Job, no: usize, rev: i64, from: &str, (to, at): (&str, Seconds)) -> Vec<u8> {
    let actor = match to {
        "created" | "cancelled" => "buyer",
        "paid" => "payments",
        "confirmed" => "desk",
        _ => "warehouse",
    };
    Fields::new()
        .text(system)
        .text(&job.id)
        .int(no as i64)
        .int(rev)
        .text(from)
        .text(to)
        .at(Some(at))
        .text(actor)
        .text(job.zone)
        .record()
}
