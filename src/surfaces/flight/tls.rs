//! TLS from PEM files. Where it cannot be set up, the server does not start.

use std::path::Path;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use crate::config::TlsConfig;
use crate::error::{Error, Result};

/// The server with the certificate that is configured; as it is, where none is.
pub fn with(server: Server, config: &TlsConfig) -> Result<Server> {
    let Some((certificate, key)) = config.pair("flight")? else { return Ok(server) };
    // The library that does the mathematics; whoever was here first has named the same.
    let _ = aws_lc_rs::default_provider().install_default();
    let identity = Identity::from_pem(read("certificate", certificate)?, read("key", key)?);
    server.tls_config(ServerTlsConfig::new().identity(identity)).map_err(|e| {
        let why = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
        let files = format!("certificate {} and key {}", certificate.display(), key.display());
        Error::invalid(format!("flight.tls: {files} cannot be used: {why}"))
            .hint("both are PEM files, and the key is the certificate's")
            .caused_by(e)
    })
}

fn read(setting: &str, path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        Error::invalid(format!("flight.tls.{setting}: {} cannot be read: {e}", path.display()))
            .hint("name a PEM file that this user may read")
            .caused_by(e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(certificate: Option<&Path>, key: Option<&Path>) -> Error {
        let config = TlsConfig { certificate: certificate.map(Into::into), key: key.map(Into::into) };
        with(Server::builder(), &config).err().unwrap()
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
        let file = |name: &str, text: String| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let certificate = file("good.crt", pair.cert.pem());
        let key = file("good.key", pair.signing_key.serialize_pem());
        let wrong = file("other.key", other.signing_key.serialize_pem());
        let empty = file("empty.pem", String::new());
        let config = TlsConfig { certificate: Some(certificate.clone()), key: Some(key.clone()) };
        assert!(with(Server::builder(), &config).is_ok());
        for (certificate, key, named) in
            [(&certificate, &wrong, "other.key"), (&certificate, &empty, "empty.pem"), (&empty, &key, "empty.pem")]
        {
            let error = refused(Some(certificate), Some(key));
            assert!(error.message().contains(named), "{error}");
        }
        let missing = dir.path().join("missing.key");
        assert!(refused(Some(&certificate), Some(&missing)).message().contains("missing.key"));
        assert!(refused(Some(&certificate), None).message().contains("flight.tls.key"));
    }
}
