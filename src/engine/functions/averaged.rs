//! `averaged(sum, count)`: an average from what it is made of, as `avg` of decimals divides: cut, not rounded. Not for callers:
//! plans over rollups are built with it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Places that an average has more than what it is of, and digits.
const MORE: i8 = 4;

/// `averaged(sum DECIMAL, count BIGINT)` with the type that `avg` of values of `digits` and `places` has; NULL where count is 0.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Averaged {
    digits: u8,
    places: i8,
    signature: Signature,
}

/// The function for averages of `DECIMAL(digits, places)`.
pub fn averaged(digits: u8, places: i8) -> ScalarUDF {
    let signature = Signature::any(2, Volatility::Immutable);
    ScalarUDF::from(Averaged { digits: (digits + MORE as u8).min(38), places: (places + MORE).min(38), signature })
}

impl ScalarUDFImpl for Averaged {
    fn name(&self) -> &str {
        "averaged"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(self.digits, self.places))
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [sums, counts] = arrays.as_slice() else { return exec_err!("averaged takes a sum and a count") };
        let (DataType::Decimal128(_, scale), Some(counts)) = (sums.data_type(), counts.as_primitive_opt::<Int64Type>())
        else {
            return exec_err!("averaged takes a DECIMAL and a BIGINT");
        };
        let shift = 10_i128.checked_pow(u32::try_from(self.places - scale).unwrap_or(u32::MAX));
        let Some(shift) = shift else { return exec_err!("an average has fewer places than its sum") };
        let averages = sums.as_primitive::<Decimal128Type>().iter().zip(counts.iter()).map(|(sum, count)| {
            let (Some(sum), Some(count)) = (sum, count.filter(|count| *count != 0)) else { return Ok(None) };
            match sum.checked_mul(shift) {
                Some(sum) => Ok(Some(sum / i128::from(count))),
                None => exec_err!("Arithmetic Overflow in avg"),
            }
        });
        let averages = averages.collect::<Result<Decimal128Array>>()?;
        let averages: ArrayRef = Arc::new(averages.with_precision_and_scale(self.digits, self.places)?);
        Ok(ColumnarValue::Array(averages))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    /// As the engine's own `avg`, whose results it stands for.
    #[tokio::test]
    async fn it_divides_as_avg_does() {
        let context = SessionContext::new();
        context.register_udf(super::averaged(18, 4));
        let sql = "SELECT avg(x) AS a, averaged(sum(x), count(x)) AS b, arrow_typeof(avg(x)) = arrow_typeof(averaged(sum(x), count(x))) \
                   FROM (SELECT column1 AS g, CAST(column2 AS DECIMAL(18,4)) AS x FROM (VALUES \
                   (1, 10), (1, 3), (1, 7), (2, -1), (2, 0), (2, -1), (3, NULL), (4, 0.0001), (4, 0.0002), (4, NULL), (4, 0.0002))) \
                   GROUP BY g ORDER BY g";
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        let shown = datafusion::arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        let rows: Vec<Vec<&str>> = shown
            .lines()
            .filter(|l| l.starts_with('|'))
            .skip(1)
            .map(|l| l.split('|').map(str::trim).collect())
            .collect();
        assert_eq!(rows.iter().map(|row| row[1]).collect::<Vec<_>>(), ["6.66666666", "-0.66666666", "", "0.00016666"]);
        assert!(rows.iter().all(|row| row[1] == row[2] && row[3] == "true"), "{shown}");
    }
}
