//! The catalogue of reports: their groups, how they are found by words in English and Chinese, and the page docs/reports.md.
//! It must not ask the engine: what it tells stands in the files' headers.

use std::fmt::Write;

use super::info::{ParamInfo, ReportInfo};
use crate::error::{Error, Result, did_you_mean};

/// A folder below `reports/`, as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub folder: &'static str,
    pub en: &'static str,
    pub zh: &'static str,
}

const fn group(folder: &'static str, en: &'static str, zh: &'static str) -> Group {
    Group { folder, en, zh }
}

/// The groups in the order in which they are shown; other folders stand behind them under their own names.
pub const GROUPS: &[Group] = &[
    group("time", "Time", "时间"),
    group("product", "Products", "商品"),
    group("region", "Regions and places", "区域与门店"),
    group("channel", "Channels and orders", "渠道与订单"),
    group("customer", "Customers", "客户"),
    group("inventory", "Inventory", "库存"),
    group("promotion", "Promotion and price", "促销与价格"),
    group("returns", "Returns", "退货"),
    group("people", "People and targets", "人员与目标"),
    group("marketing", "Marketing and market", "营销与市场"),
    group("quality", "Data quality", "数据质量"),
];

/// The group of a folder.
pub fn group_of(folder: &str) -> Option<Group> {
    GROUPS.iter().copied().find(|g| g.folder == folder)
}

/// The folder meant by `name`: a folder that `reports` stand in, or a group's name in either language.
///
/// # Errors
/// `NotFound`, with near names.
pub fn folder<'a>(name: &str, reports: &[&'a ReportInfo]) -> Result<&'a str> {
    let is = |known: &str| known.eq_ignore_ascii_case(name.trim());
    let means = |folder: &str| is(folder) || group_of(folder).is_some_and(|g| is(g.en) || is(g.zh));
    let mut folders: Vec<&'a str> = reports.iter().map(|info| info.folder.as_str()).collect();
    folders.dedup();
    folders.iter().copied().find(|folder| means(folder)).ok_or_else(|| {
        Error::not_found(format!("there is no group {name:?}")).hint(did_you_mean(name, folders.iter().copied()))
    })
}

impl ReportInfo {
    /// Whether all of `words` are found in the report's id, group, titles, explanation or columns, whatever the case.
    pub fn speaks_of(&self, words: &[String]) -> bool {
        let (en, zh) = group_of(&self.folder).map_or(("", ""), |g| (g.en, g.zh));
        let parts: [&str; 7] = [&self.id, &self.folder, en, zh, &self.title.en, &self.title.zh, &self.about];
        let mut text = parts.join("\n");
        for column in &self.columns {
            let _ = write!(text, "\n{} {}", column.name, column.about);
        }
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(&word.to_lowercase()))
    }
}

/// The page docs/reports.md, in Markdown.
pub fn page(reports: &[&ReportInfo]) -> String {
    let mut page = String::from(
        "# Reports\n\n<!-- Made by `saleslake report catalogue`; a test holds it to the files in queries/reports. -->\n\n\
         Every report by group, with what it answers, its formulas, parameters and columns. `saleslake report list WORD` finds reports by words in\n\
         English or Chinese, `saleslake report show ID` tells slicers and policies, too.\n\n| group | 分组 | reports |\n|---|---|---|\n",
    );
    let groups = in_order(reports);
    for (folder, of) in &groups {
        let (en, zh) = names(folder);
        let links: Vec<String> = of.iter().map(|info| format!("[{0}](#{0})", info.id)).collect();
        line(&mut page, format!("| {en} | {zh} | {} |", links.join(", ")));
    }
    for (folder, of) in &groups {
        let (en, zh) = names(folder);
        line(&mut page, format!("\n## {en} · {zh}"));
        of.iter().for_each(|info| entry(&mut page, info));
    }
    page
}

/// Reports by folder, in the groups' order.
fn in_order<'a>(reports: &[&'a ReportInfo]) -> Vec<(&'a str, Vec<&'a ReportInfo>)> {
    let mut folders: Vec<&str> = reports.iter().map(|info| info.folder.as_str()).collect();
    let place = |folder: &str| GROUPS.iter().position(|g| g.folder == folder).unwrap_or(GROUPS.len());
    folders.sort_by_key(|folder| (place(folder), folder.to_string()));
    folders.dedup();
    let of = |folder: &str| reports.iter().copied().filter(|info| info.folder == folder).collect::<Vec<_>>();
    folders.into_iter().map(|folder| (folder, of(folder))).collect()
}

fn names(folder: &str) -> (&str, &str) {
    group_of(folder).map_or((folder, folder), |g| (g.en, g.zh))
}

fn entry(page: &mut String, info: &ReportInfo) {
    line(page, format!("\n### {}\n\n**{} · {}.** {}", info.id, info.title.en, info.title.zh, info.about));
    line(page, format!("\nA row is one of: {}.", quoted(&info.key)));
    if !info.params.is_empty() {
        line(page, "\n| parameter | takes | default | meaning |\n|---|---|---|---|".into());
        for param in &info.params {
            let default = match &param.default {
                Some(default) => format!("`{default}`"),
                None if param.optional => "–".into(),
                None => "(required)".into(),
            };
            line(page, format!("| `{}` | {} | {default} | {} |", param.name, takes(param), cell(&param.about)));
        }
    }
    line(page, "\n| column | meaning |\n|---|---|".into());
    for column in &info.columns {
        line(page, format!("| `{}` | {} |", column.name, cell(&column.about)));
    }
}

fn takes(param: &ParamInfo) -> String {
    match &param.values {
        Some(values) => quoted(values),
        None => param.kind.into(),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(page: &mut String, text: String) {
    page.push_str(&text);
    page.push('\n');
}
