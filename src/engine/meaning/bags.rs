//! What the planner takes and leaves out: ALL behind INTERSECT and EXCEPT, TABLESAMPLE.

use datafusion::sql::sqlparser::ast::{SetExpr, SetOperator, SetQuantifier, TableFactor};

use crate::error::{Error, Result};

/// DataFusion keeps, or drops, all rows of a value that is on the other side, however often it is there.
pub fn counted(body: &SetExpr) -> Result<()> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return Ok(()) };
    let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
    if all && !matches!(op, SetOperator::Union) {
        return Err(Error::invalid(format!("{op} ALL is not known here")).hint(
            "without ALL each row comes once; with row_number() OVER (PARTITION BY …) on both sides it comes as often",
        ));
    }
    counted(left)?;
    counted(right)
}

/// The planner would take every row.
pub fn whole(factor: &TableFactor) -> Result<()> {
    match factor {
        TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
            Err(Error::invalid("TABLESAMPLE is not known here").hint("WHERE random() < 0.01 keeps a hundredth"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::planner::parse;

    #[test]
    fn what_would_be_left_out_is_refused() {
        for sql in [
            "SELECT 1 INTERSECT ALL SELECT 1",
            "SELECT x FROM (SELECT 1 AS x UNION SELECT 2 EXCEPT ALL SELECT 2)",
            "SELECT 1 FROM product TABLESAMPLE BERNOULLI (1)",
        ] {
            let error = parse(sql).unwrap_err();
            assert!(error.message().contains("not known here") && error.hint_text().is_some(), "{sql}: {error}");
        }
        for sql in ["SELECT 1 UNION ALL SELECT 1", "SELECT 1 INTERSECT SELECT 1", "SELECT 1 EXCEPT SELECT 2"] {
            assert!(parse(sql).is_ok(), "{sql}");
        }
    }
}
