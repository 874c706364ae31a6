//! The Chinese marketplace's report: Chinese headers and words, UTF-8 with a byte order mark, Beijing time, prices with tax.

use super::catalogue::{Currency, ItemType, Tax};
use super::days::{Day, Seconds, push_local};
use super::market::{Platform, amount};
use super::order::{ChargeKind, Line, Order, Status};
use super::out::Dirt;
use super::retailer::{Retailer, Rhythm};
use super::text::{push_cents, push_decimal, push_digits, push_int, push_short};
use super::words::REGIONS;

pub static PLATFORM: Platform = Platform {
    name: "market_cn",
    prefix: 'Y',
    header: "\u{feff}订单编号,行号,下单时间,付款时间,取消时间,更新时间,订单状态,是否测试,是否员工,买家编号,收货地区,运费,平台佣金,\
        商品编码,商品名称,计量单位,税率,币种,成本价,单价,数量,行优惠,店铺优惠分摊",
    delimiter: b',',
    currency: Currency::Gbp,
    tax: Tax::China,
    rhythm: Rhythm::China,
    share: 50,
    commission: 800,
    totals: false,
    dirty_day: DIRTY_DAY,
    dirt: DIRT,
    row,
};

fn flag(yes: bool) -> &'static [u8] {
    if yes { ",是".as_bytes() } else { ",否".as_bytes() }
}

fn row(retailer: &Retailer, out: &mut Vec<u8>, order: &Order, line: &Line, updated: Seconds) {
    let item = &retailer.catalogue.items[line.item];
    out.push(b'Y');
    push_digits(out, order.no, 7);
    out.push(b',');
    push_int(out, line.no);
    for at in [Some(order.made), order.paid, order.cancelled, Some(updated)] {
        out.push(b',');
        if let Some(at) = at {
            push_local(out, at);
        }
    }
    out.push(b',');
    out.extend_from_slice(
        match order.status {
            Status::Created => "待付款",
            Status::Confirmed => "待发货",
            Status::Paid => "已付款",
            Status::Fulfilled => "已发货",
            Status::Completed => "交易成功",
            Status::Cancelled => "已取消",
        }
        .as_bytes(),
    );
    out.extend_from_slice(flag(order.test));
    out.extend_from_slice(flag(order.staff));
    out.push(b',');
    if let Some(customer) = order.customer {
        super::push_consumer(out, customer);
    }
    out.push(b',');
    out.extend_from_slice(REGIONS[order.ship].name.as_bytes());
    for kind in [ChargeKind::Shipping, ChargeKind::Commission] {
        out.push(b',');
        if let (Some(cents), 1) = (amount(order, kind), line.no) {
            push_cents(out, cents);
        }
    }
    out.push(b',');
    // Some buyers' tools copy article numbers in full-width characters.
    if (order.no + line.no as u64).is_multiple_of(97) {
        let wide = item.sku.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap_or(c)).collect::<String>();
        out.extend_from_slice(wide.as_bytes());
    } else {
        out.extend_from_slice(item.sku.as_bytes());
    }
    out.push(b',');
    out.extend_from_slice(item.name.as_bytes());
    out.extend_from_slice(if item.kind == ItemType::Weighed { ",千克,".as_bytes() } else { ",件,".as_bytes() });
    push_short(out, line.tax, 4);
    out.push(b',');
    out.extend_from_slice(order.currency.code().as_bytes());
    out.push(b',');
    push_decimal(out, line.cost, 4, b'.');
    out.push(b',');
    push_cents(out, line.price);
    out.push(b',');
    push_short(out, line.quantity, 3);
    for cents in [line.discount, line.share] {
        out.push(b',');
        push_cents(out, cents);
    }
}

/// 2025-11-11.
const DIRTY_DAY: Day = 20_403;

const DIRT: &[(&str, &str, Dirt)] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("订单状态", "已丢失", Dirt::new("V01", "reject", "order_status", "not a status of the platform")),
    ("数量", "两件", Dirt::new("V01", "reject", "quantity", "not a number")),
    ("是否测试", "也许", Dirt::new("V01", "reject", "is_test", "neither yes nor no")),
    ("商品编码", "", Dirt::new("V01", "reject", "sku", "no article")),
    ("数量", "0", Dirt::new("V03", "quarantine", "quantity", "nothing was sold")),
    ("币种", "JPY", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    (
        "下单时间",
        "2096-11-11 00:00:01",
        Dirt::new("V09", "reject", "event_time", "ordered long after the file was written"),
    ),
    ("收货地区", "火星", Dirt::new("V12", "warn", "ship_region_id", "a region that the list does not have")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dirty_day_is_singles_day() {
        assert_eq!(DIRTY_DAY, super::super::days::day(2025, 11, 11));
    }
}
