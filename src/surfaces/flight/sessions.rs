//! Sessions, of which there are none: catalog and schema have their one value, and nothing else can be set. The messages
//! are those of Flight.proto that `arrow-flight` does not have yet.

use std::collections::HashMap;

use prost::Message;

use crate::engine::{CATALOG, MAIN};

#[derive(Clone, PartialEq, Message)]
pub struct SetSessionOptionsRequest {
    #[prost(map = "string, message", tag = "1")]
    pub session_options: HashMap<String, SessionOptionValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    pub errors: HashMap<String, OptionError>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct OptionError {
    #[prost(enumeration = "Wrong", tag = "1")]
    pub value: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Wrong {
    Unspecified = 0,
    Name = 1,
    Value = 2,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    pub session_options: HashMap<String, SessionOptionValue>,
}

/// `status` 1 = closed.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct CloseSessionResult {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// Without a value: to be unset.
#[derive(Clone, PartialEq, Message)]
pub struct SessionOptionValue {
    #[prost(oneof = "OptionValue", tags = "1, 2, 3, 4, 5")]
    pub option_value: Option<OptionValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum OptionValue {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(sfixed64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Texts(Texts),
}

#[derive(Clone, PartialEq, Message)]
pub struct Texts {
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// The options there are, with their values.
const OPTIONS: [(&str, &str); 2] = [("catalog", CATALOG), ("schema", MAIN)];

/// An option may be set to what it is, or unset.
pub fn set(asked: SetSessionOptionsRequest) -> SetSessionOptionsResult {
    let wrong = |(name, value): (String, SessionOptionValue)| {
        let wrong = match (OPTIONS.iter().find(|(known, _)| *known == name), value.option_value) {
            (None, _) => Wrong::Name,
            (Some(_), None) => return None,
            (Some((_, only)), Some(OptionValue::Text(text))) if text.is_empty() || text == *only => return None,
            _ => Wrong::Value,
        };
        Some((name, OptionError { value: wrong as i32 }))
    };
    SetSessionOptionsResult { errors: asked.session_options.into_iter().filter_map(wrong).collect() }
}

pub fn get() -> GetSessionOptionsResult {
    let value = |text: &str| SessionOptionValue { option_value: Some(OptionValue::Text(text.into())) };
    GetSessionOptionsResult { session_options: OPTIONS.map(|(name, only)| (name.to_string(), value(only))).into() }
}

pub fn close() -> CloseSessionResult {
    CloseSessionResult { status: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_their_one_value() {
        let option = |value| SessionOptionValue { option_value: value };
        let text = |text: &str| option(Some(OptionValue::Text(text.into())));
        let asked = [
            ("catalog", text("lake")),
            ("schema", text("base")),
            ("autocommit", option(Some(OptionValue::Bool(true)))),
        ];
        let asked = SetSessionOptionsRequest { session_options: asked.map(|(n, v)| (n.to_string(), v)).into() };
        let sent = SetSessionOptionsRequest::decode(&*asked.encode_to_vec()).unwrap();
        let errors = set(sent).errors;
        assert_eq!(errors.len(), 2);
        assert_eq!((errors["schema"].value, errors["autocommit"].value), (Wrong::Value as i32, Wrong::Name as i32));
        let unset = [("schema".to_string(), option(None)), ("catalog".to_string(), text(""))];
        assert!(set(SetSessionOptionsRequest { session_options: unset.into() }).errors.is_empty());
        assert_eq!(get().session_options["catalog"], text("lake"));
    }
}
