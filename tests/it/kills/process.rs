//! Processes of the program: started, killed after a while, or run to their end. What each of them printed is kept in the
//! folder `log`. It must not know what they work on.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const SIGKILL: i32 = 9;
/// The exit code of a conflict: others were faster so often that it gave up. To run again is what its hint says.
const CONFLICT: i32 = 4;
const TRIES: usize = 4;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Ingest,
    /// A server that takes pushes.
    Serve,
    Optimize,
    Vacuum,
}

impl Kind {
    fn args(self) -> &'static [&'static str] {
        match self {
            Kind::Ingest => &["ingest"],
            Kind::Serve => &["serve"],
            Kind::Optimize => &["lake", "optimize"],
            Kind::Vacuum => &["lake", "vacuum"],
        }
    }
}

/// How often what was meant to be killed was killed, and how often it had ended by itself before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Struck {
    pub killed: u64,
    pub missed: u64,
}

/// A running process; killed when dropped.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn start(dir: &Path, kind: Kind) -> Process {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let log = dir.join("log").join(format!("{number:05}-{kind:?}.txt"));
        let out = File::create(&log).expect("a log file");
        let announces = kind == Kind::Serve;
        let child = Command::new(env!("CARGO_BIN_EXE_saleslake"))
            .current_dir(dir)
            .args(kind.args())
            .stdin(Stdio::null())
            .stderr(if announces { Stdio::piped() } else { out.try_clone().expect("a second handle").into() })
            .stdout(out)
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        Process { child, log }
    }

    /// Kills it after `delay`, unless it ends before.
    async fn strike(&mut self, delay: Duration, struck: &mut Struck) {
        // The one place where time is waited for: these delays are what is tested.
        if tokio::time::timeout(delay, self.child.wait()).await.is_err() {
            self.child.start_kill().expect("killed");
        }
        // It is waited for: a process that nobody has waited for still looks alive to the others.
        let status = self.child.wait().await.expect("it ended");
        let killed = status.signal() == Some(SIGKILL);
        assert!(killed || self.well(status.code()), "it failed before it was killed: {status}\n{}", self.told());
        struck.killed += u64::from(killed);
        struck.missed += u64::from(!killed);
    }

    fn well(&self, code: Option<i32>) -> bool {
        code == Some(0) || code == Some(CONFLICT)
    }

    fn told(&self) -> String {
        format!("{}:\n{}", self.log.display(), fs::read_to_string(&self.log).unwrap_or_default())
    }
}

/// Runs the program in `dir` to its end, after it was started and killed once for each of `delays`; returns how long the
/// run took that nobody killed.
pub async fn survive(dir: &Path, kind: Kind, delays: &[Duration], struck: &mut Struck) -> Duration {
    for delay in delays {
        Process::start(dir, kind).strike(*delay, struck).await;
    }
    for _ in 0..TRIES {
        let (begun, mut process) = (Instant::now(), Process::start(dir, kind));
        let status = process.child.wait().await.expect("it ended");
        if status.success() {
            return begun.elapsed();
        }
        assert!(process.well(status.code()), "{status}\n{}", process.told());
    }
    panic!("{kind:?} met {TRIES} conflicts, one after the other");
}

/// A server that takes pushes.
pub struct Server {
    process: Process,
    /// `http://…`
    pub url: String,
}

impl Server {
    /// Returns when it takes requests.
    pub async fn start(dir: &Path) -> Server {
        let mut process = Process::start(dir, Kind::Serve);
        let mut lines = BufReader::new(process.child.stderr.take().expect("piped")).lines();
        let mut log = File::options().append(true).open(&process.log).expect("its log");
        let url = loop {
            let line = lines.next_line().await.expect("UTF-8");
            let line = line.unwrap_or_else(|| panic!("the server ended\n{}", process.told()));
            writeln!(log, "{line}").expect("written");
            if let Some(url) = line.strip_prefix("serving on ").and_then(|told| told.split_whitespace().next()) {
                break url.to_string();
            }
        };
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let _ = writeln!(log, "{line}");
            }
        });
        Server { process, url }
    }

    /// Kills it after the first delay, the ones that take its place after the others; returns the one that stays.
    pub async fn survive(mut self, dir: &Path, delays: &[Duration], struck: &mut Struck) -> Server {
        let Some((first, others)) = delays.split_first() else { return self };
        self.process.strike(*first, struck).await;
        for delay in others {
            // It may not have begun to listen.
            Process::start(dir, Kind::Serve).strike(*delay, struck).await;
        }
        Server::start(dir).await
    }

    pub async fn kill(mut self) {
        self.process.strike(Duration::ZERO, &mut Struck::default()).await;
    }
}
