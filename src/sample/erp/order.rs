//! A document of the ERP as the order desk gets it.

use super::super::days::Day;
use super::super::desk::Job;
use super::row::Row;

/// A line's net amount and its tax.
fn taxed(row: &Row) -> i64 {
    let (net, rate) = (row.net_amount.unwrap_or(0), row.tax_rate.unwrap_or(0));
    net + (net * rate + 5000) / 10_000
}

/// The order of a document's rows; `struck`: its first line is struck off in the end.
pub(super) fn job(rows: &[Row], date: Day, struck: bool) -> Option<Job> {
    let head = rows.first()?;
    let german = head.company == Some("DE01");
    let struck = |row: &&Row| struck && row.line_no == 1 && row.order_discount == Some(0);
    let lines: Vec<&Row> = rows.iter().filter(|r| r.record_type == "L").filter(|r| !struck(r)).collect();
    let billed = |row: &&Row| matches!(row.charge_type, Some("shipping" | "fee"));
    let charges: i64 = rows.iter().filter(billed).filter_map(|r| r.charge_amount).sum();
    let total = lines.iter().map(|r| taxed(r)).sum::<i64>() + charges;
    let call = head.channel == Some("TEL");
    Some(Job {
        no: head.doc_no.get(1..).and_then(|no| no.parse().ok()).unwrap_or(0),
        id: head.doc_no.clone(),
        external: head.origin_order.as_deref().and_then(|o| o.split(':').nth(1)).unwrap_or_default().into(),
        priority: 20,
        kind: match head.order_type {
            Some("B2") => "b2b",
            Some("WS") => "wholesale",
            Some("QT") => "quote",
            Some("IN") => "internal",
            _ => "sale",
        },
        flow: match head.flow {
            Some("IN") => "sell_in",
            Some("OUT") => "sell_out",
            _ => "own",
        },
        channel: match head.channel {
            Some("TEL") => "tel",
            Some("MKT") => "market_eu",
            _ => "b2b",
        },
        zone: if german { "Europe/Berlin" } else { "Europe/London" },
        date,
        made: head.created_at?,
        confirmed: head.confirmed_at,
        paid: head.paid_at,
        cancelled: head.cancelled_at,
        reason: "",
        status: match head.status {
            Some(10) => "created",
            Some(20) => "confirmed",
            Some(30) => "paid",
            Some(40) => "partially_fulfilled",
            Some(50) => "fulfilled",
            Some(90) => "cancelled",
            _ => "completed",
        },
        currency: head.currency?,
        // To the cent, as it is billed.
        cents: (total + 50) / 100,
        customer: head.customer_no.clone().unwrap_or_default(),
        ship: head.ship_region.unwrap_or_default(),
        bill: head.bill_region.unwrap_or_default(),
        place: head.fulfil_place.unwrap_or_default(),
        staff: head.is_staff == Some(true),
        test: head.is_test == Some(true),
        goods: lines.iter().filter_map(|r| Some((i64::from(r.line_no), r.base_quantity?))).collect(),
        tender: Some(if call { "card" } else { "bank_transfer" }),
    })
}
