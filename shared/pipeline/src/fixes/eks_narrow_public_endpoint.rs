//! Let only some networks reach the public endpoint of an EKS cluster.
//! Guard: nodes must not be locked out. With the private endpoint on they do not need the public one; without it, the
//! list has to hold every address that nodes come from, so it is refused unless it does.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "eks_narrow_public_endpoint",
    &["ec2:DescribeNatGateways", "ec2:DescribeVpcAttribute", "eks:DescribeCluster", "eks:UpdateClusterConfig"],
    plan,
)
.comparing(super::endpoint);

/// EKS takes no more.
const MOST: usize = 40;

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let wanted = networks(&seen.list("cidrs")?.unwrap_or_default())?;
    if !Seen::flag(seen.now, "public")? {
        return Err(Not::Already);
    }
    let there = networks(&seen.strings("cidrs")?)?;
    // Narrower only: a network that could not reach it before is not let in.
    let kept: Vec<IpNet> = wanted.iter().filter(|w| there.iter().any(|t| t.contains(*w))).copied().collect();
    if kept.is_empty() {
        return Err(Not::Guarded(
            "none of these networks can reach the endpoint now, so it would be closed to everybody; use \
             eks_close_public_endpoint for that"
                .to_owned(),
        ));
    }
    if super::private_path(seen).is_err() {
        let outside = seen.fact_strings("egress");
        let locked_out = outside.iter().find(|a| {
            let address: Option<IpNet> = format!("{a}/32").parse().ok();
            !address.is_some_and(|a| kept.iter().any(|k| k.contains(&a)))
        });
        if outside.is_empty() || locked_out.is_some() {
            let who =
                locked_out.map_or("nodes, whose addresses are not known,".to_owned(), |a| format!("nodes behind {a}"));
            return Err(Not::Guarded(format!(
                "{who} would be locked out: the private endpoint cannot be used, and the list does not hold them. \
                 Switch the private endpoint on first"
            )));
        }
    }
    set(seen.now, &[("cidrs", json!(kept.iter().map(ToString::to_string).collect::<Vec<_>>()))])
}

fn networks(texts: &[String]) -> Result<Vec<IpNet>, Not> {
    let wrong = |t: &String| Not::Wrong(format!("`{t}` is no network, such as 192.0.2.0/24"));
    let mut found = texts.iter().map(|t| t.parse::<IpNet>().map_err(|_| wrong(t))).collect::<Result<Vec<_>, _>>()?;
    for network in &mut found {
        *network = network.trunc();
    }
    if found.is_empty() || found.len() > MOST {
        return Err(Not::Wrong(format!("EKS takes 1 to {MOST} networks, not {}", found.len())));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
