//! Under which name, and from whose pages, this server may be asked. A browser can be made to call a loopback address by a
//! stranger's name (DNS rebinding), or to send what a stranger's page says: neither may read or fill the lake of whoever
//! sits before it. It must not know who asks: that is `auth`.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::problem::Problem;
use crate::config::HttpConfig;
use crate::error::{Error, Result};

/// The names that requests may come under.
pub struct Site {
    /// Without tokens the name is all that tells a browser that was misled from one that was not.
    by_name: bool,
    /// `http.hosts`, in lower case.
    hosts: Vec<String>,
}

impl Site {
    /// `by_name`: there are no tokens. Refuses hosts that no `Host` header can have.
    pub fn new(config: &HttpConfig, by_name: bool) -> Result<Site> {
        let hosts: Vec<String> = config.hosts.iter().map(|h| h.to_ascii_lowercase()).collect();
        if let Some(wrong) = hosts.iter().find(|h| host(h).as_ref() != Some(*h)) {
            return Err(Error::invalid(format!("http.hosts: {wrong:?} is no host name"))
                .hint("names alone, without scheme, port and path, such as \"lake.example\""));
        }
        Ok(Site { by_name, hosts })
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if self.by_name {
            self.named(uri, headers)?;
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            Ok(())
        } else {
            self.sent_from(uri, headers)
        }
    }

    /// Whatever the request calls this server: HTTP/2 and proxies name it in the target, all others in `Host`. One that does
    /// not name it comes from no browser.
    fn named(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let target = uri.authority().map(Authority::as_str);
        let given = headers.get_all(header::HOST).iter().map(|v| v.to_str().unwrap_or("?"));
        for name in target.into_iter().chain(given) {
            if !host(name).is_some_and(|host| is_loopback(&host) || self.hosts.contains(&host)) {
                let wrong = format!("this server is not called '{name}'");
                return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "host", wrong).hint(
                    "it has no tokens, so it answers as localhost, 127.0.0.1 and [::1] only; the operator can add names to \
                     http.hosts, or set access.tokens",
                ));
            }
        }
        Ok(())
    }

    /// A browser tells whose page sends: this server's own, or one of `http.hosts`.
    fn sent_from(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(origin) = headers.get(header::ORIGIN).map(|v| v.to_str().unwrap_or("?")) else { return Ok(()) };
        let page = origin.split_once("://").map(|(_, page)| page);
        let named = || headers.get(header::HOST).and_then(|v| v.to_str().ok());
        let own = uri.authority().map(Authority::as_str).or_else(named);
        let same = page.zip(own).is_some_and(|(page, own)| page.eq_ignore_ascii_case(own));
        if same || page.and_then(host).is_some_and(|host| self.hosts.contains(&host)) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::FORBIDDEN, "origin", format!("a page of another site sent this: {origin}"))
            .hint("programs send no Origin header; the operator can add the site's host to http.hosts"))
    }
}

/// The host of `host:port`, in lower case; an IPv6 address in brackets.
fn host(text: &str) -> Option<String> {
    let authority: Authority = text.parse().ok().filter(|_| !text.contains('@'))?;
    Some(authority.host().to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let is_address = address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    is_address || host.strip_suffix('.').unwrap_or(host) == "localhost"
}

/// Lets a request pass, or answers 421 (this server is not called so) or 403 (a page of another site).
pub async fn guard(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    match state.site.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn site(hosts: &[&str], token: Option<&str>) -> Result<Site> {
        let hosts = hosts.iter().map(ToString::to_string).collect();
        Site::new(&HttpConfig { hosts, ..HttpConfig::default() }, token.is_none())
    }

    /// The status that is answered to a POST, 200 where it passes.
    fn asked(site: &Site, uri: &str, host: &str, origin: Option<&str>) -> u16 {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
        headers.extend(origin.map(|o| (header::ORIGIN, HeaderValue::from_str(o).unwrap())));
        let problem = site.check(&Method::POST, &uri.parse().unwrap(), &headers).err();
        problem.map_or(200, |p| p.into_response().status().as_u16())
    }

    #[test]
    fn without_tokens_only_names_of_this_machine_are_answered() {
        let site = site(&["Lake.example"], None).unwrap();
        for own in [
            "localhost",
            "LocalHost:8080",
            "localhost.:1",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "lake.example:443",
        ] {
            assert_eq!(asked(&site, "/x", own, None), 200, "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "192.168.0.7",
            "a@localhost",
            "",
        ] {
            assert_eq!(asked(&site, "/x", other, None), 421, "{other}");
        }
        assert_eq!(asked(&site, "http://evil.example/x", "localhost", None), 421, "the target counts as well");
        let (get, uri) = (Method::GET, "/x".parse().unwrap());
        assert!(site.check(&get, &uri, &HeaderMap::new()).is_ok(), "no browser leaves Host out");
    }

    #[test]
    fn with_tokens_any_name_will_do_but_no_page_of_another_site() {
        let site = site(&["shop.example"], Some("0123456789abcdef")).unwrap();
        for (origin, status) in [
            (None, 200),
            (Some("http://lake:8080"), 200),
            (Some("https://shop.example:8443"), 200),
            (Some("http://lake"), 403),
            (Some("https://evil.example"), 403),
            (Some("null"), 403),
        ] {
            assert_eq!(asked(&site, "/x", "lake:8080", origin), status, "{origin:?}");
        }
        let other = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static("https://evil.example"))]);
        let uri = "/x".parse().unwrap();
        assert!(site.check(&Method::GET, &uri, &other).is_ok(), "browsers keep answers from such pages by themselves");
        assert!(site.check(&Method::DELETE, &uri, &other).is_err());
    }

    #[test]
    fn hosts_are_names_alone() {
        for wrong in ["https://lake.example", "lake.example:80", "lake/x", "", "a b"] {
            let e = site(&[wrong], None).err();
            assert!(e.is_some_and(|e| e.message().contains("http.hosts")), "{wrong}");
        }
        assert!(site(&["[fd00::7]", "LAKE"], None).is_ok());
    }
}
