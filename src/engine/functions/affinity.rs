//! Basket affinity of SQL: `lift`, `leverage`, `conviction` of two items (K80). Counts of distinct orders go in (trap D56): who counts
//! lines counts an order twice. Support and confidence are plain shares: `ratio(both, all)` and `ratio(both, a)`.

use super::numbers::Formula;

const COUNTS: &[(&str, &str)] = &[
    ("both", "orders with both items"),
    ("a", "orders with the first item"),
    ("b", "orders with the second item"),
    ("all", "all orders"),
];

pub static AFFINITY: [Formula; 3] = [
    Formula {
        name: "lift",
        arguments: COUNTS,
        optional: 0,
        whole: false,
        about: "both × all / (a × b): how many times as often as by chance; NULL where a or b is 0.",
        of: |args| {
            let &[Some(both), Some(a), Some(b), Some(all)] = args else { return None };
            quotient(both * all, a * b)
        },
    },
    Formula {
        name: "leverage",
        arguments: COUNTS,
        optional: 0,
        whole: false,
        about: "both / all - (a / all) × (b / all): the share of orders beyond that by chance; NULL where all is 0.",
        of: |args| {
            let &[Some(both), Some(a), Some(b), Some(all)] = args else { return None };
            quotient(both * all - a * b, all * all)
        },
    },
    Formula {
        name: "conviction",
        arguments: COUNTS,
        optional: 0,
        whole: false,
        about: "(1 - b / all) / (1 - both / a): how many times as often a would be without b by chance; NULL where it never is.",
        of: |args| {
            let &[Some(both), Some(a), Some(b), Some(all)] = args else { return None };
            quotient(a * (all - b), all * (a - both))
        },
    },
];

fn quotient(a: f64, b: f64) -> Option<f64> {
    (b != 0.0).then(|| a / b).filter(|quotient| quotient.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happens_has_no_answer() {
        let of = |counts: [f64; 4]| AFFINITY.each_ref().map(|formula| (formula.of)(&counts.map(Some)));
        assert_eq!(of([0.0; 4]), [None; 3]);
        // Whoever buys the first buys the second: without it there is none to compare with.
        assert_eq!(of([2.0, 2.0, 5.0, 10.0]), [Some(2.0), Some(0.1), None]);
        // Never both.
        assert_eq!(of([0.0, 2.0, 5.0, 10.0]), [Some(0.0), Some(-0.1), Some(0.5)]);
        assert_eq!((AFFINITY[0].of)(&[None, Some(1.0), Some(1.0), Some(1.0)]), None);
    }
}
