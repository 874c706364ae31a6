//! Replenishment of SQL: `safety_stock`, `order_size`, `order_quantity`; the formulas are [`formula`]'s.

mod formula;

use self::formula::Bounds;
use super::numbers::Formula;

pub static REPLENISH: [Formula; 3] = [
    Formula {
        name: "safety_stock",
        arguments: &[
            ("service_level", "share of cycles without running out, between 0 and 1"),
            ("daily_mean", "units per day"),
            ("daily_sd", "their standard deviation"),
            ("days", "days that the stock has to last: lead time, with the review period where there is one"),
            ("lead_sd", "standard deviation of the lead time in days"),
        ],
        optional: 0,
        whole: false,
        about: "z × sqrt(days × daily_sd² + daily_mean² × lead_sd²), not below 0; NULL where an argument is.",
        of: |args| {
            let &[Some(level), Some(mean), Some(sd), Some(days), Some(lead_sd)] = args else { return None };
            formula::safety_stock(level, mean, sd, days, lead_sd)
        },
    },
    Formula {
        name: "order_size",
        arguments: &[
            ("annual_units", "units per year"),
            ("order_cost", "cost of an order, whatever its size"),
            ("holding_cost", "cost of holding a unit for a year"),
        ],
        optional: 0,
        whole: false,
        about: "The economic order quantity sqrt(2 × annual_units × order_cost / holding_cost); NULL where an argument is.",
        of: |args| {
            let &[Some(annual), Some(order_cost), Some(holding_cost)] = args else { return None };
            formula::order_size(annual, order_cost, holding_cost)
        },
    },
    Formula {
        name: "order_quantity",
        arguments: &[
            ("position", "inventory position: on hand, less what is promised, plus what is on its way"),
            ("reorder_point", "nothing is ordered above it"),
            ("up_to", "the position to be reached"),
            ("min_order", "least order; may be NULL"),
            ("pack", "orders are multiples of it; NULL = 1"),
            ("max_stock", "most that the place can hold; may be NULL"),
        ],
        optional: 3,
        whole: false,
        about: "Units to order: 0 above the reorder point, else up to up_to, at least min_order, in whole packs, within max_stock.",
        of: |args| {
            let &[Some(position), Some(reorder_point), Some(up_to), min_order, pack, max_stock] = args else {
                return None;
            };
            formula::order_quantity(position, reorder_point, up_to, Bounds { min_order, pack, max_stock })
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bounds_may_be_missing() {
        let [safety_stock, order_size, order_quantity] = &REPLENISH;
        assert_eq!((safety_stock.of)(&[Some(0.95), Some(1.0), None, Some(3.0), Some(0.0)]), None);
        assert_eq!((order_size.of)(&[Some(50.0), Some(1.0), Some(1.0)]), Some(10.0));
        let bare = [Some(1.0), Some(2.0), Some(9.0), None, None, None];
        assert_eq!((order_quantity.of)(&bare), Some(8.0));
        assert_eq!((order_quantity.of)(&[None, Some(2.0), Some(9.0), None, None, None]), None);
    }
}
