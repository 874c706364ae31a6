//! Tokens from the configuration: who knows one is the principal of its name, on every surface. It must not log tokens.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Names with the SHA-256 of their tokens: the tokens themselves are not kept.
pub struct Tokens(Vec<(String, [u8; 32])>);

impl Tokens {
    /// Refuses empty tokens.
    pub fn new(tokens: &BTreeMap<String, String>) -> Result<Tokens> {
        if let Some((name, _)) = tokens.iter().find(|(_, token)| token.trim().is_empty()) {
            return Err(
                Error::invalid(format!("access.tokens.{name} is empty")).hint("make one with `openssl rand -hex 24`")
            );
        }
        Ok(Tokens(tokens.iter().map(|(name, token)| (name.clone(), Sha256::digest(token).into())).collect()))
    }

    /// Without tokens anyone is let in, and only loopback addresses are bound.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. Looks at all of them, each compared in constant time.
    pub fn owner(&self, token: &str) -> Option<&str> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (name, known) in &self.0 {
            let difference = given.iter().zip(known).fold(0u8, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(name.as_str());
            }
        }
        found
    }

    /// Whether `token` is that of `name`.
    pub fn named(&self, name: &str, token: &str) -> bool {
        self.owner(token) == Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> Result<Tokens> {
        Tokens::new(&pairs.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect())
    }

    #[test]
    fn a_token_has_one_owner() {
        let tokens = tokens(&[("bi", "0123456789abcdef"), ("job", "fedcba9876543210")]).unwrap();
        assert_eq!(tokens.owner("0123456789abcdef"), Some("bi"));
        assert!(tokens.named("job", "fedcba9876543210") && !tokens.named("bi", "fedcba9876543210"));
        for bad in ["", "0123456789abcde", "0123456789ABCDEF"] {
            assert_eq!(tokens.owner(bad), None, "{bad}");
        }
    }

    #[test]
    fn empty_tokens_are_refused() {
        assert!(tokens(&[("bi", " ")]).is_err());
        assert!(tokens(&[]).unwrap().is_empty());
    }
}
