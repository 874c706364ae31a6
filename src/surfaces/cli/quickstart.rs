//! `saleslake quickstart`: sample data into ./lake, three reports, and what to try next. A second run changes nothing.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{self, OutputArgs};
use crate::access::Caller;
use crate::config::{Config, FILE};
use crate::error::{Error, Result};
use crate::reports::{Reports, Request};
use crate::sample::{self, Options};

#[derive(Debug, Args)]
pub struct QuickstartArgs {
    /// Stay and serve over HTTP afterwards
    #[arg(long)]
    pub serve: bool,
}

const SAMPLE: &str = "./sample-data";
/// A lake has it since its first commit.
const PROPERTIES: &str = "_saleslake.json";

/// Written unless the folder has a configuration. The sample ends in the past, so "today" is the day after its last one.
const CONFIG: &str = r#"# saleslake configuration; `saleslake config` shows every key with its value and origin.

# queries_dir = "queries"   # your own sources, views and reports

[lake]
url = "./lake"
# Fixed when the lake is created:
currency = "GBP"
zone = "Europe/London"
today = "data"          # clock, data (the day after the newest business date) or a date

[landing]
path = "./sample-data/landing"

[http]
bind = "127.0.0.1:8080"
# allow_sql = true      # POST /api/v1/sql: read-only SQL from whoever reaches the server
# allow_ingest = true   # POST /api/v1/ingest/{source}: records land as they come

[flight]                # Arrow Flight SQL, for BI tools
bind = "127.0.0.1:8815"

[postgres]              # for tools that speak PostgreSQL
# enabled = true
bind = "127.0.0.1:5432"

# [access.tokens]       # needed to be reached from other machines; a user's name and password, or a bearer token
# bi = "…"              # openssl rand -hex 24
"#;

/// The three reports that are shown, with their parameters.
const SHOWN: &[(&str, &[(&str, &str)])] = &[
    ("sales-summary", &[("from", "start of year"), ("to", "today"), ("compare", "previous_year")]),
    ("sales-by-channel", &[("from", "start of year"), ("to", "today"), ("totals", "true")]),
    ("sales-over-time", &[("from", "start of month - 12 months"), ("to", "today"), ("grain", "month")]),
];

/// Where the sample's files are, whatever folder the configuration lands from.
pub fn landing() -> PathBuf {
    Path::new(SAMPLE).join("landing")
}

/// Refuses a lake that is somebody's own: what has landed cannot be taken out again.
pub fn fits(config: &Config) -> Result<()> {
    let (lands, sample) = (&config.landing.path, landing());
    let whole = |path: &Path| std::path::absolute(path).ok();
    if whole(lands) == whole(&sample) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "{FILE} lands files from {}, so the lake at {} is no sample: quickstart would mix sample data into it",
        lands.display(),
        config.lake.url
    ))
    .hint("run quickstart in an empty folder"))
}

/// Refuses a folder whose lake somebody made without a configuration: one of the sample would lock it.
fn is_free(config: &Config) -> Result<()> {
    let url = &config.lake.url;
    let folder = match url.split_once("://") {
        None => Some(PathBuf::from(url)),
        Some(_) => url::Url::parse(url).ok().and_then(|url| url.to_file_path().ok()),
    };
    match folder {
        Some(folder) if folder.join(PROPERTIES).exists() => Err(Error::conflict(format!(
            "there is a lake at {url} and no {FILE}: quickstart would mix sample data into it"
        ))
        .hint("run quickstart in an empty folder")),
        _ => Ok(()),
    }
}

/// Makes sure that there is sample data and, unless one is named, a configuration. What is refused is refused first.
pub fn prepare(named: Option<&Path>, sets: &[String]) -> Result<()> {
    let (config, _) = Config::load(named, sets)?;
    if named.is_some() || Path::new(FILE).exists() {
        fits(&config)?
    } else {
        is_free(&config)?
    }
    let sample = Path::new(SAMPLE);
    if !landing().is_dir() {
        eprintln!("generating sample data into {SAMPLE} (seed 1)");
        sample::generate(&Options { seed: 1, lines: sample::DEFAULT_LINES, dir: sample.to_path_buf() })?;
    }
    if named.is_none() && !Path::new(FILE).exists() {
        std::fs::write(FILE, CONFIG).map_err(|e| Error::from(e).context(FILE))?;
        eprintln!("wrote {FILE}");
    }
    Ok(())
}

/// Prints the three reports and what to try next.
pub async fn show(reports: &Reports) -> Result<()> {
    for (id, values) in SHOWN {
        let values: Vec<(String, String)> = values.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let shown: Vec<String> = values.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let run = reports.run(id, Request { values }, &Caller::local()).await?;
        output::line(format!("\n{}  ({id} {})", reports.get(id)?.info().title.en, shown.join(" ")))?;
        OutputArgs::default().write_about(run.rows, reports.get(id)?.info().main()).await?;
    }
    output::line(NEXT)
}

const NEXT: &str = "
Try next:
  saleslake serve                                  the same reports over HTTP, on http://127.0.0.1:8080/api/v1/reports
  saleslake report list                            every report; `report show ID` explains one
  saleslake report run sales-by-region --where channel=web compare=previous_year
  saleslake sql \"SELECT channel_id, sum(net_rc) AS net_sales FROM sales_event GROUP BY 1 ORDER BY 2 DESC\"
  saleslake quarantine list                        what did not land, and why
  saleslake source new my-sales.csv                draft a definition for a file of your own";
