//! What a function would make of its arguments, before it makes it. It must not call the function.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

use super::joined::NAME;
use super::size::{Each, bytes, elements};

/// Functions that make as much as is asked for, no less.
const EXACT: [&str; 16] = [
    NAME,
    "repeat",
    "lpad",
    "rpad",
    "range",
    "generate_series",
    "array_repeat",
    "array_resize",
    "concat",
    "concat_ws",
    "overlay",
    "encode",
    "make_array",
    "array_concat",
    "array_append",
    "array_prepend",
];
/// Functions of which only the most that they may make is known.
const AT_MOST: [&str; 12] = [
    "replace",
    "regexp_replace",
    "translate",
    "array_to_string",
    "string_to_array",
    "array_replace",
    "array_replace_n",
    "array_replace_all",
    "array_distinct",
    "array_union",
    "array_intersect",
    "array_except",
];
/// Functions that compare every part of one argument with every part of the other: what they make is small, but not their time.
const COMPARING: [&str; 3] = ["levenshtein", "array_has_all", "array_has_any"];

/// Whether the function `name` can make much more than it is given.
pub fn multiplies(name: &str) -> bool {
    EXACT.contains(&name) || at_most(name)
}

/// Whether the function `name` can take much longer than its arguments are.
pub fn compares(name: &str) -> bool {
    COMPARING.contains(&name)
}

/// The pairs that `name`, which [`compares`], would look at.
pub fn pairs(name: &str, args: &[ColumnarValue], rows: usize) -> u64 {
    let parts = |at: usize| match name {
        "levenshtein" => args.get(at).map_or(Each::Same(0), bytes),
        _ => args.get(at).map_or(Each::Same(0), elements),
    };
    let (left, right) = (parts(0), parts(1));
    (0..rows).fold(0u64, |sum, row| sum.saturating_add(left.at(row).saturating_mul(right.at(row))))
}

/// Whether [`bytes_asked`] is more than the function `name` needs, mostly.
pub fn at_most(name: &str) -> bool {
    AT_MOST.contains(&name)
}

/// The bytes that `name` makes of each row of `args`, about; one number if all are constants.
pub fn bytes_asked(name: &str, args: &[ColumnarValue], rows: usize) -> Each {
    let size = |at: usize| args.get(at).map_or(Each::Same(0), bytes);
    let count = |at: usize| args.get(at).map_or(Each::Same(0), |arg| numbers(arg, |n| n.max(0).unsigned_abs()));
    let constant = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    match name {
        "repeat" => {
            let (text, times) = (size(0), count(1));
            each(constant, rows, |row| text.at(row).saturating_mul(times.at(row)))
        }
        "lpad" | "rpad" => count(1),
        "range" | "generate_series" => series(args, constant, rows),
        "array_repeat" => {
            let (element, times) = (size(0), count(1));
            each(constant, rows, |row| element.at(row).saturating_add(8).saturating_mul(times.at(row)))
        }
        "array_resize" => {
            let (length, fill) = (count(1), size(2));
            each(constant, rows, |row| fill.at(row).saturating_add(8).saturating_mul(length.at(row)))
        }
        "concat_ws" => {
            let (separator, all) = (size(0), sum(args, constant, rows));
            let gaps = args.len() as u64;
            each(constant, rows, |row| all.at(row).saturating_add(separator.at(row).saturating_mul(gaps)))
        }
        "encode" => {
            let text = size(0);
            each(constant, rows, |row| text.at(row).saturating_mul(2))
        }
        NAME | "concat" | "overlay" | "make_array" | "array_concat" | "array_append" | "array_prepend" => {
            sum(args, constant, rows)
        }
        "translate" => {
            let text = size(0);
            each(constant, rows, |row| text.at(row).saturating_mul(4))
        }
        "replace" => {
            let (text, from, to) = (size(0), size(1), size(2));
            each(constant, rows, |row| {
                let times = text.at(row) / from.at(row).max(1) + 1;
                text.at(row).saturating_add(times.saturating_mul(to.at(row)))
            })
        }
        // It may match between all letters, and what it matched may stand in the replacement at every second letter.
        "regexp_replace" => {
            let (text, to) = (size(0), size(2));
            each(constant, rows, |row| {
                let times = text.at(row).saturating_add(1).saturating_mul(2);
                text.at(row).saturating_add(times.saturating_mul(to.at(row)))
            })
        }
        "array_to_string" => {
            let (list, count, between, null) = (size(0), args.first().map(elements), size(1), size(2));
            each(constant, rows, |row| {
                let elements = count.as_ref().map_or(0, |count| count.at(row));
                let beside = between.at(row).saturating_add(null.at(row)).saturating_add(24);
                list.at(row).saturating_mul(2).saturating_add(elements.saturating_mul(beside))
            })
        }
        "string_to_array" => {
            let text = size(0);
            each(constant, rows, |row| text.at(row).saturating_mul(16))
        }
        // Rows to compare, a table of hashes, and what was found.
        "array_distinct" | "array_union" | "array_intersect" | "array_except" => {
            let all = sum(args, constant, rows);
            each(constant, rows, |row| all.at(row).saturating_mul(8))
        }
        "array_replace" | "array_replace_n" | "array_replace_all" => {
            let (list, count, to) = (size(0), args.first().map(elements), size(2));
            each(constant, rows, |row| {
                let elements = count.as_ref().map_or(0, |count| count.at(row));
                list.at(row).saturating_add(elements.saturating_mul(to.at(row)))
            })
        }
        _ => Each::Same(0),
    }
}

fn each(constant: bool, rows: usize, of_row: impl Fn(usize) -> u64) -> Each {
    if constant { Each::Same(of_row(0)) } else { Each::Rows((0..rows).map(of_row).collect()) }
}

/// All arguments, one after the other.
fn sum(args: &[ColumnarValue], constant: bool, rows: usize) -> Each {
    let sizes: Vec<Each> = args.iter().map(bytes).collect();
    each(constant, rows, |row| sizes.iter().fold(0u64, |sum, size| sum.saturating_add(size.at(row))))
}

/// Numbers of any integer type, dates as days, timestamps as nanoseconds; 0 for NULL and for anything else.
fn signed(value: &ColumnarValue) -> (Option<i64>, Vec<i64>) {
    let whole = match value.data_type() {
        DataType::Timestamp(_, zone) => value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, zone), None),
        DataType::Date64 => value.cast_to(&DataType::Date32, None),
        _ => Ok(value.clone()),
    };
    match whole.and_then(|value| value.cast_to(&DataType::Int64, None)) {
        Ok(ColumnarValue::Scalar(ScalarValue::Int64(number))) => (Some(number.unwrap_or(0)), vec![]),
        Ok(ColumnarValue::Array(array)) => match array.as_primitive_opt::<Int64Type>() {
            Some(array) => (None, array.iter().map(|number| number.unwrap_or(0)).collect()),
            None => (Some(0), vec![]),
        },
        _ => (Some(0), vec![]),
    }
}

fn numbers(value: &ColumnarValue, made: impl Fn(i64) -> u64) -> Each {
    match signed(value) {
        (Some(number), _) => Each::Same(made(number)),
        (None, numbers) => Each::Rows(numbers.into_iter().map(made).collect()),
    }
}

/// `range` and `generate_series`: 8 bytes an element.
fn series(args: &[ColumnarValue], constant: bool, rows: usize) -> Each {
    let (start, stop, step) = match args {
        [stop] => ((Some(0), vec![]), signed(stop), None),
        [start, stop] => (signed(start), signed(stop), None),
        [start, stop, step] => (signed(start), signed(stop), Some(step)),
        _ => return Each::Same(0),
    };
    let at =
        |(same, numbers): &(Option<i64>, Vec<i64>), row: usize| same.or_else(|| numbers.get(row).copied()).unwrap_or(0);
    let days = matches!(args[0].data_type(), DataType::Date32 | DataType::Date64);
    let steps = step.map(|step| Steps::of(step, days));
    each(constant, rows, |row| {
        let (start, stop) = (at(&start, row), at(&stop, row));
        let step = steps.as_ref().map_or(1, |steps| steps.at(row));
        // Away from its end, it is empty; a step of 0 is an error of the function's own.
        if step == 0 || (step > 0) != (stop >= start) {
            return 0;
        }
        (stop.abs_diff(start) / step.unsigned_abs()).saturating_add(1).saturating_mul(8)
    })
}

/// The steps of a series, in the units of its ends.
enum Steps {
    Numbers(Option<i64>, Vec<i64>),
    Times(Vec<i64>),
}

impl Steps {
    fn of(step: &ColumnarValue, days: bool) -> Steps {
        if !matches!(step.data_type(), DataType::Interval(_)) {
            let (same, numbers) = signed(step);
            return Steps::Numbers(same, numbers);
        }
        let Ok(array) = step.to_array(1) else { return Steps::Times(vec![]) };
        let Some(array) = array.as_primitive_opt::<IntervalMonthDayNanoType>() else { return Steps::Times(vec![]) };
        let length = |months: i32, day: i32, nanoseconds: i64| match days {
            true => i64::from(months) * 30 + i64::from(day),
            false => {
                (i64::from(months) * 30 + i64::from(day)).saturating_mul(86_400_000_000_000).saturating_add(nanoseconds)
            }
        };
        let steps = array.iter().map(|step| step.map_or(0, |step| length(step.months, step.days, step.nanoseconds)));
        Steps::Times(steps.collect())
    }
    fn at(&self, row: usize) -> i64 {
        match self {
            Steps::Numbers(same, numbers) => same.or_else(|| numbers.get(row).copied()).unwrap_or(0),
            // One for all rows, or one for each.
            Steps::Times(steps) => steps.get(row).or(steps.first()).copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::IntervalMonthDayNano;

    use super::*;

    fn text(text: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(text))
    }
    fn number(number: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Int64(Some(number)))
    }

    #[test]
    fn counts_and_lengths_tell_what_is_made() {
        let asked = |name: &str, args: &[ColumnarValue]| bytes_asked(name, args, 3).total(1);
        assert_eq!(asked("repeat", &[text("abc"), number(1_000)]), 3_000);
        assert_eq!(asked("repeat", &[text("abc"), number(-1)]), 0);
        assert_eq!(asked("repeat", &[text("abc"), number(i64::MAX)]), u64::MAX);
        assert_eq!(asked("rpad", &[text("abc"), number(1_000)]), 1_000);
        assert_eq!(asked("range", &[number(10)]), 88, "one too many, at most");
        assert_eq!(asked("range", &[number(10), number(0), number(-5)]), 24);
        assert_eq!(asked("generate_series", &[number(10), number(0)]), 0);
        assert_eq!(asked("generate_series", &[number(i64::MIN), number(i64::MAX)]), u64::MAX);
        assert_eq!(asked("concat", &[text("ab"), text("c")]), 3);
        assert_eq!(asked("replace", &[text("aaaa"), text("aa"), text("bbb")]), 13);
        assert_eq!(pairs("levenshtein", &[text("abc"), text("abcd")], 5), 60);
        let column = ColumnarValue::Array(Arc::new(StringArray::from(vec!["a", "bb", ""])));
        let times = ColumnarValue::Array(Arc::new(Int64Array::from(vec![Some(5), None, Some(7)])));
        let rows = bytes_asked("repeat", &[column, times], 3);
        assert_eq!([rows.at(0), rows.at(1), rows.at(2)], [5, 0, 0]);
    }

    #[test]
    fn series_of_days_and_instants() {
        let step = |months, days, nanoseconds| {
            let step = IntervalMonthDayNano::new(months, days, nanoseconds);
            ColumnarValue::Scalar(ScalarValue::IntervalMonthDayNano(Some(step)))
        };
        let day = |day| ColumnarValue::Scalar(ScalarValue::Date32(Some(day)));
        let second = |second| ColumnarValue::Scalar(ScalarValue::TimestampSecond(Some(second), None));
        let elements = |args: &[ColumnarValue]| bytes_asked("range", args, 1).total(1) / 8;
        assert_eq!(elements(&[day(0), day(365), step(0, 1, 0)]), 366);
        assert_eq!(elements(&[day(0), day(365), step(1, 0, 0)]), 13);
        assert_eq!(elements(&[second(0), second(1), step(0, 0, 1)]), 1_000_000_001);
    }
}
