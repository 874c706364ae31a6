//! Functions that make more than they are given (`repeat`, `range`, `||` …) within bounds: what they would make of one
//! batch of rows is worked out before they make it, and what they made is counted in the queries' memory pool. It must
//! not know which queries there are.
//!
//! | what | how much |
//! |---|---|
//! | pairs that one function compares in one batch | [`PAIRS`] |
//! | constants in a plan | [`FOLDED`] bytes; longer ones are worked out when the query runs |
//! | one batch of rows | by one function, an eighth of `engine.memory_mb`, 2 GiB at most |
//! | all batches | large results take from the pool for as long as anything holds them |

mod asked;
mod function;
mod held;
mod joined;
mod plan;
mod size;

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::ScalarUDF;

use crate::error::{Error, ErrorKind};
use function::Bounded;
pub use plan::{Bounding, Operators};

const MIB: u64 = 1 << 20;
/// One batch may take this share of the pool; and this much of the smallest pools.
const SHARE: u64 = 8;
const LEAST: u64 = 16 * MIB;
/// What the offsets of a text column can count.
const MOST: u64 = i32::MAX as u64;
/// A longer constant is not put into the plan: a literal that is a column is repeated for each row of a batch.
const FOLDED: u64 = 64 << 10;
/// Pairs of one batch of rows that a function may compare: it makes no pause meanwhile, and takes some seconds for these.
const PAIRS: u64 = 1_000_000_000;
/// Smaller results are not counted: their number is bounded by the plan's size.
const COUNTED: u64 = MIB;

/// What one function may make, and the pool in which it is counted.
#[derive(Debug)]
pub struct Limits {
    batch: u64,
    pool: Arc<dyn MemoryPool>,
}

impl Limits {
    /// For queries whose memory is `pool`, of `bytes`.
    pub fn new(pool: Arc<dyn MemoryPool>, bytes: usize) -> Arc<Limits> {
        Arc::new(Limits { batch: (bytes as u64 / SHARE).clamp(LEAST, MOST), pool })
    }

    /// `bytes` are too many.
    fn refused(&self, name: &str, bytes: u64) -> DataFusionError {
        let limit = self.batch / MIB;
        let message = match bytes {
            u64::MAX => format!("{name} was asked for more than can be counted, {limit} MiB is the limit"),
            bytes => {
                let asked = bytes.div_ceil(MIB);
                format!("{name} was asked for {asked} MiB for one batch of rows, {limit} MiB is the limit")
            }
        };
        let hint = "ask for shorter values or fewer rows, or raise engine.memory_mb: its eighth is the limit";
        let error = Error::new(ErrorKind::Busy, format!("out of memory for queries: {message}")).hint(hint);
        DataFusionError::External(Box::new(error))
    }

    /// `pairs` are too many to compare.
    fn too_long(name: &str, pairs: u64) -> DataFusionError {
        let message =
            format!("{name} would compare {pairs} pairs for one batch of rows, and at most {PAIRS} are compared");
        DataFusionError::External(Box::new(
            Error::invalid(message).hint("compare shorter texts or lists, or fewer rows"),
        ))
    }
}

/// Puts bounds on the functions of `state` that need them.
///
/// # Errors
/// A registry that takes no functions.
pub fn bound_functions(state: &mut SessionState, limits: &Arc<Limits>) -> DfResult<()> {
    let known = state.scalar_functions().iter().filter(|(name, function)| *name == function.name());
    let known: Vec<Arc<ScalarUDF>> = known
        .map(|(_, function)| Arc::clone(function))
        .filter(|f| asked::multiplies(f.name()) || asked::compares(f.name()))
        .collect();
    for function in known {
        state.register_udf(Arc::new(Bounded::planned(&function, limits)))?;
    }
    Ok(())
}
