//! Identifiers of customers, made equal and hashed: what `identifier_hash` gives. It must not keep what it was given.
//!
//! The hash is SHA-256 in small hex digits over the plain identifier, as advertisers and platforms exchange them, so that a hash
//! that a source gives equals the one made here. It hides an identifier from readers, not from one who tries all phone numbers:
//! who may read customer_identity may know who the customers are.

use sha2::{Digest, Sha256};

use super::files::hex;
use super::text;
use crate::model::Kind;

/// The hash of an identifier of a type of customer_identity; `None` for what is no such identifier.
pub(crate) fn hash(id_type: &str, value: &str) -> Option<String> {
    Some(hex(&Sha256::digest(plain(id_type, value)?)))
}

fn plain(id_type: &str, value: &str) -> Option<String> {
    let value = text::normalise(value, Kind::Code);
    match id_type {
        "email_hash" => value.contains('@').then(|| value.to_lowercase()),
        "phone_hash" => phone(&value),
        _ => (!value.is_empty()).then(|| value.into_owned()),
    }
}

/// "+" and the digits, from the country on. Without its country a number is somebody else's in another one.
fn phone(text: &str) -> Option<String> {
    let national = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    // The zero that is dialled at home only.
    let digits: String = national.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    (8..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_one_hash_however_it_is_written() {
        let known = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
        for email in ["test@example.com", " Test@Example.COM ", "ｔｅｓｔ@example.com"] {
            assert_eq!(hash("email_hash", email).as_deref(), Some(known), "{email}");
        }
        let phone = hash("phone_hash", "+442079460958");
        assert!(phone.is_some());
        for same in ["+44 20 7946 0958", "0044 (20) 7946-0958", "+44 (0)20 7946 0958"] {
            assert_eq!(hash("phone_hash", same), phone, "{same}");
        }
        assert_ne!(hash("loyalty_no", "00123"), hash("loyalty_no", "123"));
        assert_ne!(hash("platform_uid", "aB"), hash("platform_uid", "ab"), "ids of platforms tell capitals apart");
    }

    #[test]
    fn what_is_no_identifier_has_none() {
        for (id_type, value) in [
            ("email_hash", "nobody"),
            ("phone_hash", "020 7946 0958"),
            ("phone_hash", "+44"),
            ("loyalty_no", " "),
            ("email_hash", ""),
        ] {
            assert_eq!(hash(id_type, value), None, "{id_type} {value}");
        }
    }
}
