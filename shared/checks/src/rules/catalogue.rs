//! All rules there are: those built in, and those of a user's folder. Names are unique.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::kind::Kinds;
use super::raw::RawRule;
use super::refused::{Refused, parse};
use super::rule::Rule;
use super::{compile, embedded, family};

/// Rules by name.
#[derive(Debug, Default)]
pub struct Catalogue {
    rules: BTreeMap<String, Rule>,
}

static KINDS: LazyLock<Result<Kinds, Refused>> = LazyLock::new(|| Kinds::parse(embedded::KINDS.iter().copied()));
static BUILT_IN: LazyLock<Result<Catalogue, Refused>> = LazyLock::new(|| {
    let mut catalogue = Catalogue::default();
    catalogue.read(embedded::RULES.iter().copied(), kinds()?)?;
    Ok(catalogue)
});

/// The kinds that are built in.
///
/// # Errors
/// If one cannot be used; a test makes sure that none is.
pub fn kinds() -> Result<&'static Kinds, Refused> {
    KINDS.as_ref().map_err(Clone::clone)
}

/// The rules that are built in.
///
/// # Errors
/// If one cannot be used; a test makes sure that none is.
pub fn built_in() -> Result<&'static Catalogue, Refused> {
    BUILT_IN.as_ref().map_err(Clone::clone)
}

impl Catalogue {
    /// Reads rules from texts named `<folder>/<name>.yaml`; each becomes `<folder>_<name>`.
    ///
    /// # Errors
    /// At the first file that cannot be used, or that makes a rule whose name is taken.
    pub fn read<'a>(
        &mut self,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        kinds: &Kinds,
    ) -> Result<(), Refused> {
        files.into_iter().try_for_each(|(file, text)| self.read_one(file, text, kinds))
    }

    /// Reads one file.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_one(&mut self, file: &str, text: &str, kinds: &Kinds) -> Result<(), Refused> {
        let base = base_name(file)?;
        let raw: RawRule = parse(text, file)?;
        for (row, raw) in family::rows(raw, file)? {
            let name = row.map_or_else(|| base.clone(), |row| format!("{base}_{row}"));
            let rule = compile::compile(&name, file, &raw, kinds)?;
            if let Some(taken) = self.rules.get(&name) {
                return Err(Refused::whole(file, format!("the rule `{name}` is in {} already", taken.file)));
            }
            self.rules.insert(name, rule);
        }
        Ok(())
    }

    /// The rule of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.rules.get(name)
    }

    /// All rules, alphabetical.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }
}

fn base_name(file: &str) -> Result<String, Refused> {
    let stem = file.strip_suffix(".yaml").unwrap_or(file);
    let parts: Vec<&str> = stem.split('/').collect();
    match parts[..] {
        [.., folder, name] if family::is_name(folder) && family::is_name(name) => Ok(format!("{folder}_{name}")),
        _ => Err(Refused::whole(file, "a rule is a file `<folder>/<name>.yaml`, named with a-z, 0-9 and _")),
    }
}
