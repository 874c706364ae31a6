//! Processes of the program that are killed (SIGKILL) at random moments while they land files, take pushes, compact or
//! vacuum, and others write the same tables. What was killed runs again, what was not acknowledged is sent again; after each
//! kill every table is compared with a model: nothing lost, nothing twice, nothing that cannot be read, nothing hidden. In
//! the end nothing is left over that vacuum does not see.
//!
//! `SALESLAKE_RANDOM_KILLS=300` kills so often; by default it is a few. Who is killed, and after which part of the time that
//! it usually takes, follows from `SALESLAKE_KILLS_SEED`; what the machine does meanwhile does not.
//! (`src/ingest/crash_tests.rs` kills before and after each request to the store, in one process.)
#![cfg(unix)]

mod look;
mod process;
mod rows;
mod site;
mod sources;
mod world;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use site::Site;

const KILLS: u64 = 15;
const SEED: u64 = 20_260_701;

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_moments_lose_nothing() {
    let (kills, seed) = (number("SALESLAKE_RANDOM_KILLS", KILLS), number("SALESLAKE_KILLS_SEED", SEED));
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut site = Site::open().await;
    let _told = IfItFails(format!(
        "SALESLAKE_RANDOM_KILLS={kills} SALESLAKE_KILLS_SEED={seed} cargo test --test it kills; what was left is in {}",
        site.folder().display()
    ));
    let mut rounds = 0;
    while site.kills() < kills {
        rounds += 1;
        assert!(
            rounds <= 10 + 3 * kills,
            "after {rounds} rounds {:?}: too few processes lived to be killed",
            site.struck
        );
        site.round(&mut dice).await;
    }
    site.end().await;
    let told: Vec<_> =
        site.struck.iter().map(|(kind, s)| format!("{kind:?} {} (+ {} ended before)", s.killed, s.missed)).collect();
    println!("{} kills in {rounds} rounds, seed {seed}: {}", site.kills(), told.join(", "));
}

/// Tells how to do the same again.
struct IfItFails(String);

impl Drop for IfItFails {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again: {}", self.0);
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        _ => default,
    }
}
