//! What the files of one source hold, all together, and other files with the same records. It must not know what a record means:
//! every source of the sample has keys of its own for its records, so neither their order nor their file matters.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use flate2::read::GzDecoder;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub enum Records {
    /// A record a line, below the header of those that have one.
    Lines {
        header: Option<String>,
        lines: Vec<String>,
    },
    Rows(RecordBatch),
}

impl Records {
    /// Of files of one layout: at least one.
    pub fn read(files: &[PathBuf]) -> Records {
        let name = files[0].file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".parquet") {
            return Records::Rows(rows(files));
        }
        let (mut header, mut lines) = (None, Vec::new());
        for file in files {
            let text = text(file);
            let mut of_file = text.lines().map(String::from);
            if name.contains(".csv") {
                let first = of_file.next();
                assert!(header.is_none() || header == first, "{} has columns of its own", file.display());
                header = first;
            }
            lines.extend(of_file);
        }
        Records::Lines { header, lines }
    }

    pub fn count(&self) -> usize {
        match self {
            Records::Lines { lines, .. } => lines.len(),
            Records::Rows(rows) => rows.num_rows(),
        }
    }

    /// All of them in random order, in `parts` files that are about as long.
    pub fn mixed(&self, parts: usize, dice: &mut ChaCha8Rng) -> Vec<Records> {
        let mut order: Vec<u32> = (0..self.count() as u32).collect();
        order.shuffle(dice);
        order.chunks(order.len().div_ceil(parts).max(1)).map(|part| self.at(part)).collect()
    }

    fn at(&self, places: &[u32]) -> Records {
        match self {
            Records::Lines { header, lines } => {
                let lines = places.iter().map(|place| lines[*place as usize].clone()).collect();
                Records::Lines { header: header.clone(), lines }
            }
            Records::Rows(rows) => {
                let places = UInt32Array::from(places.to_vec());
                Records::Rows(take_record_batch(rows, &places).expect("rows that are there"))
            }
        }
    }

    pub fn write(&self, path: &Path) {
        match self {
            Records::Lines { header, lines } => {
                let all: Vec<&str> = header.iter().chain(lines).map(String::as_str).collect();
                fs::write(path, format!("{}\n", all.join("\n"))).expect("written");
            }
            Records::Rows(rows) => {
                let file = File::create(path).expect("a file");
                let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a writer");
                writer.write(rows).expect("written");
                writer.close().expect("whole");
            }
        }
    }
}

/// A file's text, unpacked.
fn text(path: &Path) -> String {
    let mut text = String::new();
    let mut file = File::open(path).expect("the file opens");
    let read = match path.extension().is_some_and(|ending| ending == "gz") {
        true => GzDecoder::new(file).read_to_string(&mut text),
        false => file.read_to_string(&mut text),
    };
    read.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text
}

fn rows(files: &[PathBuf]) -> RecordBatch {
    let mut batches = Vec::new();
    for file in files {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("the file opens"));
        let reader = builder.and_then(|builder| builder.build()).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        batches.extend(reader.map(|rows| rows.unwrap_or_else(|e| panic!("{}: {e}", file.display()))));
    }
    concat_batches(&batches[0].schema(), &batches).expect("one layout")
}
