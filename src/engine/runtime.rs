//! The threads on which queries run: a query that computes long without a pause holds up other queries at most, never
//! the server's requests, health checks or its shutdown. Whatever parses or plans SQL runs here, also definitions: the stacks
//! are made for it. It must not know what a query is.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use crate::error::{Error, Result};

/// The stack of a thread, in bytes: SQL is read and run by functions that call themselves, as deep as
/// [`super::size::MOST_OPERATORS`] lets a statement be. Memory is taken only for what was used.
pub const STACK: usize = 256 * 1024 * 1024;

/// A pool of threads of its own.
#[derive(Debug)]
pub struct QueryThreads(Option<Runtime>);

impl QueryThreads {
    /// `threads` of them; 0 = one per core.
    pub fn start(threads: usize) -> Result<QueryThreads> {
        let mut builder = Builder::new_multi_thread();
        if threads > 0 {
            builder.worker_threads(threads);
        }
        let runtime = builder.thread_name("query").thread_stack_size(STACK).enable_all().build();
        runtime
            .map(|runtime| QueryThreads(Some(runtime)))
            .map_err(|e| Error::internal("the threads for queries could not start").caused_by(e))
    }

    /// Runs `work` there, and whatever it spawns. Dropping the returned future cancels it.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let Some(runtime) = &self.0 else { return Err(Error::internal("the threads for queries are gone")) };
        let task = runtime.spawn(work);
        let _cancels = Cancels(task.abort_handle());
        task.await.map_err(|e| Error::internal(format!("a query ended: {e}")))?
    }
}

#[cfg(test)]
impl QueryThreads {
    /// The tasks that are there: what was cancelled counts until it has noticed.
    pub fn tasks(&self) -> usize {
        self.0.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }
}

/// Ends a task when nobody waits for it any more.
struct Cancels(AbortHandle);

impl Drop for Cancels {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for QueryThreads {
    fn drop(&mut self) {
        // Waiting for them is not allowed where async code drops the engine: a thread of its own does. Letting go of threads that
        // end at that moment, as tokio's shutdown in the background does, crashes the process now and then where glibc is older
        // than 2.38 (its bug 19951): their stacks are too large to be kept.
        if let Some(runtime) = self.0.take()
            && let Err(error) = std::thread::Builder::new().name("query-end".into()).spawn(move || drop(runtime))
        {
            tracing::debug!(%error, "the threads for queries end without being waited for");
        }
    }
}
