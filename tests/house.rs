//! The rules of the house, as sentences.
#![allow(clippy::unwrap_used, reason = "a test file: what cannot be read fails the test that wanted it")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A package of the workspace, as `cargo metadata` prints it. Read as plain JSON: the crate that models it would turn
/// features of `serde_json` on for the tests alone, and every AWS SDK would be built twice.
struct Package {
    name: String,
    manifest_path: PathBuf,
    uses: BTreeSet<String>,
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let printed = std::process::Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&printed.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(described).collect()
}

fn described(package: &Value) -> Package {
    let normal = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null());
    Package {
        name: package["name"].as_str().unwrap().into(),
        manifest_path: package["manifest_path"].as_str().unwrap().into(),
        uses: normal.map(|d| d["name"].as_str().unwrap().to_owned()).collect(),
    }
}

fn package(name: &str) -> Package {
    packages().into_iter().find(|p| p.name == name).unwrap()
}

/// Every tracked file that ends in `ending`, below the root.
fn files(ending: &str) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().filter(|n| n.ends_with(ending)).map(|n| root().join(n)).filter(|p| p.exists()).collect()
}

/// Whether it is an entry point or a test, which nothing links.
fn is_run(package: &str) -> bool {
    ["picket-functions", "picket-soak", "picket-tests"].contains(&package)
}

#[test]
fn dependencies_run_one_way() {
    let ours = [
        "picket",
        "picket-aws",
        "picket-checks",
        "picket-evidence",
        "picket-functions",
        "picket-kubernetes",
        "picket-model",
        "picket-pipeline",
        "picket-report",
        "picket-soak",
        "picket-tests",
    ];
    let linked: Vec<&str> = ours.into_iter().filter(|o| o.starts_with("picket-") && !is_run(o)).collect();
    let allowed = [
        ("picket-model", vec![]),
        ("picket-checks", vec!["picket-model"]),
        ("picket-pipeline", vec!["picket-checks", "picket-model"]),
        ("picket-report", vec!["picket-checks", "picket-model"]),
        ("picket-aws", vec!["picket-model", "picket-pipeline"]),
        ("picket-kubernetes", vec!["picket-aws", "picket-model", "picket-pipeline"]),
        (
            "picket-evidence",
            vec!["picket-aws", "picket-checks", "picket-kubernetes", "picket-model", "picket-pipeline"],
        ),
        ("picket-functions", linked.clone()),
        ("picket", linked),
        ("picket-soak", vec!["picket-checks", "picket-model", "picket-pipeline"]),
        ("picket-tests", vec![]),
    ];
    for (name, may) in allowed {
        for used in package(name).uses.iter().filter(|u| ours.contains(&u.as_str())) {
            assert!(may.contains(&used.as_str()), "{name} must not depend on {used}");
        }
    }
}

#[test]
fn only_the_crates_that_read_aws_name_the_sdk() {
    let may = ["picket-aws", "picket-evidence"];
    for package in packages().iter().filter(|p| !may.contains(&p.name.as_str())) {
        let sdk: Vec<_> = package.uses.iter().filter(|d| d.starts_with("aws-sdk-") || *d == "aws-config").collect();
        assert_eq!(sdk, Vec::<&String>::new(), "{} names the SDK", package.name);
    }
}

#[test]
fn the_pure_crates_do_no_io_and_know_no_clock() {
    for name in ["picket-model", "picket-checks", "picket-report"] {
        for used in package(name).uses {
            let io = ["tokio", "async-trait", "reqwest", "hyper", "tracing-subscriber"].contains(&used.as_str());
            assert!(!io, "{name} must not depend on {used}");
        }
    }
    for file in files(".rs")
        .iter()
        .filter(|f| ["shared/model", "shared/checks", "shared/report"].iter().any(|d| f.to_string_lossy().contains(d)))
        .filter(|f| !f.ends_with("build.rs"))
    {
        let path = file.to_string_lossy();
        if path.ends_with("tests.rs") || path.rsplit_once("/src/").is_some_and(|(_, inner)| inner.contains("tests/")) {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // Addresses are values; sockets are not.
        for word in
            ["Timestamp::now", "SystemTime", "std::env::var", "std::fs", "TcpStream", "TcpListener", "UdpSocket"]
        {
            assert!(!code.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn every_source_file_says_first_what_it_is() {
    for file in files(".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
    }
}

#[test]
fn no_source_file_is_longer_than_a_person_reads() {
    for file in files(".rs") {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_package_takes_the_lints_of_the_house() {
    for package in packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
    }
}

#[test]
fn the_top_level_is_the_one_of_the_design() {
    let known = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "functions",
        "infra",
        "shared",
        "template.yaml",
        "tests",
        "target",
        "samconfig.toml",
    ];
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || known.contains(&name.as_str()), "{name} does not belong at the top");
    }
}

#[test]
fn every_test_and_every_file_that_the_readme_names_is_there() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    for name in quoted.filter(|q| !q.contains(' ')) {
        let path = match name.strip_prefix("test_") {
            Some(_) => format!("tests/e2e/{name}.py"),
            None if ["shared/", "functions/", "infra/", "tests/"].iter().any(|top| name.starts_with(top)) => {
                name.to_owned()
            }
            None => continue,
        };
        let made_up = name.contains('<') || name.contains('*');
        assert!(made_up || root().join(&path).exists(), "README.md names {name}, and {path} is not there");
    }
}
