//! How a column writes numbers, and SQL that turns them into what a decimal is. Only signs that were seen are taken away:
//! anything else is left for the quarantine rather than misread.

use super::money;

/// How a column writes numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Number {
    /// 1.234,5 or 1234,5
    pub decimal_comma: bool,
    /// The sign or word of the currency beside the digits.
    pub money: Option<String>,
    pub percent: bool,
    /// A number such as 1,234 could be read with the other decimal sign as well.
    pub doubt: Option<String>,
    /// Every other sign that stands among the digits: of thousands, blanks, percent.
    strip: Vec<char>,
}

/// Signs of thousands and of decimals, the likeliest first. A blank stands for every kind of blank.
const STYLES: &[(Option<char>, char)] = &[
    (None, '.'),
    (Some(','), '.'),
    (Some('.'), ','),
    (Some(' '), '.'),
    (Some(' '), ','),
    (Some('\''), '.'),
    (Some('’'), '.'),
];

/// One value, taken apart.
struct Parts<'v> {
    digits: &'v str,
    money: Option<&'v str>,
    percent: Option<char>,
}

/// The way of writing numbers that fits the values (at least four of five). `decimal`: the sign that other columns of the
/// file have, which decides where both would do.
pub(super) fn number(values: &[&str], decimal: Option<char>) -> Option<Number> {
    let parts: Vec<Parts<'_>> = values.iter().filter_map(|v| take_apart(v)).collect();
    let money = common(parts.iter().filter_map(|p| p.money));
    let alike: Vec<&Parts<'_>> = parts.iter().filter(|p| p.money.is_none() || p.money == money).collect();
    let count = |style: &(Option<char>, char)| alike.iter().filter(|p| fits(p.digits, style.0, style.1)).count();
    let enough = |n: usize| n > 0 && n * 5 >= values.len() * 4;
    let told: Vec<_> = STYLES.iter().filter(|s| decimal == Some(s.1) && enough(count(s))).collect();
    let (told, styles) = if told.is_empty() { (false, STYLES.iter().collect()) } else { (true, told) };
    // The first of the best: `max_by_key` gives the last of equals.
    let best = styles.into_iter().rev().max_by_key(|s| count(s))?;
    if !enough(count(best)) {
        return None;
    }
    let marked = |p: &&&Parts<'_>| p.digits.contains(['.', ',']);
    let rival = STYLES.iter().any(|s| s.1 != best.1 && count(s) == count(best));
    let doubt = if told || !rival { None } else { alike.iter().find(marked).map(|p| p.digits.to_string()) };
    let mut strip: Vec<char> = Vec::new();
    for part in &alike {
        let odd = part.digits.chars().filter(|c| !c.is_ascii_digit() && *c != best.1);
        strip.extend(odd.filter(|c| best.0.is_some_and(|g| is_sign(*c, g))).chain(part.percent));
    }
    strip.extend(values.iter().flat_map(|v| v.trim().chars().filter(|c| c.is_whitespace())));
    strip.sort_unstable();
    strip.dedup();
    let percents = alike.iter().filter(|p| p.percent.is_some()).count();
    Some(Number {
        decimal_comma: best.1 == ',' && alike.iter().any(|p| p.digits.contains(',')),
        money: money.map(str::to_string),
        percent: percents * 2 >= alike.len() && percents > 0,
        doubt,
        strip,
    })
}

/// The decimal sign that columns of numbers have which leave no doubt, if they agree.
pub(super) fn decimal_sign<'a>(columns: impl Iterator<Item = Vec<&'a str>>) -> Option<char> {
    let signs: Vec<char> = columns
        .filter_map(|values| {
            let found = number(&values, None).filter(|n| n.doubt.is_none())?;
            let sign = if found.decimal_comma { ',' } else { '.' };
            values.iter().any(|v| v.contains(['.', ','])).then_some(sign)
        })
        .collect();
    let first = *signs.first()?;
    signs.iter().all(|s| *s == first).then_some(first)
}

impl Number {
    /// SQL that turns the text `sql` into digits with a point.
    pub(super) fn text(&self, sql: &str) -> String {
        let mut text = sql.to_string();
        let mut strip: String = self.strip.iter().collect();
        match self.money.as_deref() {
            Some(word) if word.chars().count() > 1 => text = format!("replace({text}, {}, '')", literal(word)),
            sign => strip.push_str(sign.unwrap_or_default()),
        }
        match (self.decimal_comma, strip.chars().count()) {
            (false, 0) => text,
            (false, 1) => format!("replace({text}, {}, '')", literal(&strip)),
            (false, _) => format!("translate({text}, {}, '')", literal(&strip)),
            (true, 0) => format!("replace({text}, ',', '.')"),
            // The first sign becomes a point, the others nothing.
            (true, _) => format!("translate({text}, {}, '.')", literal(&format!(",{strip}"))),
        }
    }

    /// What is done to the text, for people; `None` = nothing.
    pub(super) fn says(&self) -> Option<String> {
        let shown = |c: &char| if c.is_whitespace() { "blanks".to_string() } else { format!("\"{c}\"") };
        let mut signs: Vec<String> =
            self.money.iter().map(|m| format!("\"{m}\"")).chain(self.strip.iter().map(shown)).collect();
        signs.dedup();
        let cut = (!signs.is_empty()).then(|| format!("{} taken away", signs.join(" and ")));
        let comma = self.decimal_comma.then(|| "a decimal comma".to_string());
        let all: Vec<String> = comma.into_iter().chain(cut).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// About what number a text is: enough to guess by, never to count with.
    pub(super) fn value(&self, text: &str) -> Option<f64> {
        let money = self.money.as_deref().unwrap_or("\0");
        let digits = text.replace(money, "").replace(|c| self.strip.contains(&c), "");
        let digits = if self.decimal_comma { digits.replace(',', ".") } else { digits };
        digits.trim().parse().ok()
    }
}

/// A text in SQL; blanks that look like others are written by number.
fn literal(text: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut plain = String::new();
    let quoted = |plain: &mut String| (!plain.is_empty()).then(|| format!("'{}'", std::mem::take(plain)));
    for c in text.chars() {
        match c {
            c if c.is_whitespace() && c != ' ' => {
                pieces.extend(quoted(&mut plain));
                pieces.push(format!("chr({})", u32::from(c)));
            }
            '\'' => plain.push_str("''"),
            c => plain.push(c),
        }
    }
    pieces.extend(quoted(&mut plain));
    pieces.join(" || ")
}

fn take_apart(value: &str) -> Option<Parts<'_>> {
    let value = value.trim();
    let first = value.find(|c: char| c.is_ascii_digit())?;
    let start = if value[..first].ends_with(['.', ',']) { first - 1 } else { first };
    let end = value.rfind(|c: char| c.is_ascii_digit())? + 1;
    let before = value[..start].trim();
    let before = before.strip_prefix('-').or_else(|| before.strip_suffix('-')).unwrap_or(before).trim();
    let after = value[end..].trim();
    let digits = &value[start..end];
    match (before, after) {
        ("", "") => Some(Parts { digits, money: None, percent: None }),
        ("", "%" | "％") => Some(Parts { digits, money: None, percent: after.chars().next() }),
        (sign, "") | ("", sign) if money::of_sign(sign).is_some() => {
            Some(Parts { digits, money: Some(sign), percent: None })
        }
        _ => None,
    }
}

fn common<'v>(signs: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let signs: Vec<&str> = signs.collect();
    signs.iter().max_by_key(|s| signs.iter().filter(|t| t == s).count()).copied()
}

fn is_sign(c: char, sign: char) -> bool {
    if sign == ' ' { c.is_whitespace() } else { c == sign }
}

fn fits(text: &str, group: Option<char>, decimal: char) -> bool {
    let digits = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
    let (whole, part) = text.rsplit_once(decimal).map_or((text, None), |(w, p)| (w, Some(p)));
    // Groups of three, the leading one shorter; in India those before the last have two.
    let grouped = |sign: char| {
        let groups: Vec<&str> = whole.split(|c| is_sign(c, sign)).collect();
        let sizes: Vec<usize> = groups.iter().map(|g| g.len()).collect();
        groups.iter().all(|g| digits(g))
            && matches!(sizes.as_slice(), [1..=3, middle @ .., 3] if middle.iter().all(|n| matches!(n, 2 | 3)))
    };
    part.is_none_or(digits) && (digits(whole) || (whole.is_empty() && part.is_some()) || group.is_some_and(grouped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Option<String> {
        number(values, None).map(|n| n.text("x"))
    }

    #[test]
    fn only_what_was_seen_is_taken_away() {
        for (values, sql) in [
            (&["1", "-2.50"][..], "x"),
            (&["1,250.00", "3"], "replace(x, ',', '')"),
            (&["2,50", "1250,00"], "replace(x, ',', '.')"),
            (&["2,50", "1.250,00"], "translate(x, ',.', '.')"),
            (&["£3", "-£1,234.50"], "translate(x, ',£', '')"),
            (&["3,00 €", "1.234,50 €"], "translate(x, ', .€', '.')"),
            (&["3,00\u{a0}€"], "translate(x, ',' || chr(160) || '€', '.')"),
            (&["1 234,50"], "translate(x, ', ', '.')"),
            (&["1'234.50"], "replace(x, '''', '')"),
            (&["12,34,567.00"], "replace(x, ',', '')"),
            (&["EUR 3.50"], "replace(replace(x, 'EUR', ''), ' ', '')"),
            (&["￥3.50"], "replace(x, '￥', '')"),
            (&[".5"], "x"),
        ] {
            assert_eq!(text(values).as_deref(), Some(sql), "{values:?}");
        }
        for odd in ["", "x", "3 apples", "2026-01-31", "1,2,3", "10:05", "12.-", "A3"] {
            assert_eq!(text(&[odd]), None, "{odd}");
        }
    }

    #[test]
    fn percents_and_mixed_signs() {
        let vat = number(&["19%", "7 %", "0"], None).expect("numbers");
        assert_eq!((vat.percent, vat.text("x")), (true, "translate(x, ' %', '')".into()));
        let mixed = number(&["€1", "€2", "€3", "€4", "£5"], None).expect("four of five are alike");
        assert_eq!((mixed.money.as_deref(), mixed.text("x")), (Some("€"), "replace(x, '€', '')".into()));
        assert_eq!(number(&["€1", "£5"], None), None);
    }

    #[test]
    fn other_columns_settle_what_one_leaves_open() {
        let open = number(&["1.234", "2.500"], None).expect("numbers");
        assert_eq!((open.decimal_comma, open.doubt.as_deref(), open.text("x")), (false, Some("1.234"), "x".into()));
        let german = number(&["1.234", "2.500"], Some(',')).expect("numbers");
        assert_eq!((german.doubt.as_deref(), german.text("x")), (None, "replace(x, '.', '')".into()));
        assert_eq!(
            decimal_sign([vec!["1.234"], vec!["2", "3"], vec!["0,5", "x1"], vec!["9,99 €"]].into_iter()),
            Some(',')
        );
        assert_eq!(decimal_sign([vec!["9,99"], vec!["9.99"]].into_iter()), None);
        assert_eq!(decimal_sign([vec!["1,234"], vec!["5"]].into_iter()), None);
    }
}
