//! Where servers listen: beyond loopback only where there are tokens. It must not serve anything.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Tokens;
use crate::error::{Error, Result};

/// The address of the setting `setting` = `bind`.
///
/// # Errors
/// `Invalid`: no address with a port; an address that other machines reach, where there are no tokens.
pub fn may_bind(setting: &str, bind: &str, tokens: &Tokens) -> Result<SocketAddr> {
    let wanted: SocketAddr = bind.parse().map_err(|_| {
        Error::invalid(format!("{setting} = \"{bind}\": not an address and port"))
            .hint("127.0.0.1 and a port, 127.0.0.1:8080")
    })?;
    if tokens.is_empty() && !wanted.ip().is_loopback() {
        let open = format!("{setting} = \"{wanted}\" is reachable from other machines, but there are no access.tokens");
        return Err(Error::invalid(open).hint("set access.tokens.<name> = \"<secret>\", or bind 127.0.0.1"));
    }
    Ok(wanted)
}

/// Listens on the address that the setting `setting` names.
///
/// # Errors
/// `Unavailable`: it is taken, or not this machine's.
pub async fn listen(setting: &str, wanted: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(wanted).await.map_err(|e| {
        Error::unavailable(format!("cannot listen on {wanted}: {e}"))
            .hint(format!("choose another port: --set {setting}=127.0.0.1:0 takes a free one"))
            .caused_by(e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tokens_only_loopback_is_bound() {
        let tokens =
            |all: &[(&str, &str)]| Tokens::new(&all.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect());
        let (none, some) = (tokens(&[]).unwrap(), tokens(&[("bi", "0123456789abcdef")]).unwrap());
        assert!(may_bind("http.bind", "127.0.0.1:0", &none).is_ok());
        assert!(may_bind("flight.bind", "0.0.0.0:0", &some).is_ok());
        let open = may_bind("flight.bind", "0.0.0.0:0", &none).unwrap_err();
        assert!(open.to_string().contains("flight.bind") && open.hint_text().unwrap().contains("access.tokens"));
        assert!(may_bind("http.bind", "nonsense", &some).unwrap_err().to_string().contains("http.bind"));
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_named_with_its_setting() {
        let first = listen("flight.bind", "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let taken = first.local_addr().unwrap();
        let error = listen("flight.bind", taken).await.unwrap_err();
        assert!(error.message().contains(&taken.to_string()), "{error}");
        assert!(error.hint_text().unwrap().contains("flight.bind=127.0.0.1:0"));
    }
}
