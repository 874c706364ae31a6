//! `lake_date(instant)`: the date in the lake's zone, a property of the lake. It must not look anything up.

use std::sync::Arc;

use chrono::DateTime;
use chrono_tz::Tz;
use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// The function for a lake whose zone is `zone`. NULL gives NULL.
pub fn lake_date(zone: Tz) -> ScalarUDF {
    let dates = Arc::new(move |arguments: &[ColumnarValue]| {
        let instants = ColumnarValue::values_to_arrays(arguments)?;
        let days = instants[0].as_primitive::<TimestampMicrosecondType>().iter().map(|micros| {
            let instant = DateTime::from_timestamp_micros(micros?)?;
            Some(Date32Type::from_naive_date(instant.with_timezone(&zone).date_naive()))
        });
        Ok(ColumnarValue::Array(Arc::new(days.collect::<Date32Array>()) as ArrayRef))
    });
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    create_udf("lake_date", vec![instant], DataType::Date32, Volatility::Immutable, dates)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

    async fn dates(zone: Tz) -> String {
        let ctx = SessionContext::new();
        ctx.register_udf(lake_date(zone));
        let sql = "SELECT CAST(lake_date(column1) AS VARCHAR) AS d FROM (VALUES \
            (arrow_cast('2026-06-30T23:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')), (NULL), \
            (arrow_cast('0001-01-01T00:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')))";
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        let texts = batches.iter().flat_map(|batch| batch.column(0).as_string_view().iter().collect::<Vec<_>>());
        texts.map(|text| text.unwrap_or("-").to_string()).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn the_date_is_that_of_the_zone() {
        assert_eq!(dates(chrono_tz::Europe::London).await, "2026-07-01 - 0000-12-31");
        assert_eq!(dates(chrono_tz::UTC).await, "2026-06-30 - 0001-01-01");
        assert_eq!(dates(chrono_tz::Asia::Shanghai).await, "2026-07-01 - 0001-01-01");
    }
}
