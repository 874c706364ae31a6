//! The formulas of replenishment (domain 4.4-S), plain numbers in and out. `None` where a formula has no answer: it must give
//! neither NaN nor infinity.

use crate::engine::functions::statistics::normal_quantile;

/// Quantities have three decimals: what is off by less than this is no other quantity.
const NOTHING: f64 = 1e-9;

/// z·√(T·σ² + d̄²·σ_L²): the stock that keeps a cycle of `days` (lead time, and review period where the stock is looked at now and
/// then) from running out in `service_level` of all cycles. Never below 0: a level under one half asks for none.
pub fn safety_stock(service_level: f64, mean: f64, sd: f64, days: f64, lead_sd: f64) -> Option<f64> {
    if sd < 0.0 || days < 0.0 || lead_sd < 0.0 {
        return None;
    }
    let deviation = (days * sd * sd + mean * mean * lead_sd * lead_sd).sqrt();
    finite((normal_quantile(service_level)? * deviation).max(0.0))
}

/// √(2·D·K/h): the quantity at which ordering and holding cost the same; `annual` units a year, `order_cost` per order,
/// `holding_cost` per unit and year.
pub fn order_size(annual: f64, order_cost: f64, holding_cost: f64) -> Option<f64> {
    if annual < 0.0 || order_cost < 0.0 || holding_cost <= 0.0 {
        return None;
    }
    finite((2.0 * annual * order_cost / holding_cost).sqrt())
}

/// What bounds an order; none of them has to be known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    pub min_order: Option<f64>,
    /// Orders are multiples of it; 1 where it is not known.
    pub pack: Option<f64>,
    /// The most that the place can hold.
    pub max_stock: Option<f64>,
}

/// What to order when the inventory position is `position`: nothing above the reorder point, else up to `up_to`, at least the
/// least order, in whole packs, and not beyond what the place can hold. An order that cannot be both is none.
pub fn order_quantity(position: f64, reorder_point: f64, up_to: f64, bounds: Bounds) -> Option<f64> {
    let (least, pack) = (bounds.min_order.unwrap_or(0.0).max(0.0), bounds.pack.unwrap_or(1.0));
    if pack <= 0.0 {
        return None;
    }
    if position > reorder_point {
        return Some(0.0);
    }
    let wanted = ((least.max(up_to - position) / pack - NOTHING).ceil() * pack).max(0.0);
    let room = bounds.max_stock.map_or(f64::INFINITY, |most| ((most - position) / pack + NOTHING).floor() * pack);
    let quantity = wanted.min(room);
    finite(if quantity < least - NOTHING { 0.0 } else { quantity.max(0.0) })
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_answer() {
        assert_eq!(safety_stock(0.95, 20.0, -6.0, 9.0, 2.0), None);
        assert_eq!(safety_stock(0.4, 20.0, 6.0, 9.0, 2.0), Some(0.0));
        assert_eq!([order_size(7300.0, 50.0, 0.0), order_size(f64::MAX, 50.0, 2.0)], [None; 2]);
        let no_pack = Bounds { pack: Some(0.0), ..Bounds::default() };
        assert_eq!(order_quantity(1.0, 2.0, 3.0, no_pack), None);
    }

    #[test]
    fn d51_orders_are_bounded_and_end() {
        let order = |position, min_order, pack, max_stock| {
            order_quantity(position, 20.0, 50.0, Bounds { min_order, pack, max_stock })
        };
        assert_eq!(order(20.5, None, None, None), Some(0.0));
        assert_eq!(order(20.0, None, None, None), Some(30.0));
        assert_eq!(order(20.0, Some(40.0), None, None), Some(40.0));
        assert_eq!(order(20.0, None, Some(12.0), None), Some(36.0));
        assert_eq!(order(20.0, None, Some(12.0), Some(50.0)), Some(24.0));
        // Neither less than the least order nor more than there is room for.
        assert_eq!(order(20.0, Some(40.0), Some(12.0), Some(50.0)), Some(0.0));
        assert_eq!(order(60.0, None, None, Some(50.0)), Some(0.0));
        // What was ordered is on order: the next look asks for nothing.
        for (position, pack) in [(-3.0, None), (0.0, Some(7.0)), (19.0, Some(12.0))] {
            let first = order(position, Some(2.0), pack, None).unwrap_or_default();
            assert_eq!(order(position + first, Some(2.0), pack, None), Some(0.0));
        }
    }
}
