//! `picket quarantine`: a person orders it. IAM's leave to invoke `<stack>-respond` is the authorisation; the order
//! meets the same rails as any decision.

use picket_model::{CaseId, InstanceId, Untrusted};
use picket_pipeline::order::Order;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{self, Session};
use crate::show::{Asked, Page, Paint, Reply, Text, Tone};

/// What `picket quarantine` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket quarantine i-0abc1234def567890 --reason \"nobody knows it\"
  picket quarantine i-0abc1234def567890 i-0abc1234def567891 --reason \"miner\" --yes

On a terminal it asks first, unless `--yes` is given.")]
pub struct Args {
    /// The instances to cut off
    #[arg(required = true, value_name = "INSTANCE", value_parser = instance)]
    pub instances: Vec<InstanceId>,
    /// Why; it goes into the journal and to everybody who is told
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Untrusted,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// What `<stack>-respond` answers.
#[derive(Debug, Deserialize)]
struct Answer {
    case: CaseId,
    outcome: String,
    says: Untrusted,
}

/// What came of the order.
#[derive(Debug, Serialize)]
struct Ordered {
    case: CaseId,
    outcome: String,
    says: Untrusted,
    instances: Vec<InstanceId>,
    by: Untrusted,
    next: Option<String>,
}

/// Orders it and waits for the answer.
///
/// # Errors
/// If AWS cannot be reached, or denies it.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, caller) = session.known().await?;
    let Args { instances, reason, yes } = args;
    if !yes {
        let many = instances.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ");
        let question = format!("cut off {many} in account {}, {}?", caller.account, aws.region);
        if session.show.ask(&question) == Asked::No {
            return Err(Failure::refused("nothing was changed: it was not confirmed"));
        }
    }
    let order = Order { instances, by: caller.arn, reason };
    let functions = aws.functions();
    let answer: Answer = session.show.wait("cutting off", functions.invoke("respond", &order)).await?;
    let ordered = ordered(answer, order, session);
    session.show.answer(&ordered)?;
    Ok(exit(&ordered.outcome))
}

fn ordered(answer: Answer, order: Order, session: &Session) -> Ordered {
    let Answer { case, outcome, says } = answer;
    let next = match outcome.as_str() {
        "contained" => session.command(format!("journal {case}")),
        "observed" | "refused" => session.command("policy show"),
        _ => session.command("holds"),
    };
    Ordered { case, outcome, says, instances: order.instances, by: order.by, next: Some(next) }
}

fn exit(outcome: &str) -> Exit {
    match outcome {
        "contained" | "nothing" => Exit::Done,
        _ => Exit::Found,
    }
}

impl Reply for Ordered {
    fn text(&self, paint: Paint) -> String {
        let tone = if exit(&self.outcome) == Exit::Done { Tone::Good } else { Tone::Warn };
        let mut page = Page::new(paint);
        page.field("outcome", Text::toned(tone, self.says.as_str()));
        for (n, instance) in self.instances.iter().enumerate() {
            page.field(if n == 0 { "instances" } else { "" }, instance.as_str());
        }
        if self.outcome == "contained" {
            let lift = format!("picket release {} --reason \"...\"", self.case);
            page.field("case", self.case.as_str()).field("lift it", lift);
        }
        page.field("by", self.by.as_str()).next(self.next.as_deref()).done()
    }
}

/// An instance's id. What runs pods without being one has no interface in EC2 that could be cut: its pods are isolated
/// where they are known.
fn instance(text: &str) -> Result<InstanceId, String> {
    InstanceId::parse(text).map_err(|error| {
        let kind = match text {
            t if t.starts_with("mi-") => "a hybrid or on-premises node",
            t if t.starts_with("fargate-") => "a Fargate node",
            _ => return error.to_string(),
        };
        format!(
            "`{text}` is {kind}: it has no interface in EC2 that could be cut. Isolate what runs there with `picket fix \
             apply kubernetes_deny_network CLUSTER/NAMESPACE/KIND/NAME --reason TEXT`, or drain it with `kubernetes_drain_node CLUSTER/NODE`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcome: &str, says: &str) -> String {
        let ordered = Ordered {
            case: CaseId::try_from("case-0123456789ab".to_owned()).unwrap(),
            outcome: outcome.to_owned(),
            says: says.into(),
            instances: vec![InstanceId::parse("i-12345678").unwrap()],
            by: "arn:aws:iam::123456789012:user/ann".into(),
            next: Some("picket journal case-0123456789ab".to_owned()),
        };
        ordered.text(Paint::default())
    }

    #[test]
    fn a_quarantine_says_what_was_done_and_how_it_is_lifted() {
        let expected = "outcome   one interface was put into quarantine\ninstances i-12345678\n\
            case      case-0123456789ab\nlift it   picket release case-0123456789ab --reason \"...\"\n\
            by        arn:aws:iam::123456789012:user/ann\n\nnext: picket journal case-0123456789ab\n";
        assert_eq!(of("contained", "one interface was put into quarantine"), expected);
    }

    #[test]
    fn a_node_that_is_no_instance_is_told_where_its_pods_can_be_isolated() {
        for node in ["mi-0123456789abcdef0", "fargate-ip-10-0-0-1.ec2.internal"] {
            assert!(instance(node).unwrap_err().contains("kubernetes_deny_network"), "{node}");
        }
        assert!(!instance("my-server").unwrap_err().contains("kubernetes_deny_network"));
    }

    #[test]
    fn a_refusal_offers_nothing_to_lift_and_is_no_success() {
        assert!(!of("observed", "not done: the mode is observe").contains("lift it"));
        for (outcome, code) in [("contained", Exit::Done), ("nothing", Exit::Done), ("observed", Exit::Found)] {
            assert_eq!(exit(outcome), code, "{outcome}");
        }
        assert_eq!(exit("later"), Exit::Found);
    }
}
