//! DataFusion's rules, those that answer wrongly wrapped or followed by ours. It must not know what is wrong with them.

use std::sync::Arc;

use datafusion::optimizer::{AnalyzerRule, Optimizer, OptimizerRule};

use super::distinct::TypedSingleDistinct;
use super::layers::LayeredProjections;
use super::nulls::Nulls;
use super::spans::Spans;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// What is looked at behind the stock analyzer's rules.
pub fn analyzer_rules() -> [Arc<dyn AnalyzerRule + Send + Sync>; 2] {
    [Arc::new(Nulls), Arc::new(Spans)]
}

/// The stock rules in their order, some of them wrapped.
pub fn optimizer_rules() -> Vec<Rule> {
    let wrapped: [Rule; 2] = [Arc::new(TypedSingleDistinct::new()), Arc::new(LayeredProjections::default())];
    let mut rules = Optimizer::new().rules;
    for rule in &mut rules {
        if let Some(wrapped) = wrapped.iter().find(|wrapped| wrapped.name() == rule.name()) {
            *rule = Arc::clone(wrapped);
        }
    }
    rules
}
