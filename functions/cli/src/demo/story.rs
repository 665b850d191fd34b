//! The story of the demo, chapter by chapter. Every sentence that it prints was checked a moment before.

use std::time::Duration;

use picket_aws::rehearsal::{Account, Alert, Attack, Call, Rehearsal};
use picket_model::{Asset, CaseId, GroupId, Hold, HoldState, InstanceId, InterfaceId, VpcId};
use picket_pipeline::ports::{Answer, Holds as _, Policies as _};

use super::stage::Stage;
use crate::failure::Failure;
use crate::session::{Aws, Session};

/// The policy of the demo: all defaults, and it may act.
const POLICY: &str = "version: 1\nmode: enforce\n";

/// The groups of some interfaces, in a fixed order.
type Groups = Vec<(InterfaceId, Vec<GroupId>)>;

/// What came true, for machines. There is none unless all of it did.
#[derive(Debug, serde::Serialize)]
pub struct Summary {
    case: CaseId,
    instances: Vec<InstanceId>,
    interfaces_contained: usize,
    api_call_to_containment_ms: u128,
    alert: String,
    healthy_interfaces_untouched: usize,
    restored_exactly: bool,
}

/// Plays it.
pub async fn play(
    stage: &Stage<'_>,
    session: &Session,
    aws: &Aws,
    rehearsal: &Rehearsal<'_>,
) -> Result<Summary, Failure> {
    let (account, healthy) = open(stage, aws, rehearsal).await?;
    let (attack, before, contained_ms) = attacked(stage, aws, rehearsal, &account).await?;
    let (case, alert) = responded(stage, aws, rehearsal, &attack).await?;
    left_alone(stage, rehearsal, &account, &healthy).await?;
    released(stage, rehearsal, &attack, &before, &case).await?;
    stage.chapter("The journal")?;
    stage.command(&["journal", case.as_str()], &[])?;
    stage.chapter("That was all of it")?;
    stage.tell("deploy it:      sam build && sam deploy --guided   (it observes until you say enforce)")?;
    stage.tell("try an event:   picket replay FILE                 (offline, changes nothing)")?;
    stage.tell(&format!("see the rules:  {}", session.command("policy signals")))?;
    Ok(Summary {
        case,
        instances: attack.machines,
        interfaces_contained: before.len(),
        api_call_to_containment_ms: contained_ms,
        alert,
        healthy_interfaces_untouched: healthy.len(),
        restored_exactly: true,
    })
}

async fn open(stage: &Stage<'_>, aws: &Aws, rehearsal: &Rehearsal<'_>) -> Result<(Account, Groups), Failure> {
    stage.chapter("An account like many")?;
    let table = aws.table();
    stage.step("the policy says enforce", table.put_policy(POLICY, &"picket demo".into())).await?;
    stage.step("on-call subscribed to the alerts topic", rehearsal.subscribe_phone()).await?;
    let account =
        stage.step("EKS cluster, kops cluster, web tier and bastion are up", rehearsal.open_account()).await?;
    let known = stage
        .until("Picket finding them all", || async {
            let known = table.inventory(rehearsal.scope()).await?;
            let seen = |id: &InstanceId| known.iter().any(|k| k.asset.id() == id.as_str());
            let cluster = known.iter().any(|k| matches!(k.asset, Asset::Cluster(_)));
            let all = cluster && account.machines.iter().all(|m| seen(&m.id));
            Ok::<_, picket_pipeline::PortError>(all.then_some(known))
        })
        .await?;
    stage.good(&format!("Picket found {} assets from their events:", known.len()))?;
    let mut parts: Vec<&str> = account.machines.iter().map(|m| m.part).collect();
    parts.dedup();
    for part in parts {
        let ids: Vec<_> = account.machines.iter().filter(|m| m.part == part).map(|m| m.id.to_string()).collect();
        let node = known.iter().find(|k| ids.contains(&k.asset.id())).and_then(|k| k.node_of.as_ref());
        let what = node.map_or_else(
            || "no cluster's node".to_owned(),
            |n| {
                let name = n.cluster.as_ref().map(|c| format!(" of {c}")).unwrap_or_default();
                format!("{} node{name}, by {}", n.distribution, n.evidence.first().map_or("", String::as_str))
            },
        );
        stage.tell(&format!("{part:<20}{} x   {what}", ids.len()))?;
    }
    let swept = async { aws.functions().invoke::<()>("sweep", &serde_json::json!({})).await };
    stage.step("the sweep ran, as it does every quarter of an hour", swept).await?;
    stage
        .until("a quarantine group made ready", || async {
            let vpc = VpcId::parse(&account.vpc).ok();
            match vpc {
                Some(vpc) => table.quarantine_group(rehearsal.scope(), &vpc).await,
                None => Ok(None),
            }
        })
        .await?;
    stage.good("a quarantine group without any rule is ready in the VPC")?;
    let ids: Vec<_> = account.machines.iter().map(|m| m.id.clone()).collect();
    let healthy = rehearsal.groups_of(&ids).await?;
    let word = first_alert(stage, rehearsal, "the word on the cluster", "LOOK AT").await?;
    stage.good("on-call was told that anybody may reach the cluster's API server:")?;
    stage.quote(&word.body)?;
    Ok((account, healthy))
}

async fn attacked(
    stage: &Stage<'_>,
    aws: &Aws,
    rehearsal: &Rehearsal<'_>,
    account: &Account,
) -> Result<(Attack, Groups, u128), Failure> {
    stage.chapter("A build robot's key has leaked")?;
    let attack = rehearsal.attack(account).await?;
    stage.good(&format!(
        "build-robot called RunInstances: {} x g5.48xlarge with 2 interfaces each, open to the world, a miner in the user data",
        attack.machines.len()
    ))?;
    let contained = stage
        .until("containment", || async {
            let held = holds_of(aws, rehearsal, &attack).await?;
            let quarantine: Vec<GroupId> = held.iter().flat_map(|h| h.quarantine.clone()).collect();
            let now = rehearsal.groups_of(&attack.machines).await?;
            let cut = |groups: &Vec<GroupId>| groups.len() == 1 && quarantine.contains(&groups[0]);
            let all = held.len() == attack.machines.len() && now.iter().all(|(_, groups)| cut(groups));
            Ok::<_, picket_pipeline::PortError>(all.then(|| attack.called.elapsed()))
        })
        .await?;
    let held = holds_of(aws, rehearsal, &attack).await?;
    let mut before: Groups =
        held.iter().flat_map(|h| &h.captures).map(|c| (c.interface.clone(), c.groups.clone())).collect();
    before.sort();
    stage.good(&format!(
        "all {} interfaces are in the quarantine group, and in no other: {} ms after the API call",
        before.len(),
        contained.as_millis()
    ))?;
    Ok((attack, before, contained.as_millis()))
}

async fn responded(
    stage: &Stage<'_>,
    aws: &Aws,
    rehearsal: &Rehearsal<'_>,
    attack: &Attack,
) -> Result<(CaseId, String), Failure> {
    let alert = first_alert(stage, rehearsal, "the alert", "QUARANTINED").await?;
    stage.chapter("What CloudTrail saw")?;
    let calls = rehearsal.calls().await?;
    for call in calls.iter().skip_while(|c| !is_attack(c)) {
        let at = call.at.map(|t| t.strftime("%H:%M:%S").to_string()).unwrap_or_default();
        stage.tell(&format!("{at}  {:<32}{}", call.name, call.by))?;
    }
    stage.chapter("What on-call read")?;
    stage.tell(&alert.subject)?;
    stage.quote(&alert.body)?;
    let held = stage
        .until("the verification, and securing the evidence", || async {
            let held = holds_of(aws, rehearsal, attack).await?;
            Ok::<_, picket_pipeline::PortError>(
                held.iter().all(|h| h.state == HoldState::Contained && h.secured).then_some(held),
            )
        })
        .await?;
    let first = held.first().ok_or_else(|| Failure::refused("nothing is held"))?;
    Ok((first.case.clone(), alert.subject))
}

fn is_attack(call: &Call) -> bool {
    call.by == "build-robot"
}

async fn left_alone(
    stage: &Stage<'_>,
    rehearsal: &Rehearsal<'_>,
    account: &Account,
    healthy: &Groups,
) -> Result<(), Failure> {
    stage.chapter("What was left alone")?;
    let ids: Vec<_> = account.machines.iter().map(|m| m.id.clone()).collect();
    let now = rehearsal.groups_of(&ids).await?;
    if &now != healthy {
        return Err(
            Failure::refused("a healthy machine was touched").hint("this is a defect of Picket; please report it")
        );
    }
    stage.good(&format!(
        "web tier, bastion, kops and EKS nodes: {} interfaces have the groups that they had, in their order",
        now.len()
    ))
}

async fn released(
    stage: &Stage<'_>,
    rehearsal: &Rehearsal<'_>,
    attack: &Attack,
    before: &Groups,
    case: &CaseId,
) -> Result<(), Failure> {
    stage.chapter("The evidence is taken; lift it")?;
    stage.command(&["release", case.as_str(), "--reason", "forensics is done"], &["--yes"])?;
    let after = rehearsal.groups_of(&attack.machines).await?;
    if &after != before {
        return Err(Failure::refused(format!("the groups after the release are not those before: {after:?}")));
    }
    stage.good(&format!("{} group lists are equal to those before the quarantine, in their order", after.len()))
}

async fn holds_of(aws: &Aws, rehearsal: &Rehearsal<'_>, attack: &Attack) -> Answer<Vec<Hold>> {
    let mut holds = aws.table().holds(rehearsal.scope()).await?;
    holds.retain(|h| attack.machines.contains(&h.instance));
    Ok(holds)
}

/// The first alert with a word in its subject; others that came before it are left aside.
async fn first_alert(
    stage: &Stage<'_>,
    rehearsal: &Rehearsal<'_>,
    what: &'static str,
    word: &'static str,
) -> Result<Alert, Failure> {
    stage
        .until(what, || async {
            let found = rehearsal.alerts().await?.into_iter().find(|a| a.subject.contains(word));
            if found.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, picket_pipeline::PortError>(found)
        })
        .await
}
