//! DataFusion's rules, those that answer wrongly wrapped or followed by ours. It must not know what is wrong with them.

use std::sync::Arc;

use datafusion::optimizer::{AnalyzerRule, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use super::distinct::TypedSingleDistinct;
use super::layers::LayeredProjections;
use super::nulls::Nulls;
use super::overall::NotBelowAll;
use super::pushdown::Gated;
use super::spans::Spans;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;
type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// What is looked at behind the stock analyzer's rules.
pub fn analyzer_rules() -> [Arc<dyn AnalyzerRule + Send + Sync>; 2] {
    [Arc::new(Nulls), Arc::new(Spans)]
}

/// The stock rules in their order, some of them wrapped.
pub fn optimizer_rules() -> Vec<Rule> {
    let wrapped: [Rule; 3] = [
        Arc::new(TypedSingleDistinct::new()),
        Arc::new(LayeredProjections::default()),
        Arc::new(NotBelowAll::default()),
    ];
    let mut rules = Optimizer::new().rules;
    for rule in &mut rules {
        if let Some(wrapped) = wrapped.iter().find(|wrapped| wrapped.name() == rule.name()) {
            *rule = Arc::clone(wrapped);
        }
    }
    rules
}

/// The stock rules for plans that run, in their order; both that push filters down are wrapped.
pub fn physical_rules() -> Vec<PhysicalRule> {
    let wrapped = |rule: PhysicalRule| match rule.name().starts_with("FilterPushdown") {
        true => Arc::new(Gated(rule)) as PhysicalRule,
        false => rule,
    };
    PhysicalOptimizer::new().rules.into_iter().map(wrapped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_rules_that_push_filters_down_are_there() {
        assert!(optimizer_rules().iter().any(|rule| format!("{rule:?}").starts_with("NotBelowAll")));
        assert_eq!(physical_rules().iter().filter(|rule| rule.name().starts_with("FilterPushdown")).count(), 2);
    }
}
