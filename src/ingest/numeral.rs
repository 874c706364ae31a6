//! Numbers as people's files write them: `1.234,50 €`, `1'234.50`. How is told by writing 1234.50 that way. It must not
//! guess: a text that is written otherwise is no number, however much it looks like one.

/// One way to write numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numeral {
    /// Between groups of three digits; a blank stands for every kind of blank, ' for ’ too. `None`: there are no groups.
    pub(crate) group: Option<char>,
    /// `.` or `,`
    pub(crate) decimal: char,
    /// What may stand before or after the digits: the sign of a currency, or of percent.
    pub(crate) mark: Option<String>,
}

impl Numeral {
    /// The way in which `example` writes 1234.50.
    pub(crate) fn like(example: &str) -> Option<Numeral> {
        let (before, digits, after) = around(example.trim())?;
        let mark = match (before.trim(), after.trim()) {
            ("", "") => None,
            (mark, "") | ("", mark) => Some(mark.to_string()),
            _ => return None,
        };
        let rest = digits.strip_prefix('1')?;
        let (group, rest) = match rest.strip_prefix("234") {
            Some(rest) => (None, rest),
            None => {
                let group = rest.chars().next()?;
                (Some(group), rest[group.len_utf8()..].strip_prefix("234")?)
            }
        };
        let decimal =
            rest.strip_suffix("50").and_then(|d| d.parse::<char>().ok()).filter(|d| matches!(d, '.' | ','))?;
        group.is_none_or(|g| g != decimal && !g.is_alphanumeric()).then_some(Numeral { group, decimal, mark })
    }

    /// The number with a point and without anything else, such as `-1234.50`, if all of `text` is written this way.
    /// Groups may be left out, and the mark too.
    pub(crate) fn read(&self, text: &str) -> Option<String> {
        let (mut before, mut digits, after) = around(text.trim())?;
        // ",5", but not the point of "Fr.5".
        let marked = self.mark.as_ref().is_some_and(|m| before.ends_with(m.as_str()));
        if let Some(rest) = before.strip_suffix(self.decimal).filter(|_| !marked) {
            digits = &text.trim()[rest.len()..text.trim().len() - after.len()];
            before = rest;
        }
        let before = before.trim();
        let unsigned = before.strip_prefix('-').or_else(|| before.strip_suffix('-'));
        match (unsigned.unwrap_or(before).trim(), after.trim()) {
            ("", "") => {}
            (mark, "") | ("", mark) if self.mark.as_deref() == Some(mark) => {}
            _ => return None,
        }
        let (whole, part) = digits.rsplit_once(self.decimal).map_or((digits, None), |(w, p)| (w, Some(p)));
        if part.is_some_and(|p| !all_digits(p)) || !(all_digits(whole) || whole.is_empty() || self.grouped(whole)) {
            return None;
        }
        let mut number = String::from(if unsigned.is_some() { "-" } else { "" });
        number.extend(whole.chars().filter(char::is_ascii_digit));
        if let Some(part) = part {
            number.push('.');
            number.push_str(part);
        }
        Some(number)
    }

    /// Groups of three, the leading one shorter; in India those before the last have two. Nobody groups a number that
    /// begins with 0: "0,750" is three quarters, and 750 would be a thousand times too much.
    fn grouped(&self, whole: &str) -> bool {
        let Some(group) = self.group.filter(|_| !whole.starts_with('0')) else { return false };
        let groups: Vec<&str> = whole.split(|c| is_sign(c, group)).collect();
        let sizes: Vec<usize> = groups.iter().map(|g| g.len()).collect();
        groups.iter().all(|g| all_digits(g))
            && matches!(sizes.as_slice(), [1..=3, middle @ .., 3] if middle.iter().all(|n| matches!(n, 2 | 3)))
    }
}

/// What stands before the digits, from the first digit to the last, and after them.
pub(crate) fn around(text: &str) -> Option<(&str, &str, &str)> {
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    Some((&text[..first], &text[first..end], &text[end..]))
}

/// `c` is a sign of groups like `group`.
pub(crate) fn is_sign(c: char, group: char) -> bool {
    match group {
        ' ' => c.is_whitespace(),
        '\'' | '’' => matches!(c, '\'' | '’'),
        group => c == group,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(example: &str, text: &str) -> Option<String> {
        Numeral::like(example).unwrap_or_else(|| panic!("{example} writes 1234.50")).read(text)
    }

    #[test]
    fn numbers_are_read_as_the_example_is_written() {
        for (example, text, number) in [
            ("1,234.50", "1,234.50", "1234.50"),
            ("1,234.50", "2.5", "2.5"),
            ("1,234.50", "-1,234,567", "-1234567"),
            ("1,234.50", "12,34,567.00", "1234567.00"),
            ("1.234,50", "1.234.567,5", "1234567.5"),
            ("1.234,50", "9,99", "9.99"),
            ("1.234,50", ",5", ".5"),
            ("1234,50", "12,50", "12.50"),
            ("1 234,50", "1\u{202f}234,50", "1234.50"),
            ("1'234.50", "1’234.50", "1234.50"),
            ("1.234,50 €", "-€ 3,00", "-3.00"),
            ("€1.234,50", "€-3", "-3"),
            ("1.234,50 €", "1.234,50\u{a0}€", "1234.50"),
            ("Fr. 1'234.50", "Fr.5", "5"),
            ("EUR 1234.50", "3.50 EUR", "3.50"),
            ("1234.50%", "7 %", "7"),
            ("1234.50%", " 0 ", "0"),
            // A leading zero is refused in groups only.
            ("1,234.50", "0.750", "0.750"),
            ("1.234,50", "-0,750", "-0.750"),
            ("1,234.50", "00123", "00123"),
            ("1,234.50", "1,000,050", "1000050"),
            ("1 234,50", "0,750", "0.750"),
        ] {
            assert_eq!(read(example, text).as_deref(), Some(number), "{text} like {example}");
        }
    }

    #[test]
    fn v01_what_is_written_otherwise_is_no_number() {
        for (example, text) in [
            // A hundred times too much, were the comma only taken away.
            ("1,234.50", "9,99"),
            ("1,234.50", "12,50"),
            ("1,234.50", "1.234,50"),
            ("1,234.50", "1,2345"),
            ("1,234.50", "1234,567"),
            ("1.234,50", "9.99"),
            ("1.234,50", "1,234.50"),
            // A thousand times too much, were these groups.
            ("1,234.50", "0,750"),
            ("1,234.50", "-0,750"),
            ("1,234.50", "00,123"),
            ("1,234.50", "000,750"),
            ("1,234.50", "0,750.00"),
            ("1.234,50", "0.750"),
            ("1 234,50", "0 750"),
            ("1 234,50", "0\u{202f}750"),
            ("1'234.50", "0’750"),
            ("€1,234.50", "€0,750"),
            // A thousand times too little, were the point left as it is.
            ("1234,50", "1.250"),
            ("1234,50", "9.99"),
            ("1 234,50", "12 50"),
            ("1'234.50", "1'23"),
            ("1234.50 €", "£5"),
            ("1234.50 €", "€5€"),
            ("1234.50", "5-"),
            ("1234.50", "5."),
            ("1234.50", "3 apples"),
            ("1234.50", "1 234"),
            ("1234.50", ""),
            ("1234.50", "--1"),
        ] {
            assert_eq!(read(example, text), None, "{text:?} like {example}");
        }
    }

    #[test]
    fn an_example_shows_all_signs() {
        for bad in ["", "1,234", "1.234.50", "12.50", "1234", "€1234.50€", "1x234.50", "1234;50", "%d"] {
            assert_eq!(Numeral::like(bad), None, "{bad}");
        }
    }
}
