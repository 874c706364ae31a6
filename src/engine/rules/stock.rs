//! DataFusion's optimizer rules, those that answer wrongly wrapped. It must not know what is wrong with them.

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};

use super::distinct::TypedSingleDistinct;
use super::layers::LayeredProjections;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

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
