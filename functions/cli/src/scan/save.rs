//! `picket scan --save`: all that a scan read of an account and Region, in a file from which it can be judged again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use picket_model::Scope;
use picket_model::landscape::{Landscape, Saved, Sight};

use crate::failure::Failure;

/// The folder of the files, which only its owner reads: user data is in them.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it, where it is not there.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path).map_err(|e| failed("making", path, e))?;
        Ok(Self(path.to_owned()))
    }

    /// Writes a landscape as `<account>-<Region>.json`.
    fn put(&self, landscape: Landscape) -> Result<(), Failure> {
        let Scope { account, region } = &landscape.scope;
        let path = self.0.join(format!("{account}-{region}.json"));
        let text = serde_json::to_vec(&Saved::from(landscape)).map_err(|e| failed("writing", &path, e))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).and_then(|mut file| file.write_all(&text));
        file.map_err(|e| failed("writing", &path, e))
    }
}

/// Takes sights for a file, where one is wanted.
pub(super) struct Kept<'a> {
    folder: Option<&'a Folder>,
    landscape: Mutex<Landscape>,
}

impl<'a> Kept<'a> {
    /// Of one place.
    pub(super) fn of(folder: Option<&'a Folder>, scope: &Scope) -> Self {
        Self { folder, landscape: Mutex::new(Landscape::new(scope.clone())) }
    }

    /// Takes one.
    pub(super) fn take(&self, sight: &Sight) {
        if self.folder.is_some() {
            self.landscape.lock().unwrap_or_else(PoisonError::into_inner).take(sight.clone());
        }
    }

    /// Writes the file.
    pub(super) fn put(self) -> Result<(), Failure> {
        let landscape = self.landscape.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.folder.map_or(Ok(()), |folder| folder.put(landscape))
    }
}

fn failed(doing: &str, path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::usage(format!("{doing} `{}`", path.display())).because(error)
}
