//! Archives that are damaged, or that hold more than they say: of none may less land than it holds without a word.

use super::*;

/// Each by its own byte, so that a test can find it in what is not packed.
const THREE: &[(&str, &str)] = &[("a.csv", "x\n1111111\n"), ("b.csv", "x\n2222222\n"), ("c.csv", "x\n3333333\n")];

/// Unpacked as it is, with one byte of the text changed that stands once in it.
fn flipped(bytes: &[u8], text: &str) -> Vec<u8> {
    let at = bytes.windows(text.len()).position(|w| w == text.as_bytes()).expect("the text");
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

fn stored(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        let as_is = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, as_is).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// Packed without making it smaller, and so that a byte can be changed without breaking the packing.
fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gz.write_all(bytes).expect("written");
    gz.finish().expect("finished")
}

fn zstd_checked(bytes: &[u8]) -> Vec<u8> {
    let mut zst = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("a packer");
    zst.include_checksum(true).and_then(|()| zst.write_all(bytes)).expect("written");
    zst.finish().expect("finished")
}

/// The first thing that the archive gives is an error, not a member.
async fn gives_nothing(place: &Place, name: &str, bytes: &[u8], says: &str) {
    let mut members = Members::open(place.archive(name, bytes, None));
    let error = match members.each().await {
        Err(error) => error,
        Ok(given) => panic!("{says}: {name} gives {given:?}"),
    };
    assert!(error.message().starts_with(&format!("archive {name}: ")) && error.message().contains(says), "{error}");
    assert!(error.hint_text().is_some_and(|h| h.ends_with("; nothing of it has landed")), "{:?}", error.hint_text());
    assert_eq!(error.kind(), crate::error::ErrorKind::Invalid);
    assert_eq!(place.temp_files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_packed_tar_gives_nothing() {
    let place = Place::new();
    let tar = tarred(THREE);
    let (gz, zst) = (gzip_stored(&tar), zstd_checked(&tar));
    for (name, whole) in [("o.tar.gz", &gz), ("o.tar.zst", &zst)] {
        assert_eq!(place.unpack(place.archive(name, whole, None)).await.expect("whole").len(), 3);
    }
    // A byte of the last member: only the checksum tells.
    let says = "corrupt gzip stream does not have a matching checksum";
    gives_nothing(&place, "o.tar.gz", &flipped(&gz, "3333333"), says).await;
    for last in [1, 8] {
        let mut wrong = gz.clone();
        let at = wrong.len() - last;
        wrong[at] ^= 1;
        gives_nothing(&place, "o.tgz", &wrong, says).await;
        // The members are all there.
        gives_nothing(&place, "o.tgz", &gz[..gz.len() - last], "it cannot be unpacked: ").await;
    }
    let mut wrong = zst.clone();
    *wrong.last_mut().expect("a checksum") ^= 1;
    gives_nothing(&place, "o.tar.zst", &wrong, "checksum").await;
    gives_nothing(&place, "o.tar.zst", &zst[..zst.len() - 4], "it cannot be unpacked: ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tar_that_is_cut_off_gives_nothing() {
    let place = Place::new();
    let tar = tarred(THREE);
    // A block of header and one of text each, then two that are empty.
    assert_eq!(tar.len(), 8 * 512);
    for (blocks, says) in [(6, "it ends without its last block"), (5, "EOF"), (4, "it ends without its last block")] {
        for (name, bytes) in [("o.tar", tar[..blocks * 512].to_vec()), ("o.tgz", gzipped(&tar[..blocks * 512]))] {
            gives_nothing(&place, name, &bytes, says).await;
        }
    }
    // One empty block is what some writers end with.
    assert_eq!(place.unpack(place.archive("o.tar", &tar[..7 * 512], None)).await.expect("whole").len(), 3);
    // More of them fill the last record.
    let filled = [tar, vec![0; 12 * 512]].concat();
    assert_eq!(place.unpack(place.archive("o.tgz", &gzipped(&filled), None)).await.expect("whole").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_the_end_is_not_left_out() {
    let place = Place::new();
    let (one, two) = (tarred(&THREE[..1]), tarred(&THREE[1..]));
    let both = [one.as_slice(), &two].concat();
    let says = "it goes on behind its end, as two archives in one file do";
    gives_nothing(&place, "o.tar", &both, says).await;
    gives_nothing(&place, "o.tgz", &gzipped(&both), says).await;
    gives_nothing(&place, "o.tgz", &[gzipped(&one), gzipped(&two)].concat(), says).await;
    gives_nothing(&place, "o.tar.zst", &[zstd_checked(&one), zstd_checked(&two)].concat(), says).await;
    // One tar that was packed in two parts is whole.
    let (a, b) = one.split_at(700);
    let parts = [gzipped(a), gzipped(b)].concat();
    assert_eq!(place.unpack(place.archive("o.tgz", &parts, None)).await.expect("whole").len(), 1);
    let zips = [zipped(&THREE[..1]), zipped(&THREE[1..])].concat();
    gives_nothing(&place, "o.zip", &zips, "another archive stands before it in the file").await;
    // A program that unpacks itself is no archive.
    let program = [b"#!/bin/sh\nexit 1\n".as_slice(), &zipped(THREE)].concat();
    assert_eq!(place.unpack(place.archive("o.zip", &program, None)).await.expect("whole").len(), 3);
}

/// The writer refuses it, others do not: the names are made the same afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn two_members_of_one_name_are_refused() {
    let place = Place::new();
    let renamed = |members: &[(&str, &str)], from: &str, to: &str| {
        let mut bytes = zipped(members);
        let at: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
        assert_eq!(at.len(), 2, "its header, and the directory");
        at.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
        bytes
    };
    let twice = renamed(THREE, "c.csv", "a.csv");
    gives_nothing(&place, "o.zip", &twice, "two members are called 'a.csv'").await;
    // Where they are not meant they hide nothing.
    let b = place.unpack(place.archive("o.zip", &twice, Some("b*"))).await.expect("unpacked");
    assert_eq!(b, [("o.zip!b.csv".to_string(), THREE[1].1.to_string())]);
    let folders = renamed(&[("a/", ""), ("b/", ""), THREE[2]], "b/", "a/");
    assert_eq!(place.unpack(place.archive("o.zip", &folders, None)).await.expect("unpacked").len(), 1);
    // In a tar both are there.
    let tar = tarred(&[THREE[0], ("a.csv", "x\n9\n")]);
    assert_eq!(place.unpack(place.archive("o.tar", &tar, None)).await.expect("unpacked").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_member_of_a_zip_keeps_no_other_out() {
    let place = Place::new();
    let whole = stored(THREE);
    let header = |name: &str| {
        let at = whole.windows(name.len()).position(|w| w == name.as_bytes()).expect("its header") - 30;
        assert!(whole[at..].starts_with(b"PK\x03\x04"));
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    for (damaged, bytes) in [
        ("a.csv", flipped(&whole, "1111111")),
        ("b.csv", flipped(&whole, "2222222")),
        ("c.csv", flipped(&whole, "3333333")),
        ("a.csv", header("a.csv")),
        ("b.csv", header("b.csv")),
    ] {
        let mut members = Members::open(place.archive("o.zip", &bytes, None));
        let (mut sound, mut told) = (Vec::new(), Vec::new());
        while let Some(unpacked) = members.each().await.expect("the archive is sound") {
            match unpacked {
                Ok(member) => sound.push(std::fs::read_to_string(&member.file.path).expect("read")),
                Err(damaged) => told.push(damaged),
            }
        }
        let others: Vec<_> = THREE.iter().filter(|(name, _)| *name != damaged).map(|(_, text)| *text).collect();
        assert_eq!(sound, others, "without {damaged}");
        let [Damaged { uri, error }] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(*uri, format!("o.zip!{damaged}"));
        assert!(error.message().starts_with(&format!("archive o.zip: '{damaged}' cannot be unpacked: ")), "{error}");
        assert!(error.hint_text().is_some_and(|h| h.contains("deliver it again")), "{error}");
        assert_eq!(place.temp_files(), 0);
        // Who asks for sound members only meets the error in its place, and can go on.
        let mut members = Members::open(place.archive("o.zip", &bytes, None));
        let mut met = Vec::new();
        for _ in THREE {
            met.push(members.next().await.is_ok());
        }
        let expected: Vec<_> = THREE.iter().map(|(name, _)| *name != damaged).collect();
        assert_eq!((met, members.next().await.expect("no more").is_none()), (expected, true));
    }
}
