//! `GetXdbcTypeInfo`: the types that results have, as ODBC and JDBC count them.

use arrow::array::RecordBatch;
use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{CommandGetXdbcTypeInfo, Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

use crate::error::{Error, Result};

pub fn batch(asked: CommandGetXdbcTypeInfo) -> Result<RecordBatch> {
    let all = all()?;
    asked.into_builder(&all).build().map_err(|e| Error::internal(format!("the types: {e}")).caused_by(e))
}

fn all() -> Result<XdbcTypeInfoData> {
    use XdbcDataType as T;
    use XdbcDatetimeSubcode as Sub;
    let mut types = XdbcTypeInfoDataBuilder::new();
    types.append(plain("BOOLEAN", T::XdbcBit, 1));
    types.append(number("TINYINT", T::XdbcTinyint, 3));
    types.append(number("SMALLINT", T::XdbcSmallint, 5));
    types.append(number("INT", T::XdbcInteger, 10));
    types.append(XdbcTypeInfo { unsigned_attribute: Some(true), ..number("INT UNSIGNED", T::XdbcInteger, 10) });
    types.append(number("BIGINT", T::XdbcBigint, 19));
    types.append(XdbcTypeInfo {
        create_params: Some(vec!["precision".into(), "scale".into()]),
        fixed_prec_scale: false,
        maximum_scale: Some(38),
        ..number("DECIMAL", T::XdbcDecimal, 38)
    });
    // Binary digits.
    for (name, kind, digits) in [("REAL", T::XdbcReal, 24), ("DOUBLE", T::XdbcDouble, 53)] {
        types.append(XdbcTypeInfo { num_prec_radix: Some(2), maximum_scale: None, ..number(name, kind, digits) });
    }
    types.append(XdbcTypeInfo {
        case_sensitive: true,
        searchable: Searchable::Full,
        ..quoted("TEXT", T::XdbcVarchar, "'")
    });
    types.append(quoted("BINARY", T::XdbcVarbinary, "X'"));
    // ODBC's code 1 means a date here, and a year in intervals; the protocol knows it by the second name only.
    types.append(moment("DATE", T::XdbcDate, "DATE '", 10, Sub::XdbcSubcodeYear));
    types.append(moment("TIME", T::XdbcTime, "TIME '", 15, Sub::XdbcSubcodeTime));
    types.append(moment("TIMESTAMP", T::XdbcTimestamp, "TIMESTAMP '", 26, Sub::XdbcSubcodeTimestamp));
    let zoned = Sub::XdbcSubcodeTimestampWithTimezone;
    types.append(moment("TIMESTAMP WITH TIME ZONE", T::XdbcTimestamp, "TIMESTAMP '", 32, zoned));
    types.append(quoted("INTERVAL", T::XdbcInterval, "INTERVAL '"));
    types.append(XdbcTypeInfo { searchable: Searchable::None, ..quoted("LIST", T::XdbcUnknownType, "[") });
    types.build().map_err(|e| Error::internal(format!("the types: {e}")).caused_by(e))
}

fn plain(name: &str, kind: XdbcDataType, size: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        type_name: name.into(),
        data_type: kind,
        column_size: Some(size),
        literal_prefix: None,
        literal_suffix: None,
        create_params: None,
        nullable: Nullable::NullabilityNullable,
        case_sensitive: false,
        // LIKE is for texts.
        searchable: Searchable::Basic,
        unsigned_attribute: None,
        fixed_prec_scale: false,
        auto_increment: Some(false),
        local_type_name: Some(name.into()),
        minimum_scale: None,
        maximum_scale: None,
        sql_data_type: kind,
        datetime_subcode: None,
        num_prec_radix: None,
        interval_precision: None,
    }
}

fn number(name: &str, kind: XdbcDataType, digits: i32) -> XdbcTypeInfo {
    XdbcTypeInfo {
        unsigned_attribute: Some(false),
        minimum_scale: Some(0),
        maximum_scale: Some(0),
        num_prec_radix: Some(10),
        ..plain(name, kind, digits)
    }
}

/// Of no longest length.
fn quoted(name: &str, kind: XdbcDataType, prefix: &str) -> XdbcTypeInfo {
    let suffix = if prefix == "[" { "]" } else { "'" };
    XdbcTypeInfo {
        literal_prefix: Some(prefix.into()),
        literal_suffix: Some(suffix.into()),
        ..plain(name, kind, i32::MAX)
    }
}

/// `size`: characters of its longest text.
fn moment(name: &str, kind: XdbcDataType, prefix: &str, size: i32, subcode: XdbcDatetimeSubcode) -> XdbcTypeInfo {
    XdbcTypeInfo {
        column_size: Some(size),
        sql_data_type: XdbcDataType::XdbcDatetime,
        datetime_subcode: Some(subcode),
        ..quoted(name, kind, prefix)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    #[test]
    fn types_are_told_all_or_by_number() {
        let all = batch(CommandGetXdbcTypeInfo { data_type: None }).unwrap();
        let names: Vec<&str> = all.column(0).as_string::<i32>().iter().flatten().collect();
        for name in ["TEXT", "DECIMAL", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN", "BIGINT"] {
            assert!(names.contains(&name), "{names:?}");
        }
        let texts = batch(CommandGetXdbcTypeInfo { data_type: Some(12) }).unwrap();
        assert_eq!(texts.column(0).as_string::<i32>().value(0), "TEXT");
        assert_eq!((texts.num_rows(), texts.num_columns()), (1, 19));
    }
}
