//! Cancelling a query from another connection, which knows the first one's number and secret.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use pgwire::api::cancel::CancelHandler;
use pgwire::api::{ClientInfo, PidSecretKeyGenerator, RandomPidSecretKeyGenerator};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::SecretKey;
use tokio_util::sync::CancellationToken;

/// The connections that may be asked to stop.
#[derive(Default)]
pub struct Registry {
    connections: Mutex<HashMap<Key, Arc<Current>>>,
    keys: RandomPidSecretKeyGenerator,
}

type Key = (i32, Bytes);

/// What a connection runs now.
#[derive(Default)]
pub struct Current(Mutex<CancellationToken>);

impl Current {
    /// A new query begins: earlier requests do not reach it.
    pub fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *lock(&self.0) = token.clone();
        token
    }
    fn cancel(&self) {
        lock(&self.0).cancel();
    }
}

/// A connection's place in the registry, empty until the client has been told its number. It goes with the connection.
pub struct Entry {
    registry: Arc<Registry>,
    key: Mutex<Option<Key>>,
    pub current: Arc<Current>,
}

impl Entry {
    pub fn new(registry: &Arc<Registry>) -> Entry {
        Entry { registry: Arc::clone(registry), key: Mutex::default(), current: Arc::default() }
    }
}

impl PidSecretKeyGenerator for Entry {
    fn generate(&self, client: &dyn ClientInfo) -> (i32, SecretKey) {
        let (number, secret) = self.registry.keys.generate(client);
        let key = (number, secret.to_bytes());
        lock(&self.registry.connections).insert(key.clone(), Arc::clone(&self.current));
        *lock(&self.key) = Some(key);
        (number, secret)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(key) = lock(&self.key).take() {
            lock(&self.registry.connections).remove(&key);
        }
    }
}

#[async_trait]
impl CancelHandler for Registry {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let key = (request.pid, request.secret_key.to_bytes());
        let found = lock(&self.connections).get(&key).cloned();
        if let Some(current) = found {
            tracing::debug!(connection = request.pid, "a PostgreSQL client cancels its query");
            current.cancel();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use pgwire::api::DefaultClient;

    use super::*;

    #[tokio::test]
    async fn only_who_knows_the_secret_cancels_and_only_what_runs_now() {
        let registry = Arc::new(Registry::default());
        let entry = Entry::new(&registry);
        let client: DefaultClient<()> = DefaultClient::new(SocketAddr::from(([127, 0, 0, 1], 1)), false);
        let (number, secret) = entry.generate(&client);
        let earlier = entry.current.begin();
        let query = entry.current.begin();
        registry.on_cancel_request(CancelRequest::new(number, SecretKey::I32(0))).await;
        assert!(!query.is_cancelled());
        registry.on_cancel_request(CancelRequest::new(number, secret)).await;
        assert!(query.is_cancelled() && !earlier.is_cancelled());
        drop(entry);
        assert!(lock(&registry.connections).is_empty());
    }
}
