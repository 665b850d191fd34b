//! `picket fix`: what was, could be and shall be fixed. Plans, changes and undoes are the function's, under its own role;
//! what may be changed is decided there, against live state.

mod actions;
mod list;
mod make;
mod outcome;

use clap::Subcommand;
use picket_model::{CaseId, Untrusted};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{self, Session};

pub use make::answer;

/// What `picket fix` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket fix actions eks
  picket fix plan eks_set_logging prod
  picket fix apply ec2_revoke_ingress sg-0abc1234def567890 --with ports=22,2375 --reason \"open to the world\"
  picket fix list
  picket fix undo case-0123456789ab --reason \"needed by team blue\"")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done about fixes.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Show the fixes there are, with their targets and parameters
    #[command(after_help = "Example:\n  picket fix actions iam")]
    Actions {
        /// Only those whose name holds this
        #[arg(value_name = "WORD")]
        word: Option<String>,
    },
    /// Show what was fixed, proposed and put back in this account and Region
    #[command(after_help = "Examples:\n  picket fix list\n  picket fix list --all --output json")]
    List {
        /// Also those that were put back, denied or failed
        #[arg(long)]
        all: bool,
    },
    /// Show what a fix would change now; nothing is changed
    #[command(after_help = "Example:\n  picket fix plan eks_close_public_endpoint prod")]
    Plan(Aimed),
    /// Fix something, or make a fix again by its id
    #[command(after_help = "Examples:
  picket fix apply kms_enable_rotation 1234abcd-12ab-34cd-56ef-1234567890ab --reason \"audit\"
  picket fix apply case-0123456789ab --reason \"agreed with team blue\" --yes")]
    Apply {
        /// What
        #[command(flatten)]
        aimed: Aimed,
        /// Why; it goes into the journal and to everybody who is told
        #[arg(long, value_name = "TEXT", value_parser = session::reason)]
        reason: Untrusted,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Put a fix back: everything as it was before
    #[command(after_help = "Example:\n  picket fix undo case-0123456789ab --reason \"it broke the build\"")]
    Undo {
        /// Which fix
        #[arg(value_name = "FIX")]
        id: CaseId,
        /// Why; it goes into the journal and to everybody who is told
        #[arg(long, value_name = "TEXT", value_parser = session::reason)]
        reason: Untrusted,
        /// Put back also what was changed since
        #[arg(long)]
        force: bool,
        /// Show what would be done, and do nothing
        #[arg(long)]
        plan: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What a fix is about.
#[derive(Debug, clap::Args)]
pub struct Aimed {
    /// An action and its target, or the id of a fix
    #[arg(required = true, num_args = 1..=2, value_name = "ACTION TARGET|FIX")]
    pub of: Vec<String>,
    /// A parameter; a list has commas, a map is JSON
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = parameter)]
    pub with: Vec<(String, serde_json::Value)>,
}

/// Does it.
///
/// # Errors
/// If AWS cannot be reached or denies it, or nobody confirmed it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    match args.what {
        What::Actions { word } => actions::run(word.as_deref(), session),
        What::List { all } => list::run(all, session).await,
        What::Plan(aimed) => make::plan(aimed, session).await,
        What::Apply { aimed, reason, yes } => make::apply(aimed, reason, yes, session).await,
        What::Undo { id, reason, force, plan, yes } => {
            make::undo(make::Back { id, reason, force, plan, yes }, session).await
        }
    }
}

/// `name=value`; what is a JSON map is one, everything else is a text.
fn parameter(text: &str) -> Result<(String, serde_json::Value), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is NAME=VALUE, such as ports=22")?;
    if name.is_empty() {
        return Err("a parameter has a name, such as ports=22".to_owned());
    }
    let map = serde_json::from_str::<serde_json::Value>(value).ok().filter(serde_json::Value::is_object);
    Ok((name.to_owned(), map.unwrap_or_else(|| value.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_text_or_a_map() {
        assert_eq!(parameter("ports=22,80"), Ok(("ports".to_owned(), "22,80".into())));
        assert_eq!(parameter("limit=1"), Ok(("limit".to_owned(), "1".into())));
        let map = parameter(r#"tags={"team":"blue"}"#).map(|(_, v)| v);
        assert_eq!(map, Ok(serde_json::json!({"team": "blue"})));
        assert!(parameter("ports").is_err() && parameter("=1").is_err());
    }
}
