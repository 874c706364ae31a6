//! The texts that the cells of an .xlsx share: the library holds all of them, and makes room for as many as they claim to
//! be before it reads the first; a failed allocation ends the process. It must not know which cells show them.

use std::io::{Read, Seek};

use zip::ZipArchive;

use crate::error::{Error, Result};

/// How long they may be, unpacked.
const MOST: u64 = 512 << 20;
/// What the shortest of them takes: `<si/>`.
const SHORTEST: u64 = 5;
/// What stands before their number.
const CLAIM: &[u8] = b"uniqueCount";
/// So much may a claim and its number take, and what is between them.
const CLAIM_BYTES: usize = 4 << 10;

/// Looks through the workbook; what is no archive, or cannot be unpacked, is left to the library to tell.
///
/// # Errors
/// The texts are too long, or fewer than they claim to be.
pub(super) fn check(file: &mut (impl Read + Seek)) -> Result<()> {
    check_within(file, MOST)
}

fn check_within(file: &mut (impl Read + Seek), most: u64) -> Result<()> {
    let Ok(mut zip) = ZipArchive::new(file) else { return Ok(()) };
    for i in 0..zip.len() {
        let Ok(member) = zip.by_index(i) else { continue };
        if !member.name().is_ok_and(|name| name.to_lowercase().ends_with("sharedstrings.xml")) {
            continue;
        }
        let (bytes, claimed) = looked_through(member, most);
        if bytes > most {
            return Err(Error::invalid(format!("the workbook's texts are more than {} MiB", most >> 20))
                .hint("deliver it in parts, or as CSV in UTF-8"));
        }
        if claimed > bytes / SHORTEST {
            return Err(Error::invalid(format!("the workbook claims {claimed} texts in {bytes} bytes"))
                .hint("it may be damaged: save it again as .xlsx, or as CSV in UTF-8"));
        }
    }
    Ok(())
}

/// How many bytes there are, as far as they may be or can be read, and how many texts they claim to be.
fn looked_through(mut member: impl Read, most: u64) -> (u64, u64) {
    let (mut bytes, mut claimed) = (0_u64, 0_u64);
    let (mut buffer, mut window): (_, Vec<u8>) = (vec![0; 64 << 10], Vec::new());
    while let Ok(read @ 1..) = member.read(&mut buffer) {
        bytes += read as u64;
        if bytes > most {
            break;
        }
        // Of UTF-16, so, what ASCII writes.
        window.extend(buffer[..read].iter().filter(|b| **b != 0));
        claimed = claimed.max(largest(&window));
        window.drain(..window.len().saturating_sub(CLAIM_BYTES));
    }
    (bytes, claimed)
}

fn largest(window: &[u8]) -> u64 {
    let claims = window.windows(CLAIM.len()).enumerate().filter(|(_, bytes)| *bytes == CLAIM);
    claims.map(|(at, _)| number(&window[at + CLAIM.len()..])).max().unwrap_or_default()
}

fn number(bytes: &[u8]) -> u64 {
    let between = |b: &&u8| b.is_ascii_whitespace() || matches!(**b, b'=' | b'"' | b'\'');
    let skipped = bytes.iter().take_while(between).count();
    // No program writes it so.
    if skipped > CLAIM_BYTES / 2 {
        return u64::MAX;
    }
    let digits = bytes[skipped..].iter().take_while(|b| b.is_ascii_digit());
    digits.fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn checked(strings: &[u8]) -> Result<()> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("xl/SharedStrings.xml", SimpleFileOptions::default()).expect("begun");
        zip.write_all(strings).expect("written");
        check(&mut zip.finish().expect("finished"))
    }

    #[test]
    fn texts_are_as_many_as_they_claim() {
        let sst = |claim: &str, texts: usize| format!("<sst {claim}>{}</sst>", "<si><t>x</t></si>".repeat(texts));
        for fine in [sst("", 1), sst("uniqueCount=\"2\"", 2), sst("count='9' uniqueCount = '20'", 10_000)] {
            checked(fine.as_bytes()).expect("fine");
        }
        let far = format!("<!--{}-->{}", "x".repeat((64 << 10) - 20), sst("uniqueCount=\"99999999999\"", 1));
        for wrong in [sst("uniqueCount=\"99999999999\"", 2), sst("uniqueCount \n=\n '1000'", 2), far] {
            let e = checked(wrong.as_bytes()).expect_err("room for them would end the process");
            assert!(e.message().contains("the workbook claims") && e.hint_text().is_some(), "{e}");
        }
        let wide: Vec<u8> = sst("uniqueCount=\"99999999999\"", 2).bytes().flat_map(|b| [b, 0]).collect();
        checked(&wide).expect_err("in UTF-16, too");
        check(&mut Cursor::new(b"no archive")).expect("for others to tell");
    }

    #[test]
    fn texts_are_not_too_long() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("xl/sharedStrings.xml", SimpleFileOptions::default()).expect("begun");
        zip.write_all(&vec![b' '; 3 << 20]).expect("written");
        let mut file = zip.finish().expect("finished");
        check_within(&mut file, 3 << 20).expect("fine");
        let e = check_within(&mut file, 2 << 20).expect_err("too long");
        assert!(file.get_ref().len() < 64 << 10 && e.message().contains("more than 2 MiB"), "{e}");
    }
}
