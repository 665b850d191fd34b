//! The archive of a bundle: written the same way each time, and read back without unpacking anything.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use picket_report::audit::bundle::{self, File};
use picket_report::audit::{Problem, chain};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Tone};

/// How much is read of an archive: it may be somebody else's.
const MOST: u64 = 1 << 30;

/// What became of a look at a bundle.
#[derive(Debug, Serialize)]
struct Checked {
    intact: bool,
    file: String,
    files: usize,
    problems: Vec<Problem>,
}

/// Checks that nothing is in the way.
pub fn is_free(out: &Path) -> Result<(), Failure> {
    if !out.exists() {
        return Ok(());
    }
    let taken = Failure::usage(format!("{} is there already, and evidence is not written over", out.display()));
    Err(taken.hint("name another file with `-o`"))
}

/// Writes the archive; says its size and sum. Everything lies in a folder named `folder`.
pub fn write(out: &Path, folder: &str, at: Timestamp, files: &[File]) -> Result<(usize, String), Failure> {
    let wrong = |e: std::io::Error| Failure::usage(format!("writing {}", out.display())).because(e);
    let bytes = packed(folder, at, files).map_err(wrong)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(out).map_err(wrong)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(wrong)?;
    Ok((bytes.len(), chain::hex(&bytes)))
}

fn packed(folder: &str, at: Timestamp, files: &[File]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best()));
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(file.body.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        header.set_mtime(u64::try_from(at.as_second()).unwrap_or_default());
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, format!("{folder}/{}", file.name), file.body.as_slice())?;
    }
    archive.into_inner()?.finish()
}

/// Verifies an archive by its own sums.
pub fn verify(path: &Path, session: &Session) -> Result<Exit, Failure> {
    let wrong = |e: std::io::Error| {
        let failure = Failure::usage(format!("reading {}", path.display())).because(e);
        failure.hint("name an archive that `picket audit bundle` made")
    };
    let files = unpacked(std::fs::File::open(path).map_err(wrong)?).map_err(wrong)?;
    let problems = bundle::check(&files);
    let intact = problems.is_empty();
    session.show.answer(&Checked { intact, file: path.display().to_string(), files: files.len(), problems })?;
    Ok(if intact { Exit::Done } else { Exit::Found })
}

/// The files by their names without the archive's folder.
fn unpacked(file: impl std::io::Read) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(file).take(MOST));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_dir() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = path.split_once('/').map_or(path.as_str(), |(_, rest)| rest).to_owned();
        let mut body = Vec::new();
        entry.read_to_end(&mut body)?;
        if files.insert(name, body).is_some() {
            return Err(std::io::Error::other(format!("{path} is in it twice")));
        }
    }
    Ok(files)
}

impl Reply for Checked {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        if self.intact {
            let says = format!("{} is what it was when it was made: {} files fit their sums", self.file, self.files);
            page.line(Tone::Good, says);
        } else {
            page.line(Tone::Bad, format!("{} IS NOT WHAT IT WAS WHEN IT WAS MADE", self.file));
            for problem in &self.problems {
                page.line(Tone::Plain, &problem.says);
            }
        }
        page.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<File> {
        vec![bundle::text("a.txt", "one\n".into(), "a"), bundle::text("evidence/i-1/b.json", "{}".into(), "b")]
    }

    #[test]
    fn the_same_files_give_the_same_archive_and_come_back_from_it() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let bytes = packed("case", at, &files()).unwrap();
        assert_eq!(bytes, packed("case", at, &files()).unwrap());
        let back = unpacked(bytes.as_slice()).unwrap();
        assert_eq!(back.keys().map(String::as_str).collect::<Vec<_>>(), ["a.txt", "evidence/i-1/b.json"]);
        assert_eq!(back["a.txt"], b"one\n");
    }

    #[test]
    fn an_archive_that_holds_a_file_twice_is_refused() {
        let twice: Vec<File> = files().into_iter().chain(files()).collect();
        assert!(unpacked(packed("case", Timestamp::UNIX_EPOCH, &twice).unwrap().as_slice()).is_err());
        assert!(unpacked(b"no archive".as_slice()).is_err());
    }
}
