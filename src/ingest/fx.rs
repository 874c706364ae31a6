//! Exchange rates by day, as landed in fx_rate. It must not guess: no rate, no conversion (V18).

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};
use crate::model::Kind;

/// 1 in the scale of rates (8 decimals).
pub(crate) const ONE: i128 = 100_000_000;

/// A day without a rate takes the one before, if no more than this many days in a row are missing.
const LONGEST_GAP_DAYS: i32 = 7;

/// The rates that convert facts: type `spot_close`, not deleted.
#[derive(Debug, Clone, Default)]
pub struct FxRates {
    /// (base, quote) → days since 1970 and rate × 10^8, ascending by day.
    pairs: HashMap<(String, String), Vec<(i32, i128)>>,
}

impl FxRates {
    /// Reads rows of `fx_rate`; columns are found by name.
    pub fn from_batches(batches: &[RecordBatch]) -> Result<FxRates> {
        let mut pairs: HashMap<(String, String), Vec<(i32, i128)>> = HashMap::new();
        for batch in batches {
            let dates = column(batch, "rate_date", &DataType::Date32)?;
            let bases = column(batch, "base_currency", &DataType::Utf8)?;
            let quotes = column(batch, "quote_currency", &DataType::Utf8)?;
            let types = column(batch, "rate_type", &DataType::Utf8)?;
            let rates = column(batch, "rate", &Kind::Rate.arrow())?;
            let deleted = column(batch, "is_deleted", &DataType::Boolean)?;
            for i in 0..batch.num_rows() {
                if deleted.as_boolean().value(i) || types.as_string::<i32>().value(i) != "spot_close" {
                    continue;
                }
                let pair =
                    (bases.as_string::<i32>().value(i).to_string(), quotes.as_string::<i32>().value(i).to_string());
                let rate =
                    (dates.as_primitive::<Date32Type>().value(i), rates.as_primitive::<Decimal128Type>().value(i));
                pairs.entry(pair).or_default().push(rate);
            }
        }
        for rates in pairs.values_mut() {
            rates.sort_unstable();
        }
        Ok(FxRates { pairs })
    }

    /// How much of `quote` one unit of `base` costs on `day` (× 10^8), and the day of that rate: the day itself, else
    /// the latest one before it, if a later one is known too and the hole between the two is at most 7 days. So a rate
    /// once found does not depend on which rates land later inside a known range.
    pub fn rate(&self, base: &str, quote: &str, day: i32) -> Option<(i128, i32)> {
        if base == quote {
            return Some((ONE, day));
        }
        let rates = self.pairs.get(&(base.to_string(), quote.to_string()))?;
        let after = rates.partition_point(|(d, _)| *d <= day);
        let (found, rate) = *rates.get(after.checked_sub(1)?)?;
        if found == day {
            return Some((rate, found));
        }
        let (next, _) = rates.get(after)?;
        (next - found - 1 <= LONGEST_GAP_DAYS).then_some((rate, found))
    }
}

fn column(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<ArrayRef> {
    let found =
        batch.column_by_name(name).ok_or_else(|| Error::internal(format!("fx_rate: column {name} was not read")))?;
    Ok(cast(found, kind)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(days: &[i32]) -> FxRates {
        let of = days.iter().map(|d| (*d, i128::from(*d) * ONE)).collect();
        FxRates { pairs: HashMap::from([(("EUR".to_string(), "USD".to_string()), of)]) }
    }

    #[test]
    fn a_rate_is_the_days_own_or_the_one_before_a_short_hole() {
        let fx = rates(&[10, 13, 21, 30]);
        assert_eq!(fx.rate("EUR", "USD", 13), Some((13 * ONE, 13)));
        assert_eq!(fx.rate("EUR", "USD", 12), Some((10 * ONE, 10)));
        assert_eq!(fx.rate("EUR", "USD", 20), Some((13 * ONE, 13)), "seven days are missing");
        assert_eq!(fx.rate("EUR", "USD", 22), None, "eight days are missing");
        assert_eq!(fx.rate("EUR", "USD", 9), None, "before the first");
        assert_eq!(fx.rate("EUR", "USD", 31), None, "after the last: the next may still come");
        assert_eq!(fx.rate("USD", "EUR", 13), None, "rates are not turned round");
        assert_eq!(fx.rate("USD", "USD", 99), Some((ONE, 99)));
    }
}
