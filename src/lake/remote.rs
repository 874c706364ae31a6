//! Object stores behind a network: S3 and what is compatible with it, Azure Blob Storage, Google Cloud Storage.
//! It only builds clients; it must not read anything.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::limit::LimitStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::azure::After;
use crate::config::StorageConfig;
use crate::error::{Error, Result, did_you_mean};

/// The schemes that lead here.
pub(super) const SCHEMES: [&str; 7] = ["s3", "s3a", "az", "azure", "abfs", "abfss", "gs"];

/// A client of the store that `url` names (its bucket or container), with at most `connections` requests at once.
///
/// # Errors
/// `Invalid`: no bucket, an unknown option, credentials that are needed and not there.
pub(super) fn open(url: &Url, cfg: &StorageConfig) -> Result<Arc<dyn ObjectStore>> {
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error::invalid(format!("'{url}' names no bucket")).hint("for example s3://my-bucket/lake"));
    }
    match url.scheme() {
        "s3" | "s3a" => s3(url, cfg),
        "gs" => google(url, cfg),
        _ => azure(url, cfg),
    }
}

fn s3(url: &Url, cfg: &StorageConfig) -> Result<Arc<dyn ObjectStore>> {
    use AmazonS3ConfigKey as Key;
    let mut builder = AmazonS3Builder::from_env()
        .with_url(url.as_str())
        .with_retry(retry(cfg))
        .with_client_options(client(cfg))
        .with_virtual_hosted_style_request(!cfg.path_style);
    let named = [
        (Key::Endpoint, &cfg.endpoint),
        (Key::Region, &cfg.region),
        (Key::AccessKeyId, &cfg.access_key_id),
        (Key::SecretAccessKey, &cfg.secret_access_key),
    ];
    for (key, value) in named.into_iter().filter_map(|(k, v)| Some((k, v.as_ref()?))) {
        builder = builder.with_config(key, value);
    }
    for (name, value) in &cfg.options {
        builder = builder.with_config(option::<Key>(name, "aws_")?, value);
    }
    checked(url, builder.get_config_value(&Key::Endpoint))?;
    Ok(limited(builder.build().map_err(|e| wrong(url, &e))?, cfg))
}

fn azure(url: &Url, cfg: &StorageConfig) -> Result<Arc<dyn ObjectStore>> {
    use AzureConfigKey as Key;
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(url.as_str())
        .with_retry(retry(cfg))
        .with_client_options(client(cfg));
    let named = [
        (Key::Endpoint, &cfg.endpoint),
        (Key::AccountName, &cfg.access_key_id),
        (Key::AccessKey, &cfg.secret_access_key),
    ];
    for (key, value) in named.into_iter().filter_map(|(k, v)| Some((k, v.as_ref()?))) {
        builder = builder.with_config(key, value);
    }
    for (name, value) in &cfg.options {
        builder = builder.with_config(option::<Key>(name, "azure_")?, value);
    }
    checked(url, builder.get_config_value(&Key::Endpoint))?;
    Ok(limited(After(builder.build().map_err(|e| wrong(url, &e))?), cfg))
}

fn google(url: &Url, cfg: &StorageConfig) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_url(url.as_str())
        .with_retry(retry(cfg))
        .with_client_options(client(cfg));
    if let Some(endpoint) = &cfg.endpoint {
        builder = builder.with_config(GoogleConfigKey::BaseUrl, endpoint);
    }
    if let Some(key) = &cfg.secret_access_key {
        builder = builder.with_service_account_key(key);
    }
    for (name, value) in &cfg.options {
        builder = builder.with_config(option::<GoogleConfigKey>(name, "google_")?, value);
    }
    checked(url, builder.get_config_value(&GoogleConfigKey::BaseUrl))?;
    Ok(limited(builder.build().map_err(|e| wrong(url, &e))?, cfg))
}

/// object_store takes any endpoint, and fails (of gs:// it panics) at the first request.
fn checked(url: &Url, endpoint: Option<String>) -> Result<()> {
    match endpoint.filter(|e| !e.is_empty()) {
        Some(e) if !Url::parse(&e).is_ok_and(|e| ["http", "https"].contains(&e.scheme())) => {
            Err(Error::invalid(format!("{url}: the endpoint '{e}' is no URL"))
                .hint("write https://HOST or https://HOST:PORT"))
        }
        _ => Ok(()),
    }
}

/// An option by its name in object_store, such as `aws_session_token`.
fn option<K: FromStr>(name: &str, prefix: &str) -> Result<K> {
    name.to_ascii_lowercase().parse().map_err(|_| {
        Error::invalid(format!("storage.options.{name} is unknown for this store")).hint(format!(
            "names begin with {prefix}; {}",
            did_you_mean(name, ["aws_session_token", "azure_storage_sas_key", "google_service_account", "allow_http"])
        ))
    })
}

fn wrong(url: &Url, e: &object_store::Error) -> Error {
    Error::invalid(format!("{url}: {e}"))
        .hint("set endpoint, region and keys in the storage section, or the provider's environment variables")
}

fn limited(store: impl ObjectStore, cfg: &StorageConfig) -> Arc<dyn ObjectStore> {
    Arc::new(LimitStore::new(store, cfg.connections))
}

fn client(cfg: &StorageConfig) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(cfg.allow_http)
        .with_timeout(Duration::from_secs(cfg.timeout_seconds))
        .with_connect_timeout(Duration::from_secs(cfg.connect_timeout_seconds))
        .with_pool_max_idle_per_host(cfg.connections)
}

fn retry(cfg: &StorageConfig) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: cfg.retries,
        retry_timeout: Duration::from_secs(cfg.retry_seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url() {
        for (url, endpoint) in
            [("s3://b/lake", "minio:9000"), ("gs://b/lake", "localhost"), ("az://c/lake", "/azurite")]
        {
            let cfg = StorageConfig { endpoint: Some(endpoint.into()), ..StorageConfig::default() };
            let error = open(&Url::parse(url).expect("a URL"), &cfg).expect_err(url);
            assert!(error.to_string().contains(&format!("'{endpoint}' is no URL")), "{error}");
        }
    }
}
