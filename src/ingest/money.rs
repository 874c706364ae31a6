//! Amounts: what follows from price, quantity, discounts, tax and rate (domain 3.12). All in exact `i128` arithmetic,
//! rounded half away from zero, each amount once. It must not look anything up: the rate is given.
//!
//! Units: money 10^-4, quantity 10^-3, rates (tax and exchange) 10^-8.

use arrow::array::{Array, AsArray};

use super::decimal::{div_round, fits, mul_round};
use super::frame::{Findings, Frame, decimals};
use super::fx::ONE;
use crate::error::Result;
use crate::model::Kind;

/// What a source says about an order line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineGiven {
    pub(crate) unit_price: i128,
    pub(crate) quantity: i128,
    /// Price and discounts include tax.
    pub(crate) inclusive: bool,
    pub(crate) tax_rate: Option<i128>,
    pub(crate) line_discount: i128,
    pub(crate) order_discount: i128,
    /// Tax exclusive, taken as given.
    pub(crate) gross: Option<i128>,
    pub(crate) net: Option<i128>,
    pub(crate) tax: Option<i128>,
}

/// The line's amounts, tax exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) gross: i128,
    pub(crate) line_discount: i128,
    pub(crate) order_discount: i128,
    pub(crate) net: i128,
    pub(crate) tax: i128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// A price that includes tax cannot be split without the rate.
    NoTaxRate,
    TooLarge,
}

/// The part of an amount that is not tax.
fn without_tax(inclusive: i128, rate: i128) -> Result<i128, Undone> {
    let whole = ONE.checked_add(rate).filter(|w| *w > 0).ok_or(Undone::NoTaxRate)?;
    Ok(div_round(inclusive.checked_mul(ONE).ok_or(Undone::TooLarge)?, whole))
}

/// The **line amount** is split, never the unit price, and net + tax is what the buyer pays, exactly. The discounts are
/// then taken apart so that gross − both = net, exactly.
pub(crate) fn line(given: &LineGiven) -> Result<Line, Undone> {
    let extended = mul_round(given.unit_price, given.quantity, 3).ok_or(Undone::TooLarge)?;
    let (line_discount, order_discount) = (given.line_discount, given.order_discount);
    if !given.inclusive {
        let gross = given.gross.unwrap_or(extended);
        let net = given.net.unwrap_or(gross - line_discount - order_discount);
        let tax = match (given.tax, given.tax_rate) {
            (Some(tax), _) => tax,
            (None, Some(rate)) => mul_round(net, rate, 8).ok_or(Undone::TooLarge)?,
            (None, None) => 0,
        };
        return Ok(Line { gross, line_discount, order_discount, net, tax });
    }
    let paid = extended - line_discount - order_discount;
    let share = |amount| match (given.tax_rate, given.tax) {
        (Some(rate), _) => without_tax(amount, rate),
        // No rate, but the tax: everything shrinks as the whole does.
        (None, Some(tax)) if paid != 0 => amount_share(amount, paid - tax, paid),
        (None, Some(_)) => Ok(amount),
        (None, None) => Err(Undone::NoTaxRate),
    };
    let gross = given.gross.map_or_else(|| share(extended), Ok)?;
    let net = match (given.net, given.tax_rate, given.tax) {
        (Some(net), ..) => net,
        (None, None, Some(tax)) => paid - tax,
        _ => share(paid)?,
    };
    let (line_discount, order_discount) = if given.gross.is_some() || given.net.is_some() {
        // The source vouches for its own amounts; V04 compares them.
        (share(line_discount)?, share(order_discount)?)
    } else if order_discount == 0 {
        (gross - net, 0)
    } else if line_discount == 0 {
        (0, gross - net)
    } else {
        let line_discount = share(line_discount)?;
        (line_discount, gross - net - line_discount)
    };
    Ok(Line { gross, line_discount, order_discount, net, tax: given.tax.unwrap_or(paid - net) })
}

fn amount_share(amount: i128, part: i128, whole: i128) -> Result<i128, Undone> {
    let product = amount.checked_mul(part).ok_or(Undone::TooLarge)?;
    Ok(if whole > 0 { div_round(product, whole) } else { div_round(-product, -whole) })
}

/// A refund without its tax, and the tax.
pub(crate) fn refund(
    given: i128,
    inclusive: bool,
    rate: Option<i128>,
    tax: Option<i128>,
) -> Result<(i128, i128), Undone> {
    if !inclusive {
        let tax = match (tax, rate) {
            (Some(tax), _) => tax,
            (None, Some(rate)) => mul_round(given, rate, 8).ok_or(Undone::TooLarge)?,
            (None, None) => 0,
        };
        return Ok((given, tax));
    }
    let net = match (rate, tax) {
        (Some(rate), _) => without_tax(given, rate)?,
        (None, Some(tax)) => given - tax,
        (None, None) => return Err(Undone::NoTaxRate),
    };
    Ok((net, tax.unwrap_or(given - net)))
}

/// An amount in the reporting currency.
fn converted(amount: i128, rate: i128) -> Option<i128> {
    if rate == ONE { Some(amount) } else { mul_round(amount, rate, 8) }
}

/// Completes the amounts of a frame. `rates`: per row, reporting currency per unit (10^-8), if known.
pub(crate) fn complete(frame: &mut Frame, rates: &[Option<i128>], findings: &mut Findings) -> Result<()> {
    match frame.table.name {
        "order_line" => order_lines(frame, rates, findings),
        "return_line" => return_lines(frame, rates, findings),
        "order_charge" | "order_line_discount" | "opportunity" | "payment" => {
            convert_all(frame, rates, &[("amount", "amount_rc")], findings)
        }
        "marketing_cost" => {
            let pairs = [("spend", "spend_rc"), ("platform_revenue", "platform_revenue_rc")];
            convert_all(frame, rates, &pairs, findings)
        }
        "marketing_touch" => convert_all(frame, rates, &[("cost", "cost_rc")], findings),
        "fulfilment_line" => convert_all(frame, rates, &[("shipping_cost", "shipping_cost_rc")], findings),
        "inventory_snapshot" => {
            let values = [("unit_cost", "on_hand_cost_rc"), ("unit_retail", "retail_value_rc")];
            extended(frame, rates, "on_hand", &values, findings)
        }
        "inventory_movement" => extended(frame, rates, "quantity", &[("unit_cost", "cost_amount_rc")], findings),
        _ => Ok(()),
    }
}

fn flags(frame: &Frame, name: &str) -> Result<arrow::array::BooleanArray> {
    Ok(frame.get(name)?.as_boolean().clone())
}

fn undone(findings: &mut Findings, frame: &Frame, row: usize, why: Undone, amount: &str) {
    match why {
        Undone::NoTaxRate => {
            findings.reject(
                row,
                "V01",
                "tax_rate",
                frame.show("tax_rate", row),
                "prices that include tax need the tax rate or the tax",
            );
        }
        Undone::TooLarge => findings.reject(
            row,
            "V01",
            amount,
            frame.show(amount, row),
            "the amount does not fit 14 digits and 4 decimals",
        ),
    }
}

fn order_lines(frame: &mut Frame, rates: &[Option<i128>], findings: &mut Findings) -> Result<()> {
    const OUT: [&str; 5] =
        ["gross_amount", "line_discount_amount", "order_discount_allocated", "net_amount", "tax_amount"];
    let rows = frame.rows();
    let mut out: [Vec<Option<i128>>; 5] = std::array::from_fn(|_| vec![None; rows]);
    {
        let (price, quantity, rate) =
            (frame.decimal("unit_price")?, frame.decimal("quantity")?, frame.decimal("tax_rate")?);
        let inclusive = flags(frame, "price_includes_tax")?;
        let before = [
            frame.decimal(OUT[0])?,
            frame.decimal(OUT[1])?,
            frame.decimal(OUT[2])?,
            frame.decimal(OUT[3])?,
            frame.decimal(OUT[4])?,
        ];
        for row in 0..rows {
            let (Some(unit_price), Some(quantity)) = (price.get(row), quantity.get(row)) else { continue };
            let given = LineGiven {
                unit_price,
                quantity,
                inclusive: inclusive.is_valid(row) && inclusive.value(row),
                tax_rate: rate.get(row),
                line_discount: before[1].get(row).unwrap_or(0),
                order_discount: before[2].get(row).unwrap_or(0),
                gross: before[0].get(row),
                net: before[3].get(row),
                tax: before[4].get(row),
            };
            let done = line(&given).and_then(|l| {
                let all = [l.gross, l.line_discount, l.order_discount, l.net, l.tax];
                if all.iter().all(|a| fits(*a, 18)) { Ok(all) } else { Err(Undone::TooLarge) }
            });
            match done {
                Ok(all) => out.iter_mut().zip(all).for_each(|(column, amount)| column[row] = Some(amount)),
                Err(why) => undone(findings, frame, row, why, "unit_price"),
            }
        }
    }
    for (name, values) in OUT.iter().zip(out) {
        frame.set(name, decimals(values, &Kind::Money.arrow())?)?;
    }
    let pairs = [
        ("gross_amount", "gross_amount_rc"),
        ("net_amount", "net_amount_rc"),
        ("tax_amount", "tax_amount_rc"),
        ("cost_amount", "cost_amount_rc"),
    ];
    convert_all(frame, rates, &pairs, findings)?;
    // Not converted by itself: so that net = gross − discount holds in the reporting currency too.
    let (gross, net) = (frame.decimal("gross_amount_rc")?, frame.decimal("net_amount_rc")?);
    let discount = (0..rows).map(|r| Some(gross.get(r)? - net.get(r)?)).collect();
    frame.set("discount_amount_rc", decimals(discount, &Kind::Money.arrow())?)
}

fn return_lines(frame: &mut Frame, rates: &[Option<i128>], findings: &mut Findings) -> Result<()> {
    let rows = frame.rows();
    let (mut nets, mut taxes) = (vec![None; rows], vec![None; rows]);
    {
        let (amount, tax, rate) =
            (frame.decimal("refund_net_amount")?, frame.decimal("refund_tax_amount")?, frame.decimal("tax_rate")?);
        let inclusive = flags(frame, "price_includes_tax")?;
        for row in 0..rows {
            let Some(given) = amount.get(row) else { continue };
            match refund(given, inclusive.is_valid(row) && inclusive.value(row), rate.get(row), tax.get(row)) {
                Ok((net, tax)) if fits(net, 18) && fits(tax, 18) => (nets[row], taxes[row]) = (Some(net), Some(tax)),
                Ok(_) => undone(findings, frame, row, Undone::TooLarge, "refund_net_amount"),
                Err(why) => undone(findings, frame, row, why, "refund_net_amount"),
            }
        }
    }
    frame.set("refund_net_amount", decimals(nets, &Kind::Money.arrow())?)?;
    frame.set("refund_tax_amount", decimals(taxes, &Kind::Money.arrow())?)?;
    let pairs = [
        ("refund_net_amount", "refund_net_amount_rc"),
        ("refund_tax_amount", "refund_tax_amount_rc"),
        ("refund_shipping_amount", "refund_shipping_amount_rc"),
        ("cost_amount", "cost_amount_rc"),
    ];
    convert_all(frame, rates, &pairs, findings)
}

/// Values of stock: a quantity × each price, to 4 decimals, then converted.
fn extended(
    frame: &mut Frame,
    rates: &[Option<i128>],
    quantity: &str,
    prices: &[(&str, &str)],
    findings: &mut Findings,
) -> Result<()> {
    for (price, value) in prices {
        let (quantities, prices) = (frame.decimal(quantity)?, frame.decimal(price)?);
        let values = (0..frame.rows()).map(|row| {
            let (quantity, price) = quantities.get(row).zip(prices.get(row))?;
            Some((mul_round(quantity, price, 3).filter(|v| fits(*v, 18)), rates[row]?))
        });
        let mut converted_values = Vec::with_capacity(frame.rows());
        for (row, value) in values.enumerate() {
            let done = value.and_then(|(v, rate)| converted(v?, rate)).filter(|v| fits(*v, 18));
            if value.is_some() && done.is_none() {
                undone(findings, frame, row, Undone::TooLarge, quantity);
            }
            converted_values.push(done);
        }
        frame.set(value, decimals(converted_values, &Kind::Money.arrow())?)?;
    }
    Ok(())
}

/// Each first column, in the reporting currency, into the second.
fn convert_all(
    frame: &mut Frame,
    rates: &[Option<i128>],
    pairs: &[(&str, &str)],
    findings: &mut Findings,
) -> Result<()> {
    for (from, to) in pairs {
        let amounts = frame.decimal(from)?;
        let mut values = Vec::with_capacity(frame.rows());
        for (row, rate) in rates.iter().enumerate() {
            let both = amounts.get(row).zip(*rate);
            let done = both.and_then(|(amount, rate)| converted(amount, rate)).filter(|v| fits(*v, 18));
            if both.is_some() && done.is_none() {
                undone(findings, frame, row, Undone::TooLarge, from);
            }
            values.push(done);
        }
        frame.set(to, decimals(values, &Kind::Money.arrow())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERCENT: i128 = 1_000_000;

    #[test]
    fn d34_inclusive_and_exclusive_prices_agree() {
        let base = LineGiven { quantity: 1_000, tax_rate: Some(19 * PERCENT), ..LineGiven::default() };
        let inclusive = line(&LineGiven { unit_price: 1_190_000, inclusive: true, ..base });
        let exclusive = line(&LineGiven { unit_price: 1_000_000, ..base });
        let expected = Line { gross: 1_000_000, line_discount: 0, order_discount: 0, net: 1_000_000, tax: 190_000 };
        assert_eq!(inclusive, Ok(expected));
        assert_eq!(exclusive, Ok(expected));
    }

    #[test]
    fn the_line_amount_is_split_not_the_unit_price() {
        // 3 × 0.99 at 20 %: 2.97 / 1.2 = 2.475, where 3 × round(0.99 / 1.2, 4) would be 2.475 too, but 7 × 0.33 is not.
        let seven = LineGiven {
            unit_price: 3_300,
            quantity: 7_000,
            inclusive: true,
            tax_rate: Some(7 * PERCENT),
            ..LineGiven::default()
        };
        let done = line(&seven).expect("amounts");
        assert_eq!((done.net, done.tax), (21_589, 1_511), "2.31 / 1.07 = 2.1589");
    }

    #[test]
    fn given_amounts_are_taken() {
        let given = LineGiven {
            unit_price: 10_000,
            quantity: 2_000,
            gross: Some(19_000),
            tax: Some(1),
            line_discount: 500,
            ..LineGiven::default()
        };
        assert_eq!(
            line(&given),
            Ok(Line { gross: 19_000, line_discount: 500, order_discount: 0, net: 18_500, tax: 1 })
        );
        let no_rate = LineGiven { unit_price: 11_900, quantity: 1_000, inclusive: true, ..LineGiven::default() };
        assert_eq!(line(&no_rate), Err(Undone::NoTaxRate));
        let by_tax = line(&LineGiven { tax: Some(1_900), ..no_rate });
        assert_eq!(by_tax, Ok(Line { gross: 10_000, line_discount: 0, order_discount: 0, net: 10_000, tax: 1_900 }));
    }

    #[test]
    fn refunds_split_alike() {
        assert_eq!(refund(1_190_000, true, Some(19 * PERCENT), None), Ok((1_000_000, 190_000)));
        assert_eq!(refund(1_000_000, false, Some(19 * PERCENT), None), Ok((1_000_000, 190_000)));
        assert_eq!(refund(1_000_000, false, None, None), Ok((1_000_000, 0)));
        assert_eq!(refund(1_190_000, true, None, Some(190_000)), Ok((1_000_000, 190_000)));
        assert_eq!(refund(1, true, None, None), Err(Undone::NoTaxRate));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_a_split(
            unit_price in 0_i128..10_000_000, quantity in 1_i128..1_000_000, rate in 0_i128..50_000_000,
            first in 0_i128..1_000, second in 0_i128..1_000, which in 0..4,
        ) {
            let extended = mul_round(unit_price, quantity, 3).expect("fits");
            let line_discount = if which & 1 == 0 { 0 } else { extended * first / 2_000 };
            let order_discount = if which & 2 == 0 { 0 } else { extended * second / 2_000 };
            let given = LineGiven { unit_price, quantity, inclusive: true, tax_rate: Some(rate), line_discount, order_discount, ..LineGiven::default() };
            let done = line(&given).expect("amounts");
            prop_assert_eq!(done.net + done.tax, extended - line_discount - order_discount);
            prop_assert_eq!(done.gross - done.line_discount - done.order_discount, done.net);
            prop_assert!(done.line_discount >= -1 && done.order_discount >= -1);
            prop_assert!((which & 1 != 0) || done.line_discount == 0);
        }
    }
}
