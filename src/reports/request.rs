//! A request: names and texts, as a command line or a URL gives them, and what they mean for one report.
//! It must not run anything; every name that means nothing is an error with near names.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::header::{Header, Period};
use super::info::ReportInfo;
use super::{dates, params};
use crate::engine::{Compare, CompareMode, OrderBy, Param, QueryOptions, Slice};
use crate::error::{Error, Result, did_you_mean};
use crate::model::calendar::Grain;
use crate::model::slicer::{SLICERS, slicer};

/// Names that the engine understands for every report; no parameter may be called so.
pub const RESERVED: &[&str] = &["compare", "order_by", "limit", "top_n", "totals", "known_at", "format", "where"];

/// What `compare` can be.
pub const COMPARISONS: [&str; 4] = ["none", "previous_period", "previous_year", "previous_year_aligned"];

/// Names under which people look for `limit`.
const TOP: &[&str] = &["top", "n", "first", "head", "rows", "max_rows"];

/// What somebody asks of a report: `from` = `2026-01-01`, `where.channel` = `web,pos`, `compare` = `previous_year`,
/// `order_by` = `-net_sales`, `limit`, `top_n`, `totals`, and policies by their names. Relative dates are texts too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    pub values: Vec<(String, String)>,
}

impl Request {
    pub fn new() -> Request {
        Request::default()
    }
    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.values.push((name.into(), value.into()));
        self
    }
}

/// A request, understood.
#[derive(Debug, Clone)]
pub struct Asked {
    pub options: QueryOptions,
    /// Every policy of the report with the value that holds.
    pub policies: BTreeMap<String, String>,
    /// What the lake held then is asked, not what it holds now.
    pub known_at: Option<KnownAt>,
}

/// When something was known: an instant, or the beginning of a day in the lake's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAt {
    Instant(DateTime<Utc>),
    Day(NaiveDate),
}

impl KnownAt {
    fn read(text: &str, today: NaiveDate) -> Result<KnownAt> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text.trim()) {
            return Ok(KnownAt::Instant(instant.to_utc()));
        }
        dates::resolve(text, today).map(KnownAt::Day).map_err(|_| {
            Error::invalid(format!("known_at = {text:?} is neither an instant nor a day"))
                .hint(format!("2026-01-31T08:00:00Z, or {}", dates::HINT))
        })
    }

    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        match self {
            KnownAt::Instant(instant) => instant,
            // A midnight that clocks skip is at the first instant behind it.
            KnownAt::Day(day) => match day.and_time(NaiveTime::MIN).and_local_timezone(zone).earliest() {
                Some(midnight) => midnight.to_utc(),
                None => (day.and_time(NaiveTime::MIN) + TimeDelta::hours(1)).and_utc(),
            },
        }
    }
}

/// Understands `request` for the report `info` with `header`.
///
/// # Errors
/// `Invalid`, naming the parameter, the given value and what works.
pub fn understand(request: &Request, info: &ReportInfo, header: &Header, today: NaiveDate) -> Result<Asked> {
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    let mut asked = Asking { info, header, slices: BTreeMap::new(), levels: BTreeMap::new(), chosen: BTreeMap::new() };
    for (name, value) in &request.values {
        if header.params.get(name).is_some() || is_engine(name) {
            if given.insert(name.as_str(), value.as_str()).is_some() {
                return Err(Error::invalid(format!("{name} is given twice")));
            }
        } else {
            asked.other(name, value)?;
        }
    }
    let mut values = BTreeMap::new();
    for (name, param) in &header.params.0 {
        values.insert(name.clone(), params::value(name, param, given.get(name.as_str()).copied(), today)?);
    }
    check_period(header, &values)?;
    let compare = given.get("compare").map(|text| compare(text, info, header, &values)).transpose()?.flatten();
    let mut options = QueryOptions {
        params: values,
        slices: asked.slices()?,
        spine: header.spine.clone(),
        totals: given.get("totals").map(|text| totals(text, info)).transpose()?.unwrap_or(false),
        key: header.key.clone(),
        limit: given.get("limit").map(|text| limit("limit", text)).transpose()?.flatten(),
        top_n: given.get("top_n").map(|text| top_n(text, info)).transpose()?.flatten(),
        label: info.id.clone(),
        ..QueryOptions::default()
    };
    options.order_by =
        given.get("order_by").map(|text| order(text, info, compare.as_ref())).transpose()?.unwrap_or_default();
    options.compare = compare;
    if options.top_n.is_some() && (options.limit.is_some() || options.compare.is_some()) {
        let both = if options.limit.is_some() { "limit and top_n" } else { "compare and top_n" };
        return Err(Error::invalid(format!("{both} cannot be asked for together")).hint("leave one of them out"));
    }
    let mut policies: BTreeMap<String, String> =
        info.policies.iter().map(|p| (p.name.clone(), p.default.clone())).collect();
    policies.extend(header.fixed.clone());
    policies.extend(asked.chosen);
    options.policies = policies.clone();
    let known_at = given.get("known_at").map(|text| KnownAt::read(text, today)).transpose()?;
    Ok(Asked { options, policies, known_at })
}

fn is_engine(name: &str) -> bool {
    matches!(name, "compare" | "order_by" | "limit" | "top_n" | "totals" | "known_at")
}

/// What is neither a parameter nor the engine's: slicers, their levels, policies.
struct Asking<'a> {
    info: &'a ReportInfo,
    header: &'a Header,
    slices: BTreeMap<&'static str, Vec<String>>,
    levels: BTreeMap<&'static str, u32>,
    chosen: BTreeMap<String, String>,
}

impl Asking<'_> {
    fn other(&mut self, name: &str, value: &str) -> Result<()> {
        let sliced = name.strip_prefix("where.");
        let level = sliced.unwrap_or(name);
        if let Some(of) = SLICERS.iter().find(|s| s.level == Some(level)) {
            let number = value
                .trim()
                .parse()
                .map_err(|_| Error::invalid(format!("{name} = {value:?}: not a level")).hint("1 to 5"))?;
            self.levels.insert(of.name, number);
            return Ok(());
        }
        match sliced {
            Some(word) => self.slice(word, value),
            None => self.policy(name, value),
        }
    }

    fn slice(&mut self, word: &str, value: &str) -> Result<()> {
        let applies = self.info.slicers.iter().map(String::as_str);
        let Some(found) = slicer(word) else {
            return Err(Error::invalid(format!("there is no slicer {word}"))
                .hint(did_you_mean(word, SLICERS.iter().map(|s| s.name))));
        };
        if !applies.clone().any(|name| name == word) {
            let hint = match self.info.slicers.as_slice() {
                [] => "no slicer applies to it".into(),
                some => format!("it can be by {}", some.join(", ")),
            };
            return Err(Error::invalid(format!("{} cannot be sliced by {word}", self.info.id)).hint(hint));
        }
        let values = params::list(value);
        if values.is_empty() {
            return Err(Error::invalid(format!("where.{word} = {value:?}: no value"))
                .hint("ids or names between commas, UNK, N/A"));
        }
        self.slices.entry(found.name).or_default().extend(values);
        Ok(())
    }

    fn policy(&mut self, name: &str, value: &str) -> Result<()> {
        if let Some(fixed) = self.header.fixed.get(name) {
            return Err(Error::invalid(format!("{} sets {name} itself, to {fixed}", self.info.id))
                .hint(format!("leave {name} out")));
        }
        let Some(policy) = self.info.policies.iter().find(|p| p.name == name) else {
            return Err(self.unknown(name, value));
        };
        if !policy.values.iter().any(|v| v == value) {
            return Err(Error::invalid(format!("policy {name} = {value:?}"))
                .hint(did_you_mean(value, policy.values.iter().map(String::as_str))));
        }
        match self.chosen.insert(name.into(), value.into()) {
            None => Ok(()),
            Some(_) => Err(Error::invalid(format!("{name} is given twice"))),
        }
    }

    fn unknown(&self, name: &str, value: &str) -> Error {
        let slicers: Vec<String> = self.info.slicers.iter().map(|s| format!("where.{s}")).collect();
        let known = self.header.params.names().chain(self.info.policies.iter().map(|p| p.name.as_str()));
        let known: Vec<&str> = known
            .chain(["compare", "order_by", "limit", "top_n", "totals", "known_at"])
            .chain(slicers.iter().map(String::as_str))
            .collect();
        let hint = match slicer(name) {
            Some(_) => format!("slicers are written where.{name}"),
            None if TOP.contains(&name) => format!(
                "limit={value} gives the first rows in the order of order_by, top_n={value} one more of all the others"
            ),
            None => did_you_mean(name, known.iter().copied()),
        };
        Error::invalid(format!("{} has no parameter {name}", self.info.id)).hint(hint)
    }

    fn slices(&mut self) -> Result<Vec<Slice>> {
        if let Some(name) = self.levels.keys().find(|name| !self.slices.contains_key(*name)) {
            return Err(
                Error::invalid(format!("a level of {name} is given, and no {name}")).hint(format!("add where.{name}"))
            );
        }
        let slices = std::mem::take(&mut self.slices).into_iter();
        Ok(slices
            .map(|(name, values)| Slice { slicer: name.into(), values, level: self.levels.get(name).copied() })
            .collect())
    }
}

fn check_period(header: &Header, values: &BTreeMap<String, Param>) -> Result<()> {
    let (from, to) = header.period.as_ref().map_or(("from", "to"), |p| (p.from.as_str(), p.to.as_str()));
    match (values.get(from), values.get(to)) {
        (Some(first), Some(end)) => params::period((from, first), (to, end)),
        _ => Ok(()),
    }
}

fn compare(
    text: &str,
    info: &ReportInfo,
    header: &Header,
    values: &BTreeMap<String, Param>,
) -> Result<Option<Compare>> {
    let mode = match text.trim() {
        "" | "none" => return Ok(None),
        "previous_period" => CompareMode::PreviousPeriod,
        "previous_year" => CompareMode::PreviousYear,
        "previous_year_aligned" => CompareMode::PreviousYearAligned,
        other => {
            return Err(Error::invalid(format!("compare = {other:?}: there is no such comparison"))
                .hint(did_you_mean(other, COMPARISONS)));
        }
    };
    match &header.period {
        Some(period) => Ok(Some(compare_of(period, mode, values))),
        None => {
            Err(Error::invalid(format!("{} has no period to compare with another", info.id)).hint("leave compare out"))
        }
    }
}

/// A header's period as the engine's comparison under `values`: a grain that is no calendar's (`all`) makes no buckets.
pub fn compare_of(period: &Period, mode: CompareMode, values: &BTreeMap<String, Param>) -> Compare {
    let grain = period.grain.clone().filter(|name| match values.get(name) {
        Some(Param::Text(text)) => Grain::parse(text).is_ok(),
        _ => false,
    });
    Compare {
        mode,
        from: period.from.clone(),
        to: period.to.clone(),
        bucket: period.bucket.clone().filter(|_| grain.is_some()),
        grain,
        measures: period.measures.clone(),
    }
}

fn totals(text: &str, info: &ReportInfo) -> Result<bool> {
    let wanted = text.trim().is_empty()
        || params::boolean(text.trim())
            .map_err(|e| Error::invalid(format!("totals = {text:?}: {}", e.message())).hint("true or false"))?;
    if wanted && !info.totals {
        return Err(
            Error::invalid(format!("{} has no totals: its rows do not add up", info.id)).hint("leave totals out")
        );
    }
    Ok(wanted)
}

fn top_n(text: &str, info: &ReportInfo) -> Result<Option<u64>> {
    let rows = limit("top_n", text)?;
    match info.totals || rows.is_none() {
        true => Ok(rows),
        false => Err(Error::invalid(format!("{} has no row of others: its rows do not add up", info.id))
            .hint("limit gives the first rows")),
    }
}

fn limit(name: &str, text: &str) -> Result<Option<u64>> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(rows) if (1..=params::MOST_ROWS).contains(&rows) => Ok(Some(rows)),
            _ => Err(Error::invalid(format!("{name} = {text:?}: no number of rows that can be shown"))
                .hint(format!("1 to {}", params::MOST_ROWS))),
        },
    }
}

/// `-net_sales,region_id` or `net_sales desc`.
fn order(text: &str, info: &ReportInfo, compare: Option<&Compare>) -> Result<Vec<OrderBy>> {
    let measures = compare.map(|c| c.measures.as_slice()).unwrap_or_default();
    let added = measures.iter().flat_map(|m| [format!("{m}_prev"), format!("{m}_growth")]);
    let columns: Vec<String> = info.columns.iter().map(|c| c.name.clone()).chain(added).collect();
    params::list(text).iter().map(|item| one_order(item, &columns)).collect()
}

fn one_order(item: &str, columns: &[String]) -> Result<OrderBy> {
    let words: Vec<&str> = item.split_whitespace().collect();
    let (name, descending) = match words.as_slice() {
        [name, way] if way.eq_ignore_ascii_case("desc") => (*name, true),
        [name, way] if way.eq_ignore_ascii_case("asc") => (*name, false),
        [name] => (*name, name.starts_with('-')),
        _ => return Err(Error::invalid(format!("order_by {item:?}")).hint("-net_sales, or net_sales desc")),
    };
    let column = name.trim_start_matches(['-', '+']);
    if !columns.iter().any(|c| c == column) {
        return Err(Error::invalid(format!("order_by {column}: no such column"))
            .hint(did_you_mean(column, columns.iter().map(String::as_str))));
    }
    Ok(OrderBy { column: column.into(), descending })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
