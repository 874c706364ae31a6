//! Who calls: a bearer token, or a token's name and the token as user and password, with each call or once in a
//! handshake. It must not log either.

use std::time::Duration;

use arrow_flight::{BasicAuth, HandshakeRequest};
use prost::Message;
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::access::{Caller, Tokens};

/// The principal of callers of a server without tokens (loopback only), and the token that its handshake gives.
const ANYONE: &str = "flight";

/// Lets callers in.
pub struct Door(Tokens);

/// What a caller shows.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Bearer(String),
    Basic { user: String, password: String },
}

impl Door {
    pub fn new(tokens: Tokens) -> Door {
        Door(tokens)
    }

    /// The caller of a call, with the time that it leaves.
    pub fn caller(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let mut caller = Caller::bi(self.principal(shown(metadata)?.as_ref())?);
        caller.timeout = timeout(metadata);
        Ok(caller)
    }

    /// The bearer token for the calls after a handshake: user and password are in the header, or in the message of old
    /// clients.
    pub fn handshake(&self, metadata: &MetadataMap, message: Option<HandshakeRequest>) -> Result<String, Status> {
        let shown = match (shown(metadata)?, message) {
            (None, Some(message)) if !message.payload.is_empty() => {
                let basic = BasicAuth::decode(message.payload)
                    .map_err(|_| refused("the handshake is no user name and password"))?;
                Some(Shown::Basic { user: basic.username, password: basic.password })
            }
            (shown, _) => shown,
        };
        self.principal(shown.as_ref())?;
        Ok(match shown {
            Some(Shown::Bearer(token) | Shown::Basic { password: token, .. }) if !self.0.is_empty() => token,
            _ => ANYONE.into(),
        })
    }

    fn principal(&self, shown: Option<&Shown>) -> Result<String, Status> {
        if self.0.is_empty() {
            return Ok(ANYONE.into());
        }
        match shown {
            None => Err(refused("this server needs a token")),
            Some(Shown::Bearer(token)) => {
                self.0.owner(token).map(Into::into).ok_or_else(|| refused("the token is not known"))
            }
            Some(Shown::Basic { user, password }) if self.0.named(user, password) => Ok(user.clone()),
            Some(Shown::Basic { .. }) => Err(refused("user and password are not a token's name and the token")),
        }
    }
}

fn refused(why: &str) -> Status {
    Status::unauthenticated(format!(
        "{why}\nhint: give a token of access.tokens as bearer token, or its name as user and the token as password"
    ))
}

fn shown(metadata: &MetadataMap) -> Result<Option<Shown>, Status> {
    let Some(header) = metadata.get("authorization") else { return Ok(None) };
    let header = header.to_str().map_err(|_| refused("the authorization header is no ASCII text"))?;
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Some(Shown::Bearer(value.into())));
    }
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| base64(value)).flatten();
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.as_deref().and_then(|text| text.split_once(':'));
    let (user, password) = pair.ok_or_else(|| refused("the authorization header is neither Bearer nor Basic"))?;
    Ok(Some(Shown::Basic { user: user.into(), password: password.into() }))
}

/// Standard base64, padded or not: Go's driver leaves the padding out.
fn base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut bytes) = (0u32, 0u32, Vec::new());
    for c in text.trim_end_matches('=').bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6) | u32::from(digit), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

/// `grpc-timeout`: at most eight digits and a unit. What is no such text is no limit.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.len() > 8 {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(n * 3600),
        'M' => Duration::from_secs(n * 60),
        'S' => Duration::from_secs(n),
        'm' => Duration::from_millis(n),
        'u' => Duration::from_micros(n),
        'n' => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn door(tokens: &[(&str, &str)]) -> Door {
        Door(Tokens::new(&tokens.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect()).unwrap())
    }

    fn with(name: &'static str, value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert(name, value.parse().unwrap());
        metadata
    }

    #[test]
    fn tokens_come_bare_or_with_their_name() {
        let door = door(&[("bi", TOKEN)]);
        // bi:0123456789abcdef, padded and as Go's driver writes it.
        for fine in [
            "Bearer 0123456789abcdef",
            "bearer  0123456789abcdef",
            "Basic Ymk6MDEyMzQ1Njc4OWFiY2RlZg==",
            "basic Ymk6MDEyMzQ1Njc4OWFiY2RlZg",
        ] {
            assert_eq!(door.caller(&with("authorization", fine)).unwrap().principal, "bi", "{fine}");
            assert_eq!(door.handshake(&with("authorization", fine), None).unwrap(), TOKEN, "{fine}");
        }
        // job:0123456789abcdef, and what is neither.
        for wrong in ["Basic am9iOjAxMjM0NTY3ODlhYmNkZWY=", "Bearer x", "Basic ???", "Digest x", "Bearer"] {
            let refused = door.caller(&with("authorization", wrong)).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::Unauthenticated, "{wrong}");
            assert!(refused.message().contains("hint: "), "{wrong}");
        }
        assert!(door.caller(&MetadataMap::new()).is_err());
    }

    #[test]
    fn old_clients_shake_hands_with_a_message() {
        let basic = BasicAuth { username: "bi".into(), password: TOKEN.into() };
        let message = HandshakeRequest { protocol_version: 0, payload: basic.encode_to_vec().into() };
        let door = door(&[("bi", TOKEN)]);
        assert_eq!(door.handshake(&MetadataMap::new(), Some(message)).unwrap(), TOKEN);
        assert!(door.handshake(&MetadataMap::new(), None).is_err());
    }

    #[test]
    fn without_tokens_anyone_is_let_in() {
        let door = door(&[]);
        assert_eq!(door.caller(&with("authorization", "Basic YTpi")).unwrap().principal, ANYONE);
        assert_eq!(door.handshake(&MetadataMap::new(), None).unwrap(), ANYONE);
    }

    #[test]
    fn calls_say_how_long_they_wait() {
        let of = |text: &str| timeout(&with("grpc-timeout", text));
        assert_eq!(of("250m"), Some(Duration::from_millis(250)));
        assert_eq!(of("2H"), Some(Duration::from_secs(7200)));
        for none in ["m", "x", "123456789S", "-1S", "5d"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(base64("YTpi"), Some(b"a:b".to_vec()));
    }
}
