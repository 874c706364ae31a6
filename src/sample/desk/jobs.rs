//! Orders as the desk gets them, made of those that the other parts of the sample write.

use super::super::catalogue::Currency;
use super::super::days::{DAY, Day, Seconds, Zone};
use super::super::order::{ChargeKind, LineKind, Order, Status};
use super::super::words::REGIONS;
use super::{Job, consumer};

fn word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Confirmed => "confirmed",
        Status::Paid => "paid",
        Status::Fulfilled => "fulfilled",
        Status::Completed => "completed",
        Status::Cancelled => "cancelled",
    }
}

/// What the buyer is billed: lines with tax, shipping and its tax.
fn billed(order: &Order) -> i64 {
    let lines: i64 = order.lines.iter().filter(|l| !l.removed).map(|l| l.paid()).sum();
    let is_billed = |kind| matches!(kind, ChargeKind::Shipping | ChargeKind::ShippingDiscount | ChargeKind::Tax);
    lines + order.charges.iter().filter(|(kind, _)| is_billed(*kind)).map(|(_, cents)| cents).sum::<i64>()
}

fn job(order: &Order, prefix: char, channel: &'static str, date: Day) -> Job {
    let sent = |kind| matches!(kind, LineKind::Product | LineKind::BundleComponent);
    Job {
        no: order.no,
        id: format!("{prefix}{:07}", order.no),
        external: String::new(),
        priority: 10,
        kind: "sale",
        flow: "own",
        channel,
        zone: "Europe/London",
        date,
        made: order.made,
        confirmed: order.confirmed.filter(|_| order.status != Status::Created),
        paid: order.paid,
        cancelled: order.cancelled,
        reason: "",
        status: word(order.status),
        currency: order.currency.code(),
        cents: billed(order),
        customer: order.customer.map(consumer).unwrap_or_default(),
        ship: REGIONS[order.ship].id,
        bill: REGIONS[order.bill].id,
        place: if order.currency == Currency::Eur { "W02" } else { "W01" },
        staff: order.staff,
        test: order.test,
        goods: order.lines.iter().filter(|l| sent(l.kind) && !l.removed).map(|l| (l.no, l.quantity)).collect(),
        tender: None,
    }
}

/// An order of the web shop, and whether it is paid by invoice.
pub fn web(order: &Order, channel: &'static str, date: Day) -> (Job, bool) {
    let mut job = job(order, 'W', channel, date);
    let later = job.confirmed.zip(job.paid).is_some_and(|(confirmed, paid)| paid > confirmed + DAY);
    let by_invoice = later || job.confirmed.is_some() && job.paid.is_none();
    job.tender = by_invoice.then_some("invoice");
    (job, by_invoice)
}

/// The instant of a marketplace's wall clock.
pub fn utc(channel: &str, local: Seconds) -> Seconds {
    if channel == "market_cn" { local - 8 * 3600 } else { Zone::Berlin.utc(local) }
}

/// An order of a marketplace, whose times are a wall clock's.
pub fn market(order: &Order, prefix: char, channel: &'static str, date: Day) -> Job {
    let mut job = job(order, prefix, channel, date);
    job.zone = if channel == "market_cn" { "Asia/Shanghai" } else { "Europe/Berlin" };
    job.made = utc(channel, job.made);
    for at in [&mut job.confirmed, &mut job.paid, &mut job.cancelled] {
        *at = at.map(|at| utc(channel, at));
    }
    job.external = job.id.clone();
    // Shipping within Europe is taxed at 19 %.
    if order.currency == Currency::Eur {
        let shipping = order.charges.iter().filter(|(kind, _)| *kind == ChargeKind::Shipping).map(|(_, cents)| cents);
        job.cents += shipping.map(|net| (net * 19 + 50) / 100).sum::<i64>();
    }
    job
}
