//! The three aggregate functions, as plans see them. What they gather is in `set` and `hashes`, for groups or for all rows
//! in `groups`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::groups::{Groups, Single};
use super::hashes::Hashes;
use super::set::Set;

/// What is gathered, and what is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Union,
    Size,
    Hashes,
}

/// An aggregate function. Its state is one Binary column: a set, or hashes. DISTINCT and ORDER BY change nothing.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Aggregate {
    kind: Kind,
    signature: Signature,
}

impl Aggregate {
    pub(super) fn new(kind: Kind) -> Self {
        let types = match kind {
            Kind::Union | Kind::Size => vec![DataType::BinaryView, DataType::Binary, DataType::LargeBinary],
            Kind::Hashes => vec![DataType::Utf8View, DataType::Utf8, DataType::LargeUtf8],
        };
        Aggregate { kind, signature: Signature::uniform(1, types, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Union => "set_union",
            Kind::Size => "set_size",
            Kind::Hashes => "value_hashes",
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Union | Kind::Hashes => DataType::Binary,
            Kind::Size => DataType::Int64,
        })
    }
    fn is_nullable(&self) -> bool {
        self.kind != Kind::Size
    }
    /// The value without rows.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.kind {
            Kind::Size => Ok(ScalarValue::Int64(Some(0))),
            Kind::Union | Kind::Hashes => ScalarValue::try_from(data_type),
        }
    }
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "bytes"), DataType::Binary, true))])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.kind {
            Kind::Union => Ok(Box::new(Single::<Set>::gathering())),
            Kind::Size => Ok(Box::new(Single::<Set>::counting())),
            Kind::Hashes => Ok(Box::new(Single::<Hashes>::gathering())),
        }
    }
    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }
    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match self.kind {
            Kind::Union => Ok(Box::new(Groups::<Set>::gathering())),
            Kind::Size => Ok(Box::new(Groups::<Set>::counting())),
            Kind::Hashes => Ok(Box::new(Groups::<Hashes>::gathering())),
        }
    }
}
