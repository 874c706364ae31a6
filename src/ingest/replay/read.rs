//! Reading for a replay: of the files that are found, those that have landed are mapped once more, by today's definition.
//! Nothing is written here, and everything waits in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::ingest::archive::{Archive, Kind, Members};
use crate::ingest::audit::LandedFile;
use crate::ingest::batch::Batch;
use crate::ingest::commit::Writer;
use crate::ingest::files::{Found, InputFile};
use crate::ingest::land::BatchFile;
use crate::ingest::map::blocking;
use crate::ingest::progress::Progress;
use crate::ingest::push::is_push;
use crate::ingest::read::Input;
use crate::ingest::source::Source;
use crate::ingest::{FxRates, Ingest, SHARE};

/// Files that are being mapped anew.
pub(super) struct Reading<'a> {
    ingest: &'a Ingest,
    source: &'a Arc<Source>,
    rates: Arc<FxRates>,
    batch: Batch<'a>,
    progress: &'a dyn Progress,
    /// Files that have landed and not been met yet, by their ids.
    awaited: BTreeMap<String, LandedFile>,
    /// Pushes that have landed: their bodies are kept nowhere, unless a file has the same bytes.
    pushes: BTreeMap<String, LandedFile>,
    /// Those that have been read, in the order of the batch.
    files: Vec<LandedFile>,
}

impl<'a> Reading<'a> {
    pub async fn new(
        ingest: &'a Ingest,
        source: &'a Arc<Source>,
        writer: Writer<'a>,
        landed: BTreeMap<String, LandedFile>,
        progress: &'a dyn Progress,
    ) -> Result<Reading<'a>> {
        let rates = ingest.rates().await?;
        let batch = Batch::new(writer, progress);
        let (pushes, awaited) = landed.into_iter().partition(|(_, known)| is_push(&source.name, &known.file.uri));
        Ok(Reading { ingest, source, rates, batch, progress, awaited, pushes, files: Vec::new() })
    }

    /// The files that have landed and are surely not among `found`: nothing where some of these must be fetched or
    /// unpacked to know.
    pub fn absent(&self, found: &[Found]) -> Vec<String> {
        let mut awaited: BTreeMap<&str, &LandedFile> = self.awaited.iter().map(|(id, k)| (id.as_str(), k)).collect();
        for file in found {
            match file {
                Found::Local(file) if Kind::of(&file.uri).is_none() => {
                    awaited.remove(file.id(&self.source.name).as_str());
                }
                Found::Local(_) | Found::Remote(_) => return Vec::new(),
            }
        }
        awaited.into_values().map(|k| k.file.uri.clone()).collect()
    }

    /// Reads a file, or the members of an archive, if they have landed before.
    pub async fn take(&mut self, found: &Found) -> Result<()> {
        match found {
            Found::Local(file) => {
                self.open(file).await?;
                let file = file.clone();
                blocking(move || file.check_unchanged()).await?;
            }
            Found::Remote(remote) => {
                self.progress.file(found.uri());
                // `_temp` goes when the file has been read.
                let (file, _temp) = remote.fetch(&self.ingest.temp_dir).await?;
                self.open(&file).await?;
            }
        }
        self.progress.file_done(found.uri(), found.size());
        Ok(())
    }

    async fn open(&mut self, file: &InputFile) -> Result<()> {
        let Some(kind) = Kind::of(&file.uri) else { return self.read(file).await };
        let mut members = Members::open(Archive::of(self.ingest, self.source, file, kind)?);
        while let Some(unpacked) = members.each().await? {
            // One that is damaged has not landed from here.
            if let Ok(member) = unpacked {
                self.read(&member.file).await?;
            }
        }
        Ok(())
    }

    /// The same bytes under two names are one file: the first.
    async fn read(&mut self, file: &InputFile) -> Result<()> {
        let id = file.id(&self.source.name);
        let Some(known) = self.awaited.remove(&id).or_else(|| self.pushes.remove(&id)) else { return Ok(()) };
        self.progress.file(&file.uri);
        let number = self.batch.file(BatchFile { id: id.clone(), uri: file.uri.clone() });
        self.files.push(known);
        let mut mapper = self.ingest.mapper(self.source, &self.rates, id, &file.uri, file.modified_micros);
        let mut records = mapper.open(Input::Path(file.path.clone())).await?;
        while let Some(mapped) = records.next().await? {
            self.progress.records(mapped.records);
            self.batch.push(number, mapped)?;
            if self.batch.bytes() > self.ingest.batch_bytes {
                return Err(self.too_large(&file.uri));
            }
        }
        Ok(())
    }

    fn too_large(&self, file: &str) -> Error {
        let (mb, left) = (self.ingest.batch_bytes.div_ceil(1 << 20), self.awaited.len());
        Error::invalid(format!(
            "file {file}, with {left} more to come: the rows take more than {mb} MiB, an eighth of landing.memory_mb"
        ))
        .hint(format!(
            "nothing has changed. A replay is one commit per table, so all rows of the source wait in memory: \
            set landing.memory_mb to {} for it",
            self.enough_mb()
        ))
    }

    /// What `landing.memory_mb` must be, about, for all files, from what those so far take.
    fn enough_mb(&self) -> u64 {
        let known = self.files.iter().chain(self.awaited.values());
        // Of a landing that was cut off the records read may be below 0.
        let all = known.fold(0_u64, |sum, known| sum.wrapping_add(known.account.read));
        let share = all as f64 / self.batch.records().max(1) as f64;
        // A tenth more, for later files may have longer values.
        (self.batch.bytes() as f64 * share.max(1.0) * SHARE as f64 * 1.1 / f64::from(1 << 20)).ceil() as u64
    }

    /// What was mapped, of which files, the names of those that were not met, and how many pushes there are beside them.
    pub fn done(self) -> (Batch<'a>, Vec<LandedFile>, Vec<String>, usize) {
        (self.batch, self.files, self.awaited.into_values().map(|k| k.file.uri).collect(), self.pushes.len())
    }
}
