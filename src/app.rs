//! The composition root: Config → Lake → Engine → Reports → surfaces. It opens and connects; it holds no logic.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, HttpConfig, LakeConfig};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::{Ingest, Landing, PushLimits, Pusher, Sources};
use crate::lake::{self, Lake};
use crate::queryfile::load_folder;
use crate::reports::{LiveReports, Reports, Wanted};
use crate::surfaces::cli::shell::local::Local;
use crate::surfaces::cli::{self, Args, Command};
use crate::surfaces::{flight, http, postgres};
use crate::telemetry;

/// Everything that answers questions, opened over one lake.
pub struct App {
    pub config: Config,
    pub clock: Clock,
    pub lake: Lake,
    pub engine: Engine,
    pub reports: Arc<Reports>,
}

impl App {
    /// Opens the lake (creating an empty one), the engine over its newest snapshot and the reports.
    pub async fn open(config: Config, clock: Clock) -> Result<App> {
        let lake = Lake::open(&config.lake).await?;
        App::over(lake, config, clock).await
    }

    /// As [`App::open`], over a lake that is open already: tests share a `memory://` one this way.
    pub async fn over(lake: Lake, config: Config, clock: Clock) -> Result<App> {
        App::with(lake, config, clock, &Wanted::All).await
    }

    /// As [`App::over`], with those reports that are `wanted`.
    async fn with(lake: Lake, config: Config, clock: Clock, wanted: &Wanted) -> Result<App> {
        lake.keeps_its_properties(&config.lake)?;
        let views = load_folder("views", config.queries_dir.as_deref())?;
        let rollups = match config.engine.rollups {
            true => load_folder("rollups", config.queries_dir.as_deref())?,
            false => BTreeMap::new(),
        };
        let engine = Engine::open_with_rollups(&lake, &config.engine, &views, &rollups, clock).await?;
        let reports = Arc::new(Reports::load(config.queries_dir.as_deref(), &engine, wanted).await?);
        let in_sql: Weak<Reports> = Arc::downgrade(&reports);
        engine.set_reports(in_sql);
        Ok(App { config, clock, lake, engine, reports })
    }

    /// The way into the lake.
    pub fn ingest(&self) -> Result<Ingest> {
        ingest(&self.lake, &self.config, self.clock)
    }

    /// The way in for pushes, where they are allowed.
    fn pusher(&self) -> Result<Option<Pusher>> {
        let http = &self.config.http;
        if !http.allow_ingest && !self.config.flight.allow_ingest {
            return Ok(None);
        }
        let limits = PushLimits {
            pushes: http.ingest_queue,
            bytes: http.ingest_queue_mb << 20,
            group: Duration::from_millis(http.ingest_group_ms),
            group_pushes: http.ingest_queue,
        };
        Ok(Some(Pusher::new(self.ingest()?, limits)))
    }

    /// Binds the ports; nothing is served before [`Serving::run`].
    pub async fn build(self) -> Result<Serving> {
        let (config, engine) = (self.config.clone(), self.engine.clone());
        let pusher = self.pusher()?;
        let reports = LiveReports::new(self.reports, &engine);
        let to_http = pusher.clone().filter(|_| config.http.allow_ingest);
        let http =
            http::Server::bind(&config.http, &config.access, engine.clone(), reports.clone(), to_http, self.clock)
                .await?;
        let to_flight = pusher.clone().filter(|_| config.flight.allow_ingest);
        let flight = match config.flight.enabled {
            true => Some(flight::Server::bind(&config.flight, &config.access, engine.clone(), to_flight).await?),
            false => None,
        };
        let postgres = match config.postgres.enabled {
            true => Some(postgres::Server::bind(&config.postgres, &config.access, engine.clone()).await?),
            false => None,
        };
        Ok(Serving { config, engine, lake: self.lake, reports, pusher, http, flight, postgres })
    }
}

/// Bound servers.
pub struct Serving {
    config: Config,
    engine: Engine,
    lake: Lake,
    reports: LiveReports,
    pusher: Option<Pusher>,
    http: http::Server,
    flight: Option<flight::Server>,
    postgres: Option<postgres::Server>,
}

impl Serving {
    /// The address that is really bound (port 0 in the configuration takes a free one).
    pub fn http_addr(&self) -> SocketAddr {
        self.http.addr()
    }
    /// The same of Flight SQL, if it is enabled.
    pub fn flight_addr(&self) -> Option<SocketAddr> {
        self.flight.as_ref().map(flight::Server::addr)
    }
    /// The same of PostgreSQL, if it is enabled.
    pub fn postgres_addr(&self) -> Option<SocketAddr> {
        self.postgres.as_ref().map(postgres::Server::addr)
    }

    /// Serves until `shutdown` resolves or a server fails, then lets requests in flight end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let cancel = CancellationToken::new();
        let mut tasks = vec![self.engine.spawn_refresh(cancel.clone()), self.engine.spawn_rollups(cancel.clone())];
        if let Some(dir) = self.config.queries_dir {
            tasks.extend(self.pusher.as_ref().map(|pusher| pusher.watch(dir.clone(), cancel.clone())));
            tasks.push(self.reports.watch(self.engine.clone(), dir, cancel.clone()));
        }
        tasks.extend(self.lake.spawn_upkeep(&self.config.maintenance, cancel.clone()));
        let served = serve_all(self.http, self.flight, self.postgres, &self.config.http, shutdown).await;
        if let Some(pusher) = &self.pusher {
            pusher.close().await;
        }
        cancel.cancel();
        futures::future::join_all(tasks).await;
        served
    }
}

/// Runs the servers until `shutdown`; one that ends early takes the others with it.
async fn serve_all(
    http: http::Server,
    flight: Option<flight::Server>,
    postgres: Option<postgres::Server>,
    config: &HttpConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let stop = CancellationToken::new();
    let stopped = || stop.clone().cancelled_owned();
    let grace = Duration::from_secs(config.shutdown_seconds);
    let servers = [
        Some(http.run(stopped()).boxed()),
        flight.map(|server| server.run(stopped(), grace).boxed()),
        postgres.map(|server| server.run(stopped(), grace).boxed()),
    ];
    let servers = servers.into_iter().flatten().map(async |server| {
        let ended = server.await;
        stop.cancel();
        ended
    });
    let signal = async {
        tokio::select! {
            () = shutdown => stop.cancel(),
            () = stop.cancelled() => {}
        }
    };
    let (ended, ()) = tokio::join!(futures::future::join_all(servers), signal);
    ended.into_iter().collect()
}

fn ingest(lake: &Lake, config: &Config, clock: Clock) -> Result<Ingest> {
    let sources = Sources::load(config.queries_dir.as_deref())?;
    let landing = &config.landing;
    Ok(Ingest::new(lake, sources, clock)
        .batch_records(landing.batch_records)
        .memory(landing.memory_mb)
        .temp_dir(landing.temp_dir.clone())
        .archive_mb(landing.archive_mb))
}

/// The stack of a thread, in bytes. SQL is planned and run on threads of the engine's own; what is let go of here may still be
/// as deep as a statement.
const STACK: usize = 16 * 1024 * 1024;

/// Runs a future to its end on a runtime with a thread per core.
pub fn block_on<T>(future: BoxFuture<'_, Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|e| Error::internal("the runtime could not start").caused_by(e))?;
    runtime.block_on(future)
}

/// Runs one command with just what it needs opened.
pub fn run(args: Args, clock: Clock) -> BoxFuture<'static, Result<()>> {
    dispatch(args, clock).boxed()
}

async fn dispatch(args: Args, clock: Clock) -> Result<()> {
    if let Command::Quickstart(_) = &args.command {
        cli::quickstart::prepare(args.config.as_deref(), &args.set)?;
    }
    let (config, settings) = Config::load(args.config.as_deref(), &args.set)?;
    telemetry::start(&config.log, lake::TOLD)?;
    match args.command {
        Command::Config(args) => cli::config::run(&args, &settings).await,
        Command::Completions(args) => cli::completions::run(&args),
        Command::Sample(args) => cli::sample::run(&args),
        Command::Source(args) => cli::source::run(&args, &config).await,
        Command::Ingest(args) => {
            let lake = Lake::open(&config.lake).await?;
            lake.keeps_its_properties(&config.lake)?;
            cli::ingest::run(&args, &ingest(&lake, &config, clock)?, &Landing::open(&config.landing)?).await
        }
        Command::Rollup(args) => {
            if args.remote().await? {
                return Ok(());
            }
            let app = App::with(existing(&config.lake).await?, config, clock, &Wanted::Only(BTreeSet::new())).await?;
            cli::rollup::run(&args, &app.engine).await
        }
        Command::Quarantine(args) => {
            let lake = existing(&config.lake).await?;
            cli::quarantine::run(&args, &ingest(&lake, &config, clock)?).await
        }
        Command::Lake(args) => {
            let (lake, maintenance) = (existing(&config.lake).await?, config.maintenance.clone());
            if args.needs_rollups() {
                // Opened for what it tells the lake: which tables are derived.
                App::with(lake.clone(), config, clock, &Wanted::Only(BTreeSet::new())).await?;
            }
            cli::lake::run(&args, &lake, &maintenance).await
        }
        Command::Quickstart(args) => quickstart(&args, config, clock).await,
        Command::Serve => serve(App::open(config, clock).await?).await,
        Command::Report(args) => {
            let lake =
                if args.reads_lake() { existing(&config.lake).await? } else { existing_or_none(&config.lake).await? };
            let app = App::with(lake, config, clock, &args.wanted()).await?;
            cli::report::run(&args, &app.reports).await
        }
        Command::Sql(args) => match args.remote().await? {
            Some(server) => cli::sql::run(&args, &server).await,
            None => {
                let place = config.lake.url.clone();
                let app = App::with(existing(&config.lake).await?, config, clock, &args.wanted()).await?;
                cli::sql::run(&args, &Local::new(app.engine.clone(), app.reports.clone(), place)).await
            }
        },
        Command::Check(args) => {
            let sources = Sources::load(config.queries_dir.as_deref())?;
            let views = load_folder("views", config.queries_dir.as_deref())?.len();
            let lake =
                if args.reads_lake() { existing(&config.lake).await? } else { existing_or_none(&config.lake).await? };
            let app = App::with(lake, config, clock, &Wanted::Checked).await?;
            cli::check::run(&args, &sources, views, &app.engine, &app.reports).await
        }
    }
}

/// The lake, for those who only look: none is created.
async fn existing(config: &LakeConfig) -> Result<Lake> {
    if Lake::is_missing(config)? {
        let none = format!("there is no lake at {}", config.url);
        return Err(Error::not_found(none).hint(
            "`saleslake quickstart` makes one of sample data, `saleslake ingest` of your files; lake.url says where it is",
        ));
    }
    Lake::open(config).await
}

/// As [`existing`], for those who look at definitions only: without a lake, they look at them over one in memory.
async fn existing_or_none(config: &LakeConfig) -> Result<Lake> {
    match Lake::is_missing(config)? {
        true => Lake::open(&LakeConfig { url: "memory://".into(), ..config.clone() }).await,
        false => Lake::open(config).await,
    }
}

/// Lands the sample and shows three reports.
async fn quickstart(args: &cli::quickstart::QuickstartArgs, config: Config, clock: Clock) -> Result<()> {
    cli::quickstart::fits(&config)?;
    let app = App::open(config, clock).await?;
    cli::ingest::land_all(&app.ingest()?, &Landing::from(&cli::quickstart::landing())).await?;
    app.engine.refresh().await?;
    cli::quickstart::show(&app.reports).await?;
    if args.serve { serve(app).await } else { Ok(()) }
}

async fn serve(app: App) -> Result<()> {
    let serving = app.build().await?;
    cli::serve::announce(serving.http_addr(), serving.flight_addr(), serving.postgres_addr());
    serving.run(cli::serve::stopped()).await
}
