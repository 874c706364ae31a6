//! From DataFusion's errors to ours: the only place that decides which kind a failed query is. It must not log.

use std::collections::BTreeSet;

use arrow::error::ArrowError;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use crate::error::{Error, ErrorKind, did_you_mean};

/// Our error for `error`: its root decides the kind, its message is what the user can act on.
pub fn classify(error: DataFusionError) -> Error {
    let root = root(&error);
    let made = match root {
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => return copy(ours, None).caused_by(error),
            None => Error::internal(inner.to_string()),
        },
        DataFusionError::ArrowError(inner, _) => match own(inner) {
            Some(ours) => return copy(ours, None).caused_by(error),
            None => arrow(inner),
        },
        DataFusionError::ParquetError(inner) => Error::unavailable(format!("a data file could not be read: {inner}"))
            .hint("`saleslake lake doctor` checks the tables' files"),
        DataFusionError::ObjectStore(inner) => store(inner),
        DataFusionError::IoError(inner) => Error::unavailable(format!("input or output failed: {inner}")),
        DataFusionError::SQL(inner, _) => Error::invalid(format!("SQL: {inner}")),
        DataFusionError::Plan(text) => Error::invalid(text.clone()),
        DataFusionError::SchemaError(inner, _) => schema(inner),
        DataFusionError::NotImplemented(text) => Error::invalid(format!("not supported: {text}")),
        DataFusionError::Execution(text) => Error::invalid(text.clone()),
        // Without its cause, which is the same text under other headings.
        DataFusionError::ResourcesExhausted(text) => {
            return Error::new(ErrorKind::Busy, format!("out of memory for queries: {text}"))
                .hint("ask for fewer groups or a shorter period, try later, or raise engine.memory_mb");
        }
        DataFusionError::ExecutionJoin(inner) if inner.is_cancelled() => {
            Error::new(ErrorKind::Cancelled, "the query was cancelled")
        }
        DataFusionError::ExecutionJoin(inner) => Error::internal(format!("a task of the query failed: {inner}")),
        DataFusionError::Internal(text) if text.contains("Cannot run range queries on datatype") => {
            let message = "a window's ORDER BY is of a type that has no ranges";
            Error::invalid(message).hint("write ROWS BETWEEN … behind the ORDER BY, or order by another column")
        }
        DataFusionError::Internal(text) | DataFusionError::Configuration(text) => Error::internal(text.clone()),
        DataFusionError::Substrait(text) | DataFusionError::Ffi(text) => Error::internal(text.clone()),
        // `root` looks through these.
        DataFusionError::Context(_, _)
        | DataFusionError::Diagnostic(_, _)
        | DataFusionError::Collection(_)
        | DataFusionError::Shared(_) => Error::internal(root.strip_backtrace()),
    };
    made.caused_by(error)
}

/// `find_root`, and through collections (their first error) and diagnostics, which it stops at.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Collection(all) if !all.is_empty() => root(&all[0]),
        DataFusionError::Diagnostic(_, inner) | DataFusionError::Context(_, inner) => root(inner),
        DataFusionError::Shared(inner) => root(inner),
        found => found,
    }
}

/// One of our errors that travelled inside an Arrow error.
fn own(error: &ArrowError) -> Option<&Error> {
    match error {
        ArrowError::ExternalError(inner) => inner.downcast_ref::<Error>(),
        _ => None,
    }
}

fn arrow(error: &ArrowError) -> Error {
    match error {
        ArrowError::DivideByZero => Error::invalid("division by zero").hint("use ratio(a, b): it is NULL where b is 0"),
        ArrowError::ArithmeticOverflow(_)
        | ArrowError::CastError(_)
        | ArrowError::ParseError(_)
        | ArrowError::ComputeError(_)
        | ArrowError::InvalidArgumentError(_)
        | ArrowError::NotYetImplemented(_) => Error::invalid(error.to_string()),
        ArrowError::IoError(_, _) | ArrowError::ParquetError(_) => Error::unavailable(error.to_string()),
        ArrowError::MemoryError(_) => Error::new(ErrorKind::Busy, error.to_string()),
        _ => Error::internal(error.to_string()),
    }
}

/// A column that is not there is told with those that are near.
fn schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let known: BTreeSet<&str> = valid_fields.iter().map(Column::name).collect();
            Error::invalid(format!("No field named {}", field.quoted_flat_name()))
                .hint(did_you_mean(field.name(), known))
        }
        other => Error::invalid(other.to_string()),
    }
}

fn store(error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { path, .. } => {
            Error::unavailable(format!("the lake has no file {path} any more"))
                .hint("it was replaced and vacuumed while the query ran: try again")
        }
        other => Error::unavailable(format!("the lake's storage: {other}")),
    }
}

/// Errors do not clone: the parts that callers see.
pub fn copy(error: &Error, context: Option<&str>) -> Error {
    let made = Error::new(error.kind(), error.message());
    let made = match error.hint_text() {
        Some(hint) => made.hint(hint),
        None => made,
    };
    match context {
        Some(what) => made.context(what),
        None => made,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn our_errors_survive_datafusion() {
        let ours = Error::not_found("no table or view x").hint("did you mean y?");
        let wrapped = DataFusionError::Context(
            "planning".into(),
            Box::new(DataFusionError::Shared(Arc::new(DataFusionError::External(Box::new(ours))))),
        );
        let back = classify(wrapped);
        assert_eq!(
            (back.kind(), back.message(), back.hint_text()),
            (ErrorKind::NotFound, "no table or view x", Some("did you mean y?"))
        );
    }

    #[test]
    fn out_of_memory_is_told_once() {
        let inner = DataFusionError::ResourcesExhausted("needs 3 MiB".into());
        let error = classify(DataFusionError::Context("sort".into(), Box::new(inner)));
        assert_eq!((error.kind(), error.message()), (ErrorKind::Busy, "out of memory for queries: needs 3 MiB"));
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn a_damaged_file_is_for_the_doctor() {
        let damaged = datafusion::parquet::errors::ParquetError::General("not Parquet".into());
        let error = classify(DataFusionError::ParquetError(Box::new(damaged)));
        assert!(error.hint_text().unwrap().contains("saleslake lake doctor"));
    }

    #[test]
    fn kinds_follow_the_root() {
        let kind = |e: DataFusionError| classify(e).kind();
        assert_eq!(kind(DataFusionError::Plan("p".into())), ErrorKind::Invalid);
        assert_eq!(kind(DataFusionError::ResourcesExhausted("m".into())), ErrorKind::Busy);
        assert_eq!(kind(DataFusionError::Internal("bug".into())), ErrorKind::Internal);
        assert_eq!(kind(DataFusionError::ArrowError(Box::new(ArrowError::DivideByZero), None)), ErrorKind::Invalid);
        let both =
            DataFusionError::Collection(vec![DataFusionError::Plan("a".into()), DataFusionError::Internal("b".into())]);
        assert_eq!(kind(both), ErrorKind::Invalid);
    }
}
