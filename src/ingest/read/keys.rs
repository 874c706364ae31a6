//! Finds a key that one JSON object has twice. It must only be given texts that are JSON.

/// Objects of up to so many keys are compared key by key; larger ones are sorted first.
const FEW: usize = 16;

/// The first such key, at any depth. `json` is valid JSON, so looking at its signs is enough.
pub(super) fn repeated_key(json: &[u8]) -> Option<String> {
    // The keys of the objects that are open, and where those of each begin.
    let (mut keys, mut begins): (Vec<&[u8]>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' => begins.push(keys.len()),
            b'}' => {
                let begin = begins.pop()?;
                if let Some(key) = twice(&mut keys[begin..]) {
                    return Some(key);
                }
                keys.truncate(begin);
            }
            b'"' => {
                let end = at + string_end(&json[at..])?;
                let after = json[end + 1..].trim_ascii_start().first();
                if after == Some(&b':') {
                    keys.push(&json[at..end]);
                }
                at = end + 1;
            }
            _ => {}
        }
    }
    None
}

/// Where the quote is that ends a string.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn twice(keys: &mut [&[u8]]) -> Option<String> {
    if keys.iter().any(|k| k.contains(&b'\\')) {
        // The same letters may be written in several ways.
        let mut plain: Vec<String> = keys.iter().map(|k| unescaped(k)).collect();
        plain.sort_unstable();
        return plain.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
    }
    let found = if keys.len() <= FEW {
        (1..keys.len()).find(|i| keys[..*i].contains(&keys[*i])).map(|i| keys[i])
    } else {
        keys.sort_unstable();
        keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    };
    found.map(unescaped)
}

fn unescaped(key: &[u8]) -> String {
    let quoted = [b"\"", key, b"\""].concat();
    serde_json::from_slice(&quoted).unwrap_or_else(|_| String::from_utf8_lossy(key).into_owned())
}

#[cfg(test)]
mod tests {
    use super::repeated_key;

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth() {
        for (json, key) in [
            (r#"{"id":"6","id":"7"}"#, "id"),
            (r#"{"a":{"b":1},"c":[{"d":1,"e":2,"d":3}]}"#, "d"),
            (r#"{"a":{"b":1}, "x":1, "a" : 2}"#, "a"),
            (r#"{"id":1,"\u0069d":2}"#, "id"),
            (r#"{"a\"b":1,"a\"b":2}"#, "a\"b"),
            (r#"{"":1,"":2}"#, ""),
        ] {
            assert_eq!(repeated_key(json.as_bytes()).as_deref(), Some(key), "{json}");
        }
        let many: Vec<String> = (0..100).map(|i| format!("\"k{}\":1", i % 99)).collect();
        assert_eq!(repeated_key(format!("{{{}}}", many.join(",")).as_bytes()).as_deref(), Some("k0"));
    }

    #[test]
    fn equal_keys_of_different_objects_and_values_are_no_repetition() {
        for json in [
            r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#,
            r#"{"a":"a","b":"a","c":["a","a"],"d":"\"a\":"}"#,
            r#"{"a":"{\"b\":1,\"b\":2}","c":"\\"}"#,
            r#"{"id":1,"ID":2," id":3}"#,
            "{}",
        ] {
            assert_eq!(repeated_key(json.as_bytes()), None, "{json}");
        }
    }
}
