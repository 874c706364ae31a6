//! Tests of the lake: in memory and in folders, with other handles and failing storage.

mod commits;
mod compact;
mod derived;
mod doctor;
mod faults;
mod files;
mod heads;
mod lakes;
mod merge;
mod rows;
mod vacuum;
