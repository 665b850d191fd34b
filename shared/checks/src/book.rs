//! All that judging goes by: kinds, rules, benchmarks and waivers; those built in, and those of a user's folder, which
//! looks like ours: `kinds/`, `rules/<folder>/`, `benchmarks/` and `waivers.yaml`.

use crate::benchmarks::{self, Benchmarks};
use crate::rules::{Catalogue, Kinds, Refused, catalogue, embedded};
use crate::waivers::Waivers;
use picket_model::text::sha256_hex;

/// A file of a user's folder: its path there, with `/`, and its text.
pub type File = (String, String);

/// The files at the top of a user's folder. Settings are read by those who collect evidence.
const TOP: [&str; 2] = ["settings.yaml", "waivers.yaml"];

/// Kinds, rules, benchmarks and waivers.
#[derive(Debug)]
pub struct Book {
    own: Option<Own>,
    built_in: (&'static Catalogue, &'static Benchmarks),
    /// The waivers.
    pub waivers: Waivers,
    /// What tells this book from another: `built-in`, or a digest of the user's files.
    pub version: String,
}

#[derive(Debug)]
struct Own {
    rules: Catalogue,
    benchmarks: Benchmarks,
    names: Vec<String>,
}

impl Book {
    /// What is built in.
    ///
    /// # Errors
    /// If something in it cannot be used; tests make sure that it can.
    pub fn built_in() -> Result<Self, Refused> {
        let built_in = (catalogue::built_in()?, benchmarks::built_in()?);
        Ok(Self { own: None, built_in, waivers: Waivers::default(), version: "built-in".to_owned() })
    }

    /// What is built in, and a user's files.
    ///
    /// # Errors
    /// At the first file that cannot be used, or that stands where no file is expected.
    pub fn with(files: &[File]) -> Result<Self, Refused> {
        let mut book = Self::built_in()?;
        let below = |folder: &str| -> Vec<(&str, &str)> {
            let inside = files.iter().filter(|(path, _)| path.starts_with(folder) && path.ends_with(".yaml"));
            inside.map(|(path, text)| (path.as_str(), text.as_str())).collect()
        };
        let known = |path: &str| ["kinds/", "rules/", "benchmarks/"].iter().any(|f| path.starts_with(f));
        if let Some((path, _)) =
            files.iter().find(|(p, _)| p.ends_with(".yaml") && !TOP.contains(&p.as_str()) && !known(p))
        {
            return Err(Refused::whole(
                path,
                "belongs into kinds/, rules/<folder>/ or benchmarks/, or is waivers.yaml or settings.yaml",
            ));
        }
        let kinds = Kinds::parse(embedded::KINDS.iter().copied().chain(below("kinds/")))?;
        let mut rules = Catalogue::default();
        rules.read(embedded::RULES.iter().copied(), &kinds)?;
        let ours: Vec<String> = rules.iter().map(|r| r.name.clone()).collect();
        rules.read(below("rules/"), &kinds)?;
        let names = rules.iter().map(|r| r.name.clone()).filter(|n| ours.binary_search(n).is_err()).collect();
        let mut benchmarks = Benchmarks::default();
        benchmarks.read(embedded::BENCHMARKS.iter().copied().chain(below("benchmarks/")), &rules)?;
        if let Some((path, text)) = files.iter().find(|(path, _)| path == "waivers.yaml") {
            book.waivers = Waivers::parse(text, path, &rules)?;
        }
        book.version = digest(files);
        book.own = Some(Own { rules, benchmarks, names });
        Ok(book)
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Catalogue {
        self.own.as_ref().map_or(self.built_in.0, |o| &o.rules)
    }

    /// The benchmarks.
    #[must_use]
    pub fn benchmarks(&self) -> &Benchmarks {
        self.own.as_ref().map_or(self.built_in.1, |o| &o.benchmarks)
    }

    /// The names of the user's own rules.
    #[must_use]
    pub fn own_rules(&self) -> &[String] {
        self.own.as_ref().map_or(&[], |o| &o.names)
    }

    /// Whether a rule decides a control by itself.
    #[must_use]
    pub fn decides(&self, rule: &str) -> bool {
        self.rules().get(rule).is_some_and(|r| !r.evidence_only)
    }
}

fn digest(files: &[File]) -> String {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort();
    let text: String = sorted.iter().map(|(path, text)| format!("{path}\0{text}\0")).collect();
    let mut digest = sha256_hex(text.as_bytes());
    digest.truncate(12);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: The name is set\nseverity: low\nlayer: foundation\nselect: aws.account\n\
        check: {at: id, op: present}\nwhy: w\nfix: {how: h}\n";

    fn file(path: &str, text: &str) -> File {
        (path.to_owned(), text.to_owned())
    }

    #[test]
    fn a_user_s_folder_stands_beside_ours() {
        let files = [
            file("rules/ours/named.yaml", RULE),
            file(
                "benchmarks/house-1.yaml",
                "benchmark: house-1\nname: House\nversion: '1'\ncontrols:\n  - {id: '1', title: Named, rules: [ours_named]}\n",
            ),
            file(
                "waivers.yaml",
                "waivers:\n  - {rule: ours_named, asset: '*', owner: me, reason: r, until: '2027-01-31T00:00:00Z'}\n",
            ),
            file("README.md", "not read"),
        ];
        let book = Book::with(&files).unwrap();
        assert_eq!(book.own_rules(), ["ours_named"]);
        assert_eq!(book.benchmarks().controls_of("ours_named"), ["house-1/1"]);
        assert!(book.waivers.of("ours_named", "aws.account/123456789012").is_some());
        assert_ne!(book.version, Book::with(&files[..1]).unwrap().version);
    }

    #[test]
    fn a_user_s_rule_cannot_stand_in_for_one_of_ours() {
        let ours = catalogue::built_in().unwrap().iter().next().unwrap();
        let refused = Book::with(&[file(&format!("rules/{}", ours.file), RULE)]).unwrap_err();
        assert!(refused.reason.contains("already"), "{refused}");
        let lost = Book::with(&[file("named.yaml", RULE)]).unwrap_err();
        assert!(lost.reason.contains("belongs into"), "{lost}");
    }
}
