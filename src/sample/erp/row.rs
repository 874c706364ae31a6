//! A row of the ERP's export and its Parquet columns: order lines (L), charges (C) and credit notes (R) in one table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::super::days::Seconds;
use crate::error::Result;

/// Money in ten-thousandths, quantities in thousandths, instants in UTC.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub record_type: &'static str,
    pub doc_no: String,
    pub doc_version: i32,
    pub line_no: i32,
    pub order_type: Option<&'static str>,
    pub channel: Option<&'static str>,
    pub flow: Option<&'static str>,
    pub status: Option<i32>,
    pub company: Option<&'static str>,
    pub created_at: Option<Seconds>,
    pub confirmed_at: Option<Seconds>,
    pub paid_at: Option<Seconds>,
    pub cancelled_at: Option<Seconds>,
    pub customer_no: Option<String>,
    pub rep: Option<String>,
    pub ship_region: Option<&'static str>,
    pub bill_region: Option<&'static str>,
    pub currency: Option<&'static str>,
    pub is_test: Option<bool>,
    pub is_staff: Option<bool>,
    /// The order in another system that this one repeats.
    pub origin_order: Option<String>,
    pub sku: Option<String>,
    pub uom: Option<&'static str>,
    pub quantity: Option<i64>,
    pub base_quantity: Option<i64>,
    pub unit_price: Option<i64>,
    pub line_discount: Option<i64>,
    pub order_discount: Option<i64>,
    pub net_amount: Option<i64>,
    pub tax_rate: Option<i64>,
    pub unit_cost: Option<i64>,
    pub fulfil_place: Option<&'static str>,
    pub line_status: Option<&'static str>,
    pub charge_type: Option<&'static str>,
    pub charge_amount: Option<i64>,
    pub ref_doc_no: Option<String>,
    pub ref_line_no: Option<i32>,
    pub requested_at: Option<Seconds>,
    pub refunded_at: Option<Seconds>,
    pub reason: Option<&'static str>,
    pub restock: Option<&'static str>,
    pub refund_net: Option<i64>,
    pub refund_tax: Option<i64>,
    pub stock_cost: Option<i64>,
}

type Column = (&'static str, DataType, fn(&[Row]) -> Result<ArrayRef>);

macro_rules! texts {
    ($field:ident) => {
        (stringify!($field), DataType::Utf8, |rows| {
            Ok(Arc::new(rows.iter().map(|r| r.$field.as_deref()).collect::<StringArray>()))
        })
    };
}
macro_rules! whole {
    ($field:ident) => {
        (stringify!($field), DataType::Int32, |rows| {
            Ok(Arc::new(rows.iter().map(|r| r.$field).collect::<Int32Array>()))
        })
    };
}
macro_rules! flag {
    ($field:ident) => {
        (stringify!($field), DataType::Boolean, |rows| {
            Ok(Arc::new(rows.iter().map(|r| r.$field).collect::<BooleanArray>()))
        })
    };
}
macro_rules! instant {
    ($field:ident) => {
        (stringify!($field), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), |rows| {
            let at = rows.iter().map(|r| r.$field.map(|s| s * 1_000_000)).collect::<TimestampMicrosecondArray>();
            Ok(Arc::new(at.with_timezone("UTC")))
        })
    };
}
macro_rules! decimal {
    ($field:ident, $scale:literal) => {
        (stringify!($field), DataType::Decimal128(18, $scale), |rows| {
            let n = rows.iter().map(|r| r.$field.map(i128::from)).collect::<Decimal128Array>();
            Ok(Arc::new(n.with_precision_and_scale(18, $scale)?))
        })
    };
}

fn columns() -> Vec<Column> {
    vec![
        ("record_type", DataType::Utf8, |rows| {
            Ok(Arc::new(rows.iter().map(|r| Some(r.record_type)).collect::<StringArray>()))
        }),
        ("doc_no", DataType::Utf8, |rows| {
            Ok(Arc::new(rows.iter().map(|r| Some(r.doc_no.as_str())).collect::<StringArray>()))
        }),
        ("doc_version", DataType::Int32, |rows| {
            Ok(Arc::new(rows.iter().map(|r| Some(r.doc_version)).collect::<Int32Array>()))
        }),
        ("line_no", DataType::Int32, |rows| Ok(Arc::new(rows.iter().map(|r| Some(r.line_no)).collect::<Int32Array>()))),
        texts!(order_type),
        texts!(channel),
        texts!(flow),
        whole!(status),
        texts!(company),
        instant!(created_at),
        instant!(confirmed_at),
        instant!(paid_at),
        instant!(cancelled_at),
        texts!(customer_no),
        texts!(rep),
        texts!(ship_region),
        texts!(bill_region),
        texts!(currency),
        flag!(is_test),
        flag!(is_staff),
        texts!(origin_order),
        texts!(sku),
        texts!(uom),
        decimal!(quantity, 3),
        decimal!(base_quantity, 3),
        decimal!(unit_price, 4),
        decimal!(line_discount, 4),
        decimal!(order_discount, 4),
        decimal!(net_amount, 4),
        decimal!(tax_rate, 4),
        decimal!(unit_cost, 4),
        texts!(fulfil_place),
        texts!(line_status),
        texts!(charge_type),
        decimal!(charge_amount, 4),
        texts!(ref_doc_no),
        whole!(ref_line_no),
        instant!(requested_at),
        instant!(refunded_at),
        texts!(reason),
        texts!(restock),
        decimal!(refund_net, 4),
        decimal!(refund_tax, 4),
        decimal!(stock_cost, 4),
    ]
}

pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(columns().into_iter().map(|(name, kind, _)| Field::new(name, kind, true)).collect::<Vec<_>>()))
}

pub fn batch(schema: &SchemaRef, rows: &[Row]) -> Result<RecordBatch> {
    let arrays = columns().into_iter().map(|(_, _, take)| take(rows)).collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(schema.clone(), arrays)?)
}
