//! Small pushes are mapped together: running a source's plans costs the same for one receipt as for a thousand. Whatever
//! is not small, or makes trouble, is left to be mapped alone: one push never takes another down. It must not tell a
//! sender what is wrong: that is found when the push is mapped alone.

use std::sync::Arc;

use super::map::{Content, Mappers, Work, readable, weight};
use crate::error::Result;
use crate::ingest::files::source_file_id;
use crate::ingest::fx::FxRates;
use crate::ingest::joined::Joined;
use crate::ingest::map::{MapContext, blocking};
use crate::ingest::read::{Columns, Most, Small};

/// A body of more bytes than this, packed or not, gains nothing beside others.
const BODY: u64 = 64 << 10;
/// So many records and bytes of text, about, are mapped at once. One push that has more is not small.
const RECORDS: u64 = 4096;
const TEXT: u64 = 1 << 20;
/// Rows take more memory than their text: about so much per record, and per byte.
const PER_RECORD: u64 = 2048;
const PER_BYTE: u64 = 32;

/// What became of a push.
pub(super) enum Step {
    Done(Result<Content>),
    /// It is still to be mapped.
    Alone(Work),
}

/// Pushes with the same columns: their places among all, and what their senders call the columns.
struct Alike {
    records: Joined,
    pushes: Vec<(usize, Columns)>,
}

impl Mappers {
    /// Takes at least the first of `works`, and those that follow until it is enough for one time.
    pub(super) async fn together(&self, works: &[Work], rates: &Arc<FxRates>) -> Vec<Step> {
        // Reading is work, and what was sent decides how much: it must not stop whoever answers others meanwhile.
        let (mappers, all) = (self.clone(), works.to_vec());
        let Ok((taken, alike)) = blocking(move || Ok(mappers.read(&all))).await else {
            return works.iter().cloned().map(Step::Alone).collect();
        };
        let mut steps: Vec<Step> = works[..taken].iter().cloned().map(Step::Alone).collect();
        for Alike { records, pushes } in alike {
            let Some(one) = pushes.first().map(|(place, _)| &works[*place]) else { continue };
            let mut mapper = self.take(rates, one);
            let context = |(place, _): &(usize, Columns)| -> MapContext {
                let Work { body, uri, arrived } = &works[*place];
                mapper.context_of(source_file_id(body.sha256(), &self.source.name), uri, *arrived)
            };
            let files: Vec<MapContext> = pushes.iter().map(context).collect();
            let mapped = mapper.map_joined(records, &files).await;
            self.put(mapper);
            let Ok(mapped) = mapped else { continue };
            for ((place, columns), (mapped, rows)) in pushes.into_iter().zip(mapped) {
                let (bytes, mapped) = (weight(&mapped, rows), vec![mapped]);
                if bytes <= self.most() {
                    let read = readable(&mapped, &works[place].uri);
                    steps[place] = Step::Done(read.map(|()| Content { columns, mapped, bytes }));
                }
            }
        }
        steps
    }

    /// How many pushes were taken, and those of them that are small.
    fn read(&self, works: &[Work]) -> (usize, Vec<Alike>) {
        let most = Most {
            records: RECORDS.min(self.most() / PER_RECORD) as usize,
            text: TEXT.min(self.most() / PER_BYTE) as usize,
        };
        let (mut records, mut text, mut taken) = (0, 0, 0);
        let mut alike: Vec<Alike> = Vec::new();
        while taken < works.len() && records < most.records && text < most.text {
            let (place, body) = (taken, &works[taken].body);
            taken += 1;
            let Some(bytes) = body.small(BODY) else { continue };
            let mut small = match Small::read(&self.source, bytes, most) {
                Ok(small) => small,
                // Not for nothing: a packed one may have been long.
                Err(read) => {
                    text += read;
                    continue;
                }
            };
            (records, text) = (records + small.records(), text + small.text.len());
            let push = (place, std::mem::take(&mut small.columns));
            match alike.iter_mut().find(|a| a.records.takes(&small)) {
                Some(alike) => {
                    alike.records.add(small);
                    alike.pushes.push(push);
                }
                None => alike.push(Alike { records: Joined::new(small), pushes: vec![push] }),
            }
        }
        (taken, alike)
    }
}
