//! Conversations with the built `picket`: commands and the replies that are expected, in `testdata/conversations`.
//! After a wanted change: `PICKET_BLESS=1 cargo test -p picket --test conversation`, then read the difference.

#![allow(clippy::unwrap_used, reason = "a test that cannot begin has failed")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// `picket` as it runs for somebody without any AWS settings, its output piped.
fn picket() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket"));
    command.current_dir(testdata()).env_clear().stdin(Stdio::null());
    command.envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "none"), ("HOME", "none")]);
    command
}

/// Runs a line such as `picket replay - < launch.json`.
fn run(line: &str) -> Output {
    let (line, input) = line.split_once(" < ").map_or((line, None), |(l, i)| (l, Some(i)));
    let mut command = picket();
    command.args(line.split_whitespace().skip(1));
    if let Some(input) = input {
        command.stdin(File::open(testdata().join(input)).unwrap());
    }
    command.output().unwrap()
}

/// A conversation as it goes today: comments and commands as written, each command with its reply.
fn held(script: &str) -> String {
    let mut said = String::new();
    let mut in_reply = false;
    for line in script.lines() {
        // A reply may hold lines that look like a comment or a command: it goes on to its exit code.
        let was_in_reply = in_reply;
        in_reply = (in_reply && !line.starts_with("[exit ")) || (!in_reply && line.starts_with("$ "));
        if was_in_reply || !(line.starts_with("# ") || line.starts_with("$ ")) {
            continue;
        }
        if line.starts_with("# ") && !said.is_empty() {
            said.push('\n');
        }
        said.push_str(line);
        said.push('\n');
        if let Some(command) = line.strip_prefix("$ ") {
            let output = run(command);
            said.push_str(&String::from_utf8(output.stdout).unwrap());
            said.push_str(&String::from_utf8(output.stderr).unwrap());
            said.push_str(&format!("[exit {}]\n", output.status.code().unwrap()));
        }
    }
    said
}

#[test]
fn every_conversation_goes_as_it_is_written_down() {
    for entry in fs::read_dir(testdata().join("conversations")).unwrap() {
        let path = entry.unwrap().path();
        let expected = fs::read_to_string(&path).unwrap();
        let said = held(&expected);
        if std::env::var_os("PICKET_BLESS").is_some() {
            fs::write(&path, said).unwrap();
        } else {
            assert!(said == expected, "{} goes differently now:\n{said}", path.display());
        }
    }
}

#[test]
fn a_pipe_gets_no_colour_unless_it_is_asked_for() {
    let coloured = |line: &str| run(line).stdout.contains(&0x1b);
    assert!(!coloured("picket replay launch.json"));
    assert!(!coloured("picket replay launch.json --color never"));
    assert!(coloured("picket replay launch.json --color always"));
}

#[test]
fn json_is_one_document_and_says_the_same() {
    let output = run("picket replay launch.json --output json");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["events"][0]["outcome"], "judged");
    assert_eq!(said["events"][0]["findings"][0]["verdict"], "quarantine");
    assert_eq!(said["events"][0]["proposals"][0]["permitted"], false);
    assert_eq!(said["next"], "picket replay launch.json --live");
}

#[test]
fn the_help_holds_the_exit_codes_and_wrong_usage_has_its_own() {
    let help = run("picket --help");
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
    assert_eq!(run("picket holdings").status.code(), Some(2));
    assert_eq!(run("picket quarantine my-server --reason rogue").status.code(), Some(2));
}

#[test]
fn an_aws_that_cannot_be_reached_has_a_code_and_a_next_step() {
    let mut command = picket();
    command.args(["holds", "--region", "us-east-1"]);
    command.envs([
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: asking AWS for the caller's identity: ") && said.contains("\nhint: "), "{said}");
}

#[test]
fn completions_and_the_schema_are_complete_documents() {
    assert!(run("picket completions bash").stdout.starts_with(b"_picket()"));
    let schema: serde_json::Value = serde_json::from_slice(&run("picket policy schema").stdout).unwrap();
    assert_eq!(schema["title"], "Picket policy");
}
