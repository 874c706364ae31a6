//! Errors of the storage and of delta-rs in our words. It must not decide what a failed commit means: `commit` does.

use deltalake_core::DeltaTableError;
use object_store::Error as StoreError;

use crate::error::{Error, ErrorKind};

/// An object store's error; `what` names the object and what was tried.
pub(super) fn store(e: StoreError, what: impl std::fmt::Display) -> Error {
    let kind = match &e {
        StoreError::NotFound { .. } => ErrorKind::NotFound,
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => ErrorKind::Denied,
        StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => ErrorKind::Conflict,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("{what}: {e}")).caused_by(e)
}

/// An error of delta-rs; `what` names the table and what was tried.
pub(super) fn delta(e: DeltaTableError, what: impl std::fmt::Display) -> Error {
    match e {
        DeltaTableError::ObjectStore { source } => store(source, what),
        other => {
            let kind = match &other {
                DeltaTableError::Io { .. }
                | DeltaTableError::KernelError(_)
                | DeltaTableError::Generic(_)
                | DeltaTableError::GenericError { .. } => ErrorKind::Unavailable,
                DeltaTableError::NotATable(_) | DeltaTableError::InvalidVersion(_) => ErrorKind::NotFound,
                _ => ErrorKind::Internal,
            };
            Error::new(kind, format!("{what}: {other}")).caused_by(other)
        }
    }
}
