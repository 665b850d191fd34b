//! A user's folder of rules, read from disk: `kinds/`, `rules/<folder>/`, `benchmarks/`, `waivers.yaml`, `settings.yaml`.

use std::path::Path;

use picket_checks::Book;
use picket_checks::book::File;
use picket_evidence::aws::settings::Settings;

use crate::failure::Failure;

/// How deep folders may lie in one another.
const DEEPEST: usize = 4;

/// The book with a user's files.
///
/// # Errors
/// If the folder cannot be read, or a file in it cannot be used; says where.
pub fn book(folder: &Path) -> Result<Book, Failure> {
    let files = files(folder)?;
    if files.is_empty() {
        let hint = format!("`picket rule new house_bucket_named --rules {}` makes a first rule", folder.display());
        return Err(Failure::usage(format!("`{}` holds no rules", folder.display())).hint(hint));
    }
    let hint = "kinds and fields: `picket rule kinds`; the form: `picket rule new`";
    Book::with(&files).map_err(|e| Failure::usage("checking the rules").because(e).hint(hint))
}

/// The owner's settings in a folder, if there are any.
///
/// # Errors
/// If the file cannot be read or used.
pub fn settings(folder: &Path) -> Result<Settings, Failure> {
    let file = folder.join("settings.yaml");
    if !file.exists() {
        return Ok(Settings::default());
    }
    let text = text(&file)?;
    Settings::parse(&text, &file.display().to_string()).map_err(|e| Failure::usage("checking the settings").because(e))
}

/// Every YAML file of a folder, with its path below it.
///
/// # Errors
/// If something cannot be read.
pub fn files(folder: &Path) -> Result<Vec<File>, Failure> {
    let mut found = Vec::new();
    walk(folder, "", 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, below: &str, depth: usize, found: &mut Vec<File>) -> Result<(), Failure> {
    let failed = |e| Failure::usage(format!("reading the folder `{}`", folder.display())).because(e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let below = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if path.is_dir() && depth < DEEPEST && !name.starts_with('.') {
            walk(&path, &below, depth + 1, found)?;
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push((below, text(&path)?));
        }
    }
    Ok(())
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("reading `{}`", file.display())).because(e))
}
