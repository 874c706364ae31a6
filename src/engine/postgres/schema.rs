//! A schema that stands before another: its own tables first, then the other's.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result as DfResult;

#[derive(Debug)]
pub struct Overlay {
    own: BTreeMap<&'static str, Arc<dyn TableProvider>>,
    behind: Arc<dyn SchemaProvider>,
}

impl Overlay {
    pub fn new(
        own: impl IntoIterator<Item = (&'static str, Arc<dyn TableProvider>)>,
        behind: Arc<dyn SchemaProvider>,
    ) -> Overlay {
        Overlay { own: own.into_iter().collect(), behind }
    }
}

#[async_trait]
impl SchemaProvider for Overlay {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.behind.table_names();
        names.extend(self.own.keys().map(ToString::to_string));
        names.sort();
        names.dedup();
        names
    }
    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        match self.own.get(name) {
            Some(table) => Ok(Some(Arc::clone(table))),
            None => self.behind.table(name).await,
        }
    }
    fn table_exist(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.behind.table_exist(name)
    }
}
