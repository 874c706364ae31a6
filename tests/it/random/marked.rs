//! A tenth of the sample's orders, returns and payments once more, under numbers of their own and flagged as tests, with what
//! belongs to such an order. No report about sales may tell that they are there (D38).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;

use super::records::Records;

/// The layout of a CSV file: where numbers stand, the first of which says whether the record is copied; and the flag with the
/// word for a test. What is copied without a flag (a step, a parcel, a reduction) is of a copied order.
struct Layout {
    source: &'static str,
    delimiter: &'static str,
    numbers: &'static [&'static str],
    flag: Option<(&'static str, &'static str)>,
}

const fn layout(
    source: &'static str,
    delimiter: &'static str,
    numbers: &'static [&'static str],
    flag: Option<(&'static str, &'static str)>,
) -> Layout {
    Layout { source, delimiter, numbers, flag }
}

/// Returns and payments keep the order that they name: they are tests of what really was sold.
const LAYOUTS: &[Layout] = &[
    layout("shop_pos_sales", ";", &["ticket"], Some(("training", "Y"))),
    layout("market_eu_orders", ";", &["Bestellnummer"], Some(("Test", "ja"))),
    layout("market_cn_orders", ",", &["订单编号"], Some(("是否测试", "是"))),
    layout("shop_returns", ",", &["return_id"], Some(("training", "Y"))),
    layout("payments", ",", &["payment_id", "authorization"], Some(("test", "Y"))),
    layout("desk_orders", ",", &["order_id", "external_no"], Some(("test", "Y"))),
    layout("desk_steps", ",", &["order_id"], None),
    layout("desk_parcels", ",", &["order_id", "parcel"], None),
    layout("order_discounts", ",", &["order_id"], None),
];

/// Of ten numbers one ends so.
const LAST: char = '7';
/// The copies' numbers begin so.
const FIRST: char = 'X';

/// The copies of a source's records; `None`: it knows no tests.
pub fn copies(source: &str, records: &Records) -> Option<Records> {
    let layout = LAYOUTS.iter().find(|layout| layout.source == source);
    match records {
        Records::Lines { header: Some(header), lines } => {
            let copied = layout?.copied(header, lines);
            Some(Records::Lines { header: Some(header.clone()), lines: copied })
        }
        Records::Lines { header: None, lines } if source == "shop_web_orders" => {
            Some(Records::Lines { header: None, lines: lines.iter().filter_map(|line| web_order(line)).collect() })
        }
        Records::Rows(rows) if source == "erp_wholesale" => Some(Records::Rows(documents(rows))),
        _ => None,
    }
}

impl Layout {
    fn copied(&self, header: &str, lines: &[String]) -> Vec<String> {
        let names: Vec<&str> = header.trim_start_matches('\u{feff}').split(self.delimiter).collect();
        let at = |name: &str| names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("no {name}: {header}"));
        let numbers: Vec<usize> = self.numbers.iter().map(|name| at(name)).collect();
        let flag = self.flag.map(|(name, word)| (at(name), word));
        let copy = |line: &String| {
            let mut fields: Vec<String> = line.split(self.delimiter).map(String::from).collect();
            // Records that cannot be read, or hold a delimiter, are not copied.
            if fields.len() != names.len() || !fields[numbers[0]].ends_with(LAST) {
                return None;
            }
            for number in &numbers {
                if !fields[*number].is_empty() {
                    fields[*number].insert(0, FIRST);
                }
            }
            if let Some((at, word)) = flag {
                fields[at] = word.into();
            }
            Some(fields.join(self.delimiter))
        };
        lines.iter().filter_map(copy).collect()
    }
}

/// An order of the web shop, a JSON object on one line that begins with its number.
fn web_order(line: &str) -> Option<String> {
    let rest = line.strip_prefix("{\"id\":\"")?;
    let number = rest.split('"').next()?;
    let is_copied = number.ends_with(LAST) && rest.contains("\"test\":false");
    is_copied.then(|| format!("{{\"id\":\"{FIRST}{}", rest.replacen("\"test\":false", "\"test\":true", 1)))
}

/// Lines, charges and credit notes of the ERP's documents; a credit note keeps the document that it names.
fn documents(rows: &RecordBatch) -> RecordBatch {
    let numbers = rows.column_by_name("doc_no").expect("documents have numbers").as_string::<i32>();
    let copied: BooleanArray = numbers.iter().map(|number| number.map(|n| n.ends_with(LAST))).collect();
    let rows = filter_record_batch(rows, &copied).expect("rows that are there");
    let schema = rows.schema();
    let column = |name: &str, values: &ArrayRef| -> ArrayRef {
        match name {
            "doc_no" => {
                let numbers = values.as_string::<i32>().iter().map(|number| number.map(|n| format!("{FIRST}{n}")));
                Arc::new(numbers.collect::<StringArray>())
            }
            "is_test" => Arc::new(BooleanArray::from(vec![true; rows.num_rows()])),
            _ => Arc::clone(values),
        }
    };
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, values)| column(field.name(), values));
    RecordBatch::try_new(schema.clone(), columns.collect()).expect("the same columns")
}
