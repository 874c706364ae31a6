//! Archives made by the crates' writers, and some that lie.

use std::io::Write;

use zip::write::SimpleFileOptions;

use super::*;

mod damaged;

const TEXTS: &[(&str, &str)] = &[
    ("a.csv", "x\n1\n"),
    ("./sub/b.csv", "x\n2\n"),
    ("notes.txt", "hello"),
    (".hidden.csv", ""),
    ("__MACOSX/a.csv", ""),
];

fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

fn tarred(members: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        // As written, also where the crate would refuse the name.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, text.as_bytes()).expect("appended");
    }
    tar.into_inner().expect("finished")
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).expect("written");
    gz.finish().expect("finished")
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn archive(&self, name: &str, bytes: &[u8], members: Option<&str>) -> Archive {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let file = InputFile::open(&path, name).expect("opened");
        let members = members.map(|m| Names::new(m).expect("a pattern"));
        let temp_dir = self.0.path().join("temp");
        std::fs::create_dir_all(&temp_dir).expect("made");
        let limit = limit(None, file.size);
        Archive { kind: Kind::of(name).expect("an archive"), file, members, limit, temp_dir }
    }

    fn temp_files(&self) -> usize {
        std::fs::read_dir(self.0.path().join("temp")).expect("listed").count()
    }

    /// The names and texts of the members. Never is more than one of them on disk.
    async fn unpack(&self, archive: Archive) -> Result<Vec<(String, String)>> {
        let mut members = Members::open(archive);
        let mut found = Vec::new();
        while let Some(member) = members.next().await? {
            assert_eq!(self.temp_files(), 1);
            let text = std::fs::read_to_string(&member.file.path).expect("read");
            assert_eq!(member.file.sha256, InputFile::open(member.temp.path(), "x").expect("opened").sha256);
            found.push((member.file.uri.clone(), text));
        }
        assert_eq!(self.temp_files(), 0);
        assert!(members.next().await?.is_none(), "and none after the last");
        Ok(found)
    }
}

#[test]
fn archives_are_known_by_their_endings() {
    for (name, kind) in [
        ("web/A.ZIP", Some(Kind::Zip)),
        ("a.tar", Some(Kind::Tar)),
        ("a.tar.gz", Some(Kind::TarGz)),
        ("a.tgz", Some(Kind::TarGz)),
        ("a.tar.zst", Some(Kind::TarZst)),
        ("a.csv.gz", None),
        ("a.xlsx", None),
        ("zip", None),
    ] {
        assert_eq!(Kind::of(name), kind, "{name}");
    }
    assert_eq!(split("web/*.zip!a/*.csv"), ("web/*.zip", Some("a/*.csv")));
    assert_eq!(split("web/[!a]*.csv"), ("web/[!a]*.csv", None));
    assert_eq!(split("web/[!a]*.tgz!x"), ("web/[!a]*.tgz", Some("x")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_gives_the_members_that_are_meant() {
    let place = Place::new();
    let tar = tarred(TEXTS);
    let zst = zstd::encode_all(&tar[..], 3).expect("packed");
    for (name, bytes) in [("o.zip", zipped(TEXTS)), ("o.tgz", gzipped(&tar)), ("o.tar.zst", zst), ("o.tar", tar)] {
        let all = place.unpack(place.archive(name, &bytes, None)).await.expect("unpacked");
        let names: Vec<_> = all.iter().map(|(uri, _)| uri.strip_prefix(name).expect("its archive")).collect();
        assert_eq!(names, ["!a.csv", "!sub/b.csv", "!notes.txt"], "{name}");
        assert_eq!(all[1].1, "x\n2\n");
        let some = place.unpack(place.archive(name, &bytes, Some("**/*.csv"))).await.expect("unpacked");
        assert_eq!(some.len(), 2, "{name}");
        let error = place.unpack(place.archive(name, &bytes, Some("*.ndjson"))).await.expect_err("none is meant");
        assert!(error.message().contains(name) && error.message().contains("a.csv"), "{error}");
        // Cut off in the middle: an error, and nothing stays behind.
        let error = place.unpack(place.archive(name, &bytes[..bytes.len() / 3], None)).await.expect_err("cut off");
        assert!(error.hint_text().is_some_and(|h| h.contains("deliver it again")), "{name}: {error}");
        assert_eq!(place.temp_files(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_only_labels() {
    let place = Place::new();
    let texts = &[("../../up.csv", "u"), ("/etc/abs.csv", "e"), ("a\\b.csv", "b"), ("new\nline.csv", "n")];
    for (name, bytes) in [("o.zip", zipped(texts)), ("o.tar", tarred(texts))] {
        let all = place.unpack(place.archive(name, &bytes, None)).await.expect("unpacked");
        assert_eq!(all.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["u", "e", "b", "n"], "{name}");
        assert!(all[0].0.ends_with("!../../up.csv") && all[3].0.ends_with("!new?line.csv"), "{all:?}");
        assert!(
            !place.0.path().join("up.csv").exists() && !place.0.path().parent().expect("one").join("up.csv").exists()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused() {
    let place = Place::new();
    let zeros = "0".repeat(3 << 20);
    let texts = &[("a.csv", zeros.as_str()), ("b.csv", zeros.as_str())];
    let tar = tarred(texts);
    for (name, bytes) in [("o.zip", zipped(texts)), ("o.tgz", gzipped(&tar))] {
        assert!(bytes.len() < 1 << 20);
        let archive = Archive { limit: 4 << 20, ..place.archive(name, &bytes, None) };
        let error = place.unpack(archive).await.expect_err("more than the limit");
        assert!(error.message().contains(name) && error.message().contains("more than 4 MiB"), "{error}");
        assert!(error.hint_text().is_some_and(|h| h.contains("landing.archive_mb")), "{error}");
        assert_eq!(place.temp_files(), 0);
    }
    // A member that is larger than it says: its size is in the directory at the archive's end, 24 bytes after the mark.
    let mut lie = zipped(&[("a.csv", "0123456789")]);
    let entry = lie.windows(4).rposition(|w| w == b"PK\x01\x02").expect("a directory");
    lie[entry + 24..entry + 28].copy_from_slice(&4_u32.to_le_bytes());
    let error = place.unpack(place.archive("o.zip", &lie, None)).await.expect_err("a lie");
    assert!(error.kind() == crate::error::ErrorKind::Invalid && error.message().contains("a.csv"), "{error}");
    assert_eq!(limit(None, 1), 1 << 30);
    assert_eq!(limit(None, 1 << 30), 200 << 30);
    assert_eq!(limit(Some(5), 1 << 30), 5 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_in_an_archive_is_named_after_the_others() {
    let place = Place::new();
    let texts = &[("inner.tar", "x"), ("a.csv", "a"), ("b/inner.zip", "x")];
    for (name, bytes) in [("o.zip", zipped(texts)), ("o.tar", tarred(texts))] {
        let mut members = Members::open(place.archive(name, &bytes, None));
        let only = members.next().await.expect("unpacked").expect("a member");
        assert_eq!(only.file.uri, format!("{name}!a.csv"));
        drop(only);
        let error = members.next().await.expect_err("not unpacked twice");
        let says = format!("archive {name}: member 'inner.tar' and 1 more are archives themselves");
        assert!(error.message().starts_with(&says), "{error}");
        assert!(error.hint_text().is_some_and(|h| h.contains("[read] members")), "{error}");
        assert_eq!(place.unpack(place.archive(name, &bytes, Some("*.csv"))).await.expect("unpacked").len(), 1);
    }
}
