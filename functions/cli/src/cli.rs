//! What may be asked of `picket`: commands and global options. To add a command: a module with `Args` and `run`, and
//! its lines here.

use clap::{ArgAction, Parser, Subcommand};

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::inventory::{clusters, diff, one};
use crate::session::{DEFAULT_STACK, Session};
use crate::show::{Color, Format, Show};
use crate::{
    approve, assess, audit, benchmark, completions, demo, doctor, explain, fingerprint, fix, holds, journal, keep,
    pause, policy, quarantine, release, replay, report, rule, scan,
};

/// Finds new Kubernetes clusters and EC2 instances, judges them, and cuts off those that are rogue.
#[derive(Debug, Parser)]
#[command(name = "picket", version, after_help = exit::HELP, max_term_width = 120, arg_required_else_help = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The stack that Picket is deployed as
    #[arg(long, global = true, env = "PICKET_STACK", default_value = DEFAULT_STACK, value_name = "NAME")]
    pub stack: String,
    /// The profile of AWS credentials
    #[arg(long, global = true, env = "AWS_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
    /// The AWS Region, such as us-east-1
    #[arg(long, global = true, env = "AWS_REGION", value_name = "REGION")]
    pub region: Option<String>,
    /// Text for people or JSON for machines
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub output: Format,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Log what is done to standard error; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// The session that these options ask for.
    #[must_use]
    pub fn session(&self) -> Session {
        let given = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
        Session {
            stack: self.stack.clone(),
            profile: given(&self.profile),
            region: given(&self.region),
            show: Show::of_process(self.output, self.color),
        }
    }
}

/// The commands, in the order of an incident.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find every Kubernetes cluster and instance of an account or an organization; reads only, needs no deployment
    Scan(scan::Args),
    /// List the clusters that are known, since when, and how each was found
    Clusters(clusters::Args),
    /// Show all that is known of a cluster or an instance, with the evidence
    Show(one::Args),
    /// Show what came, went and changed since a date
    Diff(diff::Args),
    /// Judge an account, or one asset, by every rule; reads only, needs no deployment
    Assess(assess::Args),
    /// Say what an account comes to by CIS and other benchmarks
    Benchmark(benchmark::Args),
    /// Explain a rule, a finding, or the risk of an asset
    Explain(explain::Args),
    /// Write and test rules of your own
    Rule(rule::Args),
    /// Show what Picket makes of recorded events; nothing is changed
    Replay(replay::Args),
    /// Run the main job as a story: a launch in, a quarantined instance and an alert out
    Demo(demo::Args),
    /// Test whether events reach Picket at all: trails, rules, queues, Regions, and a canary the whole way
    Doctor(doctor::Args),
    /// Show what is in quarantine
    Holds(holds::Args),
    /// Show what was meant, done and verified in a case
    Journal(journal::Args),
    /// Open the live report, save it, or make a link to it
    Report(report::Args),
    /// Verify the audit trail, and put everything about a case into one archive
    Audit(audit::Args),
    /// Say that a quarantine stays, whatever its deadline
    Keep(keep::Args),
    /// Cut instances off, now
    Quarantine(quarantine::Args),
    /// Lift a quarantine: put every interface back as it was
    Release(release::Args),
    /// Show, plan, make and put back fixes of what is no instance
    Fix(fix::Args),
    /// Say yes to a fix that people are asked about
    Approve(approve::ApproveArgs),
    /// Say no to a fix that people are asked about
    Deny(approve::DenyArgs),
    /// Check, apply and show the policy
    Policy(policy::Args),
    /// Stop all changes; events are still judged and told
    Pause(pause::PauseArgs),
    /// Let changes go on after a pause
    Resume(pause::ResumeArgs),
    /// Show what Kubernetes is told by, and how well that works
    Fingerprint(fingerprint::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// Says what was being done, to what, and what to do next.
    pub async fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Self::Scan(args) => scan::run(args, session).await,
            Self::Clusters(args) => clusters::run(args, session).await,
            Self::Show(args) => one::run(args, session).await,
            Self::Diff(args) => diff::run(args, session).await,
            Self::Assess(args) => assess::run(args, session).await,
            Self::Benchmark(args) => benchmark::run(args, session).await,
            Self::Explain(args) => explain::run(args, session).await,
            Self::Rule(args) => rule::run(args, session).await,
            Self::Replay(args) => replay::run(args, session).await,
            Self::Demo(args) => demo::run(args, session).await,
            Self::Doctor(args) => doctor::run(args, session).await,
            Self::Holds(args) => holds::run(args, session).await,
            Self::Journal(args) => journal::run(args, session).await,
            Self::Report(args) => report::run(args, session).await,
            Self::Audit(args) => audit::run(args, session).await,
            Self::Keep(args) => keep::run(args, session).await,
            Self::Quarantine(args) => quarantine::run(args, session).await,
            Self::Release(args) => release::run(args, session).await,
            Self::Fix(args) => fix::run(args, session).await,
            Self::Approve(args) => approve::approve(args, session).await,
            Self::Deny(args) => approve::deny(args, session).await,
            Self::Policy(args) => policy::run(args, session).await,
            Self::Pause(args) => pause::pause(args, session).await,
            Self::Resume(args) => pause::resume(args, session).await,
            Self::Fingerprint(args) => fingerprint::run(args, session).await,
            Self::Completions(args) => completions::run(args, session).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_fits_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_people_type_is_understood() {
        for line in [
            "picket scan",
            "picket scan --regions us-east-1,eu-west-1 --output csv",
            "picket scan --org --external-id x --role-name PicketScan --resume",
            "picket scan --print-policy",
            "picket clusters --all",
            "picket show kops/k.example.com",
            "picket show i-12345678",
            "picket diff --since 2026-11-01",
            "picket doctor --no-canary",
            "picket assess",
            "picket assess prod --all-regions --output html",
            "picket assess --evidence e.json --rules d --fail-on high",
            "picket assess --print-policy",
            "picket benchmark list --output json",
            "picket benchmark run cis-eks-1.8.0 --failed",
            "picket explain eks_audit_logs_on",
            "picket rule new house_first --rules d",
            "picket rule vectors d",
            "picket replay event.json",
            "picket replay - --live --output json",
            "picket --stack blue replay dir --table --mode enforce",
            "picket quarantine i-12345678 i-87654321 --reason rogue --yes",
            "picket release case-0123456789ab --reason ours --plan",
            "picket release i-12345678 --reason ours --force --yes --stack blue",
            "picket journal i-12345678 --region eu-west-1",
            "picket audit verify --from audit --noted ab12",
            "picket audit bundle case-0123456789ab -o e.tar.gz",
            "picket holds -vv --color never",
            "picket fix plan eks_set_logging prod --with types=api,audit",
            "picket fix apply case-0123456789ab --reason agreed --yes",
            "picket fix undo case-0123456789ab --reason broke --force",
            "picket fix list --all --output json",
            "picket approve case-0123456789ab",
            "picket deny case-0123456789ab --reason later",
            "picket policy check p.yaml",
            "picket report --of organization --save r.html --minutes 60",
            "picket keep case-0123456789ab --reason mines",
            "picket pause --reason maintenance",
            "picket fingerprint show kops",
            "picket completions zsh",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err().map(|e| e.to_string()));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "picket quarantine --reason rogue",
            "picket quarantine i-12345678",
            "picket quarantine my-server --reason rogue",
            "picket release web --reason ours",
            "picket journal",
            "picket audit bundle web",
            "picket audit verify --from d --bundle f",
            "picket fix apply eks_set_logging prod",
            "picket approve prod",
            "picket replay event.json --mode panic",
            "picket holds --output yaml",
        ] {
            let code = parse(line).err().map(|e| e.exit_code());
            assert_eq!(code, Some(2), "{line}");
        }
    }

    #[test]
    fn every_command_that_takes_something_shows_an_example() {
        for command in Cli::command().get_subcommands() {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains(&format!("picket {}", command.get_name())), "{}", command.get_name());
        }
    }
}
