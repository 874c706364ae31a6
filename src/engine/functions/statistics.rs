//! Statistics of SQL: `normal_quantile`, the bounds of a share (`wilson_lower`, `wilson_upper`) and scores (`rank_score`).

use statrs::distribution::{ContinuousCDF, Normal};

use super::numbers::Formula;

/// Above it a DOUBLE no longer tells whole numbers apart.
const MOST_LEVELS: f64 = 9_007_199_254_740_992.0;

const SHARE: &[(&str, &str)] = &[
    ("part", "how many have it, 0 or more"),
    ("whole", "of how many"),
    ("level", "in which share of all samples the interval holds the true share, between 0 and 1"),
];

pub static STATISTICS: [Formula; 4] = [
    Formula {
        name: "normal_quantile",
        arguments: &[("p", "a probability between 0 and 1")],
        optional: 0,
        whole: false,
        about: "z of the standard normal distribution with P(Z <= z) = p; NULL unless 0 < p < 1.",
        of: |args| {
            let &[Some(p)] = args else { return None };
            normal_quantile(p)
        },
    },
    Formula {
        name: "wilson_lower",
        arguments: SHARE,
        optional: 0,
        whole: false,
        about: "Lower bound of the Wilson interval of the share part / whole; NULL unless 0 <= part <= whole, whole > 0 and 0 < level < 1.",
        of: |args| {
            let &[Some(part), Some(whole), Some(level)] = args else { return None };
            Some(wilson(part, whole, level)?.0)
        },
    },
    Formula {
        name: "wilson_upper",
        arguments: SHARE,
        optional: 0,
        whole: false,
        about: "Upper bound of the Wilson interval of the share part / whole; NULL unless 0 <= part <= whole, whole > 0 and 0 < level < 1.",
        of: |args| {
            let &[Some(part), Some(whole), Some(level)] = args else { return None };
            Some(wilson(part, whole, level)?.1)
        },
    },
    Formula {
        name: "rank_score",
        arguments: &[
            ("rank", "rank() OVER (ORDER BY the value): 1 for the lowest, equal values alike"),
            ("count", "how many are ranked: count(*) OVER () of the same rows"),
            ("levels", "the highest score, a whole number"),
        ],
        optional: 0,
        whole: true,
        about: "1 + floor(levels × (rank - 1) / count): 1 (the lowest) to levels, by the share of those whose value is strictly lower.",
        of: |args| {
            let &[Some(rank), Some(count), Some(levels)] = args else { return None };
            rank_score(rank, count, levels)
        },
    },
];

/// z with Φ(z) = `p`, for 0 < p < 1.
pub fn normal_quantile(p: f64) -> Option<f64> {
    (p > 0.0 && p < 1.0).then(|| Normal::standard().inverse_cdf(p))
}

/// Between what bounds the share p = `part` / `whole` lies: (p + z²/2n ∓ z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), with n = `whole` and
/// z = Φ⁻¹((1 + `level`) / 2) (E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927; D69).
fn wilson(part: f64, whole: f64, level: f64) -> Option<(f64, f64)> {
    let is_share = whole > 0.0 && whole.is_finite() && (0.0..=whole).contains(&part);
    if !is_share || level <= 0.0 {
        return None;
    }
    let (z, p) = (normal_quantile((1.0 + level) / 2.0)?, part / whole);
    let middle = p + z * z / (2.0 * whole);
    let half = z * (p * (1.0 - p) / whole + z * z / (4.0 * whole * whole)).sqrt();
    let scale = 1.0 + z * z / whole;
    // The ends are exact, which DOUBLE misses by a hair.
    let lower = if part == 0.0 { 0.0 } else { ((middle - half) / scale).max(0.0) };
    let upper = if part == whole { 1.0 } else { ((middle + half) / scale).min(1.0) };
    (lower.is_finite() && upper.is_finite()).then_some((lower, upper))
}

/// Scores by percent rank (domain 4.4-R). A formula of the rank, and not a window function: `rank()` already counts who is strictly
/// lower, and the report says among whom. `percent_rank()` divides by one less, and NTILE tears equal values apart (trap D24).
fn rank_score(rank: f64, count: f64, levels: f64) -> Option<f64> {
    let some_levels = levels.fract() == 0.0 && (1.0..=MOST_LEVELS).contains(&levels);
    ((1.0..=count).contains(&rank) && some_levels)
        .then(|| 1.0 + (levels * (rank - 1.0) / count).floor())
        .filter(|score| score.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_answer() {
        assert_eq!([normal_quantile(0.0), normal_quantile(1.0), normal_quantile(f64::NAN)], [None; 3]);
        let none = [(1.0, 0.0, 0.95), (-1.0, 5.0, 0.95), (6.0, 5.0, 0.95), (1.0, 5.0, 0.0), (1.0, 5.0, 1.0)];
        assert_eq!(none.map(|(part, whole, level)| wilson(part, whole, level)), [None; 5]);
        assert_eq!([wilson(f64::NAN, 5.0, 0.95), wilson(1.0, f64::INFINITY, 0.95)], [None; 2]);
        assert_eq!([rank_score(0.0, 5.0, 5.0), rank_score(6.0, 5.0, 5.0), rank_score(1.0, 5.0, 0.0)], [None; 3]);
        assert_eq!([rank_score(5.0, 5.0, 4.5), rank_score(5.0, 5.0, 1e300)], [None; 2]);
    }

    #[test]
    fn the_ends_are_exact() {
        for whole in [1.0, 3.0, 10.0, 12_345.0] {
            assert_eq!(wilson(0.0, whole, 0.95).map(|bounds| bounds.0), Some(0.0));
            assert_eq!(wilson(whole, whole, 0.95).map(|bounds| bounds.1), Some(1.0));
        }
    }

    /// One of one is less certain than ninety of a hundred (D69).
    #[test]
    fn d69_few_do_not_lead() {
        let lower = |part, whole| wilson(part, whole, 0.95).map(|bounds| bounds.0);
        assert!(lower(1.0, 1.0) < lower(90.0, 100.0));
    }

    #[test]
    fn scores_reach_from_one_to_all_levels() {
        let scores =
            |count: u32| (1..=count).map(move |rank| rank_score(rank.into(), count.into(), 5.0).unwrap_or_default());
        assert_eq!(scores(10).collect::<Vec<_>>(), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]);
        assert_eq!(scores(1).collect::<Vec<_>>(), [1.0]);
        assert_eq!(scores(2).collect::<Vec<_>>(), [1.0, 3.0]);
    }
}
