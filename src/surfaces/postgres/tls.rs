//! The server's certificate. What cannot be read stops the start: there is no fallback to plaintext.

use std::path::Path;
use std::sync::Arc;

use pgwire::tokio::TlsAcceptor;
use pgwire::tokio::tokio_rustls::rustls::ServerConfig;
use pgwire::tokio::tokio_rustls::rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsConfig;
use crate::error::{Error, Result};

/// What clients that begin with TLS at once say that they speak.
const ALPN: &[u8] = b"postgresql";

/// A certificate that is ready to be shown.
pub struct Tls {
    pub acceptor: TlsAcceptor,
    /// As it was read, for binding passwords to it.
    pub certificate: Vec<u8>,
}

/// Reads `postgres.tls`; `None` if it is not set.
///
/// # Errors
/// `Invalid`: one file without the other, or a file that is not what it should be, by name.
pub fn read(config: &TlsConfig) -> Result<Option<Tls>> {
    let Some((certificate, key)) = config.pair("postgres")? else { return Ok(None) };
    let pem = std::fs::read(certificate).map_err(|e| wrong("certificate", certificate, &e))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| wrong("certificate", certificate, &e))?;
    if chain.is_empty() {
        return Err(wrong("certificate", certificate, &"there is no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong("key", key, &e))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|b| b.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|e| wrong("key", key, &e).context(format!("with the certificate {}", certificate.display())))?;
    server.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(server)), certificate: pem }))
}

fn wrong(which: &str, path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("postgres.tls.{which} = \"{}\": {why}", path.display())).hint(
        "a PEM file; `openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem` makes both for a trial",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(certificate: &Path, key: &Path) -> TlsConfig {
        TlsConfig { certificate: Some(certificate.into()), key: Some(key.into()) }
    }

    #[test]
    fn a_certificate_is_read_and_what_is_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key, junk) = (dir.path().join("cert.pem"), dir.path().join("key.pem"), dir.path().join("junk"));
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&junk, "junk").unwrap();
        assert!(read(&config(&cert, &key)).unwrap().is_some());
        assert!(read(&TlsConfig::default()).unwrap().is_none());
        for (c, k, named) in [(&junk, &key, "junk"), (&cert, &junk, "junk"), (&dir.path().join("none"), &key, "none")] {
            let error = read(&config(c, k)).err().unwrap();
            assert!(error.to_string().contains(named) && error.hint_text().is_some(), "{error}");
        }
        assert!(read(&TlsConfig { certificate: Some(cert), key: None }).is_err());
    }
}
