//! One function within its bounds: everything is the function's own but how it is invoked. It must not change a value.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::udf_eq::UdfEq;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};

use super::asked::{at_most, bytes_asked, compares, multiplies, pairs};
use super::held::held;
use super::size::{Each, of_scalar, total};
use super::{COUNTED, FOLDED, Limits, PAIRS};

/// A function, and what it may make.
#[derive(Debug, Clone)]
pub struct Bounded {
    inner: UdfEq<Arc<dyn ScalarUDFImpl>>,
    limits: Arc<Limits>,
    /// Constants may be worked out now, to be put into the plan.
    planning: bool,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Bounded) -> bool {
        self.planning == other.planning && self.inner == other.inner
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.planning.hash(state);
        self.inner.hash(state);
    }
}

impl Bounded {
    /// `function` as a plan has it until it is optimised.
    pub fn planned(function: &ScalarUDF, limits: &Arc<Limits>) -> ScalarUDF {
        Bounded::over(function, limits, true)
    }

    /// Whether [`Bounded::running`] makes another of it.
    pub fn changes(function: &ScalarUDF) -> bool {
        match function.inner().downcast_ref::<Bounded>() {
            Some(bounded) => bounded.planning,
            None => multiplies(function.name()),
        }
    }

    /// `function` as a query runs it; None if that is `function` as it is.
    pub fn running(function: &ScalarUDF, limits: &Arc<Limits>) -> Option<ScalarUDF> {
        Bounded::changes(function).then(|| match function.inner().downcast_ref::<Bounded>() {
            Some(bounded) => ScalarUDF::new_from_impl(Bounded { planning: false, ..bounded.clone() }),
            None => Bounded::over(function, limits, false),
        })
    }

    /// Whether this is the function `T`.
    pub fn of<T: ScalarUDFImpl>(&self) -> bool {
        let inner: &Arc<dyn ScalarUDFImpl> = &self.inner;
        inner.is::<T>()
    }

    fn over(function: &ScalarUDF, limits: &Arc<Limits>, planning: bool) -> ScalarUDF {
        let inner = Arc::clone(function.inner()).into();
        ScalarUDF::new_from_impl(Bounded { inner, limits: Arc::clone(limits), planning })
    }

    /// Rows in parts, each of which may make up to the limit; what they made must not be more than it together.
    fn in_parts(&self, args: &ScalarFunctionArgs, asked: &Each) -> DfResult<ColumnarValue> {
        let (mut parts, mut made, mut from): (Vec<ArrayRef>, u64, usize) = (vec![], 0, 0);
        while from < args.number_rows {
            let (mut to, mut sum) = (from, 0u64);
            while to < args.number_rows && (to == from || sum.saturating_add(asked.at(to)) <= self.limits.batch) {
                sum = sum.saturating_add(asked.at(to));
                to += 1;
            }
            let part = args.args.iter().map(|arg| match arg {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, to - from)),
                ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(scalar.clone()),
            });
            let part = ScalarFunctionArgs { args: part.collect(), number_rows: to - from, ..args.clone() };
            let part = self.inner.invoke_with_args(part)?.into_array(to - from)?;
            made = made.saturating_add(total(part.as_ref()));
            if made > self.limits.batch {
                return Err(self.limits.refused(self.name(), made));
            }
            parts.push(part);
            from = to;
        }
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }

    /// `made` of `rows` rows, if it is not more than `limit`; counted, if it is large.
    fn kept(&self, made: ColumnarValue, rows: usize, limit: u64, folding: bool) -> DfResult<ColumnarValue> {
        let bytes = match &made {
            // One for all rows is a constant, too.
            ColumnarValue::Array(array) if array.len() == 1 => total(array.as_ref()).saturating_mul(rows as u64),
            ColumnarValue::Array(array) => total(array.as_ref()),
            ColumnarValue::Scalar(scalar) => of_scalar(scalar).saturating_mul(rows as u64),
        };
        if bytes > limit {
            return Err(self.limits.refused(self.name(), bytes));
        }
        if folding || bytes < COUNTED {
            return Ok(made);
        }
        let array = made.into_array(rows)?;
        Ok(ColumnarValue::Array(held(&array, self.name(), bytes, &self.limits.pool)?))
    }

    /// What simplifying made of a call, within bounds too.
    fn still_bounded(&self, simplified: Expr) -> Expr {
        match simplified {
            Expr::ScalarFunction(call) if multiplies(call.func.name()) && !call.func.inner().is::<Bounded>() => {
                let function = Bounded::over(&call.func, &self.limits, self.planning);
                Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), call.args))
            }
            other => other,
        }
    }
}

/// What the literals among `args` take.
fn literals(args: &[Expr]) -> u64 {
    let sizes = args.iter().map(|arg| match arg {
        Expr::Literal(value, _) => of_scalar(value),
        _ => 0,
    });
    sizes.fold(0u64, u64::saturating_add)
}

fn is_list(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
}

impl ScalarUDFImpl for Bounded {
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let rows = args.number_rows;
        if compares(self.name()) {
            let pairs = pairs(self.name(), &args.args, rows);
            return match pairs > PAIRS {
                true => Err(Limits::too_long(self.name(), pairs)),
                false => self.inner.invoke_with_args(args),
            };
        }
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let folding = self.planning && constant;
        let limit = if folding { FOLDED } else { self.limits.batch };
        let asked = bytes_asked(self.name(), &args.args, rows);
        let within = match (constant, at_most(self.name())) {
            // Made once, and looked at before it is repeated.
            (true, true) => asked.at(0) <= self.limits.batch,
            _ => asked.total(rows) <= limit,
        };
        let made = match within {
            true => self.inner.invoke_with_args(args)?,
            false if !constant && at_most(self.name()) && asked.largest() <= limit => self.in_parts(&args, &asked)?,
            false => return Err(self.limits.refused(self.name(), asked.total(rows))),
        };
        self.kept(made, rows, limit, folding)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> DfResult<ExprSimplifyResult> {
        if literals(&args) > FOLDED {
            return Ok(ExprSimplifyResult::Original(args));
        }
        // `array_has` looks for the function itself. Without lists in it, a list is no longer than the statement.
        if self.planning && self.name() == "make_array" {
            let no_list = |arg: &Expr| info.get_data_type(arg).is_ok_and(|kind| !is_list(&kind));
            if args.iter().all(no_list) {
                let inner: &Arc<dyn ScalarUDFImpl> = &self.inner;
                let stock = ScalarUDF::new_from_shared_impl(Arc::clone(inner));
                let call = ScalarFunction::new_udf(Arc::new(stock), args);
                return Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)));
            }
        }
        Ok(match self.inner.simplify(args, info)? {
            ExprSimplifyResult::Simplified(expr) => ExprSimplifyResult::Simplified(self.still_bounded(expr)),
            original => original,
        })
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = self.inner.with_updated_config(config)?;
        Some(Bounded::over(&updated, &self.limits, self.planning))
    }

    // The rest is the function's own.

    fn name(&self) -> &str {
        self.inner.name()
    }
    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }
    fn schema_name(&self, args: &[Expr]) -> DfResult<String> {
        self.inner.schema_name(args)
    }
    fn signature(&self) -> &Signature {
        self.inner.signature()
    }
    fn return_type(&self, arg_types: &[DataType]) -> DfResult<DataType> {
        self.inner.return_type(arg_types)
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DfResult<FieldRef> {
        self.inner.return_field_from_args(args)
    }
    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }
    fn preimage(&self, args: &[Expr], lit_expr: &Expr, info: &SimplifyContext) -> DfResult<PreimageResult> {
        self.inner.preimage(args, lit_expr, info)
    }
    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }
    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }
    fn evaluate_bounds(&self, input: &[&Interval]) -> DfResult<Interval> {
        self.inner.evaluate_bounds(input)
    }
    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> DfResult<Option<Vec<Interval>>> {
        self.inner.propagate_constraints(interval, inputs)
    }
    fn output_ordering(&self, inputs: &[ExprProperties]) -> DfResult<SortProperties> {
        self.inner.output_ordering(inputs)
    }
    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> DfResult<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }
    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> DfResult<bool> {
        self.inner.strictly_order_preserving(inputs)
    }
    fn coerce_types(&self, arg_types: &[DataType]) -> DfResult<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }
    fn struct_field_mapping(&self, literal_args: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner.struct_field_mapping(literal_args)
    }
    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner.placement(args)
    }
}
