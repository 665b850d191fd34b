//! Shell scripts in user data: the files that they write, and the commands that set a node up. What stands under a
//! condition may not run, so it says nothing.

use std::collections::BTreeMap;

use regex::Regex;
use std::sync::LazyLock;

use super::files::{self, File};
use super::told::Told;
use super::{flags, rancher};

/// The begin of a document within the script: how it ends, and whether the shell fills in variables.
static HERE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"<<-?\s*(['"]?)([A-Za-z_][A-Za-z0-9_]*)['"]?"#).ok());
/// Where its content goes.
static INTO: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:>|\btee\s+(?:-a\s+)?)\s*["']?([A-Za-z0-9_./$\{\}-]+)"#).ok());

/// What a script says.
pub fn read(text: &str, told: &mut Told) {
    let (commands, written) = taken_apart(text);
    let mut modes = BTreeMap::new();
    let mut variables: BTreeMap<String, Option<String>> = BTreeMap::new();
    for command in &commands {
        assign(command, &mut variables);
        let words = shlex::split(&filled(command, &variables)).unwrap_or_default();
        if let [program, mode, paths @ ..] = words.as_slice()
            && program.ends_with("chmod")
        {
            paths.iter().for_each(|p| drop(modes.insert(p.clone(), mode.clone())));
        }
        run(&words, told);
    }
    for (path, content, literal) in written {
        let mode = modes.get(&path).and_then(|m| u32::from_str_radix(m, 8).ok());
        if literal || !content.contains('$') {
            files::read(&File { path: &path, content: &content, mode, owner: None, group: None }, told);
        }
    }
}

/// Commands that run in any case, each whole; and the files that the script writes, each with whether it is literal.
fn taken_apart(text: &str) -> (Vec<String>, Vec<(String, String, bool)>) {
    let (mut commands, mut files) = (Vec::new(), Vec::new());
    let mut lines = text.lines();
    let mut depth = 0_usize;
    while let Some(line) = lines.next() {
        let mut command = line.trim().to_owned();
        while command.ends_with('\\') || has_open_quote(&command) {
            let Some(more) = lines.next() else { break };
            let joint = if command.ends_with('\\') { " " } else { "\n" };
            command.truncate(command.trim_end_matches('\\').len());
            command = format!("{command}{joint}{}", more.trim());
        }
        if command.starts_with('#') {
            continue;
        }
        let here = HERE.as_ref().and_then(|h| h.captures(&command));
        if let Some(found) = here {
            let (quoted, end) = (!found[1].is_empty(), found[2].to_owned());
            let content: Vec<&str> = lines.by_ref().take_while(|l| l.trim() != end).collect();
            let path = INTO.as_ref().and_then(|i| i.captures(&command)).map(|c| c[1].to_owned());
            if let (Some(path), 0) = (path, depth) {
                files.push((path, content.join("\n") + "\n", quoted));
            }
            continue;
        }
        let opens = ["if ", "case "].iter().any(|w| command.starts_with(w));
        let closes = command.split([' ', ';']).any(|w| w == "fi" || w == "esac");
        depth += usize::from(opens);
        if depth == 0 && !command.contains("&& ") && !command.contains("|| ") {
            commands.push(command);
        }
        depth -= usize::from(closes && depth > 0);
    }
    (commands, files)
}

/// Whether a quote is open at the end of a line.
fn has_open_quote(line: &str) -> bool {
    let mut open: Option<char> = None;
    let mut escaped = false;
    for c in line.chars() {
        match open {
            _ if escaped => escaped = false,
            None if c == '#' => return false,
            Some('"') | None if c == '\\' => escaped = true,
            None if c == '"' || c == '\'' => open = Some(c),
            Some(o) if o == c => open = None,
            _ => {}
        }
    }
    open.is_some()
}

/// `NAME=literal`; a name that is set twice, or to what is not literal, is not known.
fn assign(command: &str, variables: &mut BTreeMap<String, Option<String>>) {
    let command = command.strip_prefix("export ").unwrap_or(command);
    let Some((name, value)) = command.split_once('=') else { return };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return;
    }
    let literal = shlex::split(value).filter(|w| w.len() == 1 && !value.contains(['$', '`'])).and_then(|mut w| w.pop());
    let known = if variables.contains_key(name) { None } else { literal };
    variables.insert(name.to_owned(), known);
}

/// A command with the variables in it that are known.
fn filled(command: &str, variables: &BTreeMap<String, Option<String>>) -> String {
    let mut filled = command.to_owned();
    for (name, value) in variables.iter().filter_map(|(n, v)| Some((n, v.as_ref()?))) {
        for form in [format!("${{{name}}}"), format!("\"${name}\"")] {
            let quoted =
                if form.starts_with('"') { format!("\"{}\"", value.replace('"', "\\\"")) } else { value.clone() };
            filled = filled.replace(&form, &quoted);
        }
    }
    filled
}

/// One command.
fn run(words: &[String], told: &mut Told) {
    let after = |name: &str| words.iter().position(|w| w == name).and_then(|at| words.get(at + 1));
    let is = |name: &str| words.iter().any(|w| w == name || w.ends_with(&format!("/{name}")));
    if words.iter().any(|w| w.ends_with("/etc/eks/bootstrap.sh") || w == "/etc/eks/bootstrap.sh") {
        let equals = words.iter().find_map(|w| w.strip_prefix("--kubelet-extra-args=")).map(ToOwned::to_owned);
        if let Some(arguments) = equals.as_ref().or_else(|| after("--kubelet-extra-args")) {
            told.kubelet(flags::of_text(arguments));
        }
        if let Some(config) = after("--docker-config-json").and_then(|c| serde_json::from_str(c).ok()) {
            told.docker(config);
        }
    }
    if is("k3s")
        || is("rke2")
        || words.iter().any(|w| w.starts_with("INSTALL_K3S_EXEC=") || w.starts_with("INSTALL_RKE2_EXEC="))
    {
        rancher::command(words, told);
    }
    let kubelet = words.iter().position(|w| w == "kubelet" || w.ends_with("/kubelet"));
    if let Some(at) = kubelet.filter(|at| words.get(at + 1).is_some_and(|w| w.starts_with("--"))) {
        told.kubelet(flags::of_words(&words[at + 1..]));
    }
}
