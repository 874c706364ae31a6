//! What a planned statement reads: tables, views and their policies, through views. It must not change plans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{LogicalPlan, TableScan};

use super::classify::classify;
use super::dims::CurrentDimension;
use super::options::Policies;
use super::scan::SnapshotTable;
use super::view::{Policy, ViewProvider, unknown_value};
use crate::error::{Error, Result, did_you_mean};

/// What a statement reads.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Every table and view by the name under which it was read, those below views too.
    pub relations: BTreeSet<String>,
    /// Delta version per table.
    pub versions: BTreeMap<String, i64>,
    /// The policies of all those views.
    pub policies: BTreeMap<String, Policy>,
    /// What those views say that they need.
    pub needs: BTreeSet<String>,
}

impl Reading {
    /// Walks `plan`, whose views are not expanded yet. Views are entered under `policies`.
    pub fn of(plan: &LogicalPlan, policies: &Policies) -> Result<Reading> {
        let mut reading = Reading::default();
        reading.walk(plan, policies)?;
        Ok(reading)
    }

    fn walk(&mut self, plan: &LogicalPlan, policies: &Policies) -> Result<()> {
        let mut views = Vec::new();
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                views.extend(self.scan(scan, policies)?);
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(classify)?;
        views.iter().try_for_each(|view| self.walk(view, policies))
    }

    /// Notes one scan; gives the plan of a view that was not seen yet.
    fn scan(&mut self, scan: &TableScan, policies: &Policies) -> datafusion::common::Result<Option<Arc<LogicalPlan>>> {
        let name = match scan.table_name.schema() {
            Some(schema) if schema != super::session::MAIN => format!("{schema}.{}", scan.table_name.table()),
            _ => scan.table_name.table().to_string(),
        };
        // Table functions have no provider of ours, nor data.
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
        let first = self.relations.insert(name);
        if let Some(table) = provider.downcast_ref::<SnapshotTable>() {
            self.versions.insert(table.table().name.into(), table.version());
        } else if let Some(dimension) = provider.downcast_ref::<CurrentDimension>() {
            self.versions.insert(dimension.table().name.into(), dimension.version());
        } else if let Some(view) = provider.downcast_ref::<ViewProvider>() {
            for (name, policy) in view.policies_declared() {
                self.policies.entry(name.clone()).or_insert_with(|| policy.clone());
            }
            self.needs.extend(view.definition().needs.iter().cloned());
            return if first { view.plan(policies).map(Some) } else { Ok(None) };
        }
        Ok(None)
    }

    /// Refuses chosen policies that nothing read here declares.
    pub fn check(&self, chosen: &Policies) -> Result<()> {
        for (name, value) in chosen {
            let Some(policy) = self.policies.get(name) else {
                let hint = match self.policies.is_empty() {
                    true => "what it reads has no policies".to_string(),
                    false => did_you_mean(name, self.policies.keys().map(String::as_str)),
                };
                return Err(Error::invalid(format!("policy {name} does not apply to this query")).hint(hint));
            };
            if !policy.values.contains(value) {
                return Err(unknown_value(name, value, policy));
            }
        }
        Ok(())
    }
}
