//! Embeds the data of rules: every kind, rule and benchmark becomes an `include_str!`, so that hundreds of files need no
//! list to be kept by hand. What is in them is read, and tested, in `src/rules`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut code = String::new();
    for (name, says) in [("benchmarks", "Benchmarks"), ("kinds", "Kinds"), ("rules", "Rules")] {
        println!("cargo::rerun-if-changed={name}");
        let mut files = Vec::new();
        walk(&root.join(name), &mut files)?;
        files.sort();
        let _ = writeln!(code, "/// {says}: the path below `{name}/`, and the text.");
        let _ = writeln!(code, "pub(crate) const {}: &[(&str, &str)] = &[", name.to_uppercase());
        for file in files {
            let below = file.strip_prefix(root.join(name)).map_err(io::Error::other)?;
            let _ = writeln!(code, "    ({:?}, include_str!({:?})),", below.to_string_lossy(), file.to_string_lossy());
        }
        code.push_str("];\n");
    }
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("data.rs"), code)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
