//! `count` as DataFusion has it, but for `count(DISTINCT text)` of groups, which is counted for all groups at once ([`texts`]).
//! It must not count otherwise than the stock function does.

#[cfg(test)]
mod tests;
mod texts;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::count::Count;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature, StatisticsArgs,
};
use datafusion::scalar::ScalarValue;

use texts::DistinctTexts;

/// The function, in the place of the stock one.
pub fn count() -> Arc<AggregateUDF> {
    static COUNT: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Arc::new(AggregateUDF::from(Counting(Count::new()))));
    Arc::clone(&COUNT)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Counting(Count);

impl Counting {
    /// Whether it counts the distinct values of one text, and of which type.
    fn texts(args: &AccumulatorArgs) -> Option<DataType> {
        let [field] = args.expr_fields else { return None };
        let of = field.data_type();
        (args.is_distinct && matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View))
            .then(|| of.clone())
    }
}

impl AggregateUDFImpl for Counting {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn signature(&self) -> &Signature {
        self.0.signature()
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }
    fn is_nullable(&self) -> bool {
        self.0.is_nullable()
    }
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.0.default_value(data_type)
    }
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }
    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(args)
    }
    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }
    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        Counting::texts(&args).is_some() || self.0.groups_accumulator_supported(args)
    }
    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match Counting::texts(&args) {
            Some(of) => Ok(Box::new(DistinctTexts::new(of))),
            None => self.0.create_groups_accumulator(args),
        }
    }
    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }
    fn value_from_stats(&self, args: &StatisticsArgs) -> Option<ScalarValue> {
        self.0.value_from_stats(args)
    }
    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.set_monotonicity(data_type)
    }
    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}
