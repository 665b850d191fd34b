//! The rules of security groups, each with its description and tags. Rules are added before others are taken away, so that
//! nobody is cut off in between who keeps access.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroupRule, Tag, TagSpecification,
    UserIdGroupPair,
};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use picket_pipeline::rules_between;
use serde_json::{Value, json};

use super::{AwsFixes, failed, gone_is_done, missing, word};
use crate::containment::MARK;

impl AwsFixes<'_> {
    /// `DescribeSecurityGroupRules`, `DescribeSecurityGroups`, and what the guards need.
    pub(super) async fn read_rules(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (client, group, doing) = (self.clients.ec2(&scope.region), &aim.target, "reading security group");
        let answer = client.describe_security_groups().group_ids(group).send().await;
        let answer = answer.map_err(|e| failed(doing, group, &e))?;
        let found = answer.security_groups().first().ok_or_else(|| missing(doing, group))?;
        let rules = self.live_rules(scope, group).await?;
        let mut now = json!({});
        for side in sides(aim) {
            let of = rules.iter().filter(|r| r.side == *side).map(|r| r.rule.clone());
            now[*side] = of.collect();
        }
        let ids: BTreeMap<_, _> = rules.iter().map(|r| (r.id.clone(), r.rule.to_string())).collect();
        let interfaces =
            if aim.action == "ec2_empty_default_group" { self.users(scope, group).await? } else { Vec::new() };
        let facts = json!({
            "default": found.group_name() == Some("default"),
            "quarantine": found.tags().iter().any(|t| t.key() == Some(MARK)),
            "vpc": found.vpc_id(),
            "interfaces": interfaces,
            "ids": ids,
            "prefix_lists": self.lists(scope, &rules).await?,
        });
        Ok(Sight { now, facts })
    }

    async fn live_rules(&self, scope: &Scope, group: &str) -> Answer<Vec<Live>> {
        let of = Filter::builder().name("group-id").values(group).build();
        let mut pages =
            self.clients.ec2(&scope.region).describe_security_group_rules().filters(of).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the rules of", group, &e))?;
            found.extend(page.security_group_rules().iter().filter_map(live));
        }
        found.sort_by_key(|l| l.rule.to_string());
        Ok(found)
    }

    /// The interfaces that use a group.
    async fn users(&self, scope: &Scope, group: &str) -> Answer<Vec<String>> {
        let of = Filter::builder().name("group-id").values(group).build();
        let mut pages =
            self.clients.ec2(&scope.region).describe_network_interfaces().filters(of).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading who uses", group, &e))?;
            found.extend(page.network_interfaces().iter().filter_map(|i| i.network_interface_id()).map(str::to_owned));
        }
        Ok(found)
    }

    async fn lists(&self, scope: &Scope, rules: &[Live]) -> Answer<BTreeMap<String, Vec<String>>> {
        let mut found = BTreeMap::new();
        for list in rules.iter().filter_map(|r| r.rule["peer"]["list"].as_str()) {
            if found.contains_key(list) {
                continue;
            }
            let call = self.clients.ec2(&scope.region).get_managed_prefix_list_entries().prefix_list_id(list);
            let mut pages = call.into_paginator().send();
            let mut networks = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| failed("reading prefix list", list, &e))?;
                networks.extend(page.entries().iter().filter_map(|e| e.cidr()).map(str::to_owned));
            }
            found.insert(list.to_owned(), networks);
        }
        Ok(found)
    }

    /// `AuthorizeSecurityGroup…` of what comes, then `RevokeSecurityGroup…` of what goes, by the ids of now.
    pub(super) async fn write_rules(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        let (gone, came) = rules_between(from, to);
        let live = self.live_rules(scope, &aim.target).await?;
        let is = |l: &Live, wanted: &Value| wanted["side"] == l.side && wanted["rule"] == l.rule;
        for new in came.iter().filter(|n| !live.iter().any(|l| is(l, n))) {
            self.authorize(scope, &aim.target, new).await?;
        }
        for side in sides(aim) {
            let ids: Vec<String> = live
                .iter()
                .filter(|l| l.side == *side && gone.iter().any(|g| is(l, g)))
                .map(|l| l.id.clone())
                .collect();
            if !ids.is_empty() {
                self.revoke(scope, &aim.target, side, ids).await?;
            }
        }
        Ok(())
    }

    async fn authorize(&self, scope: &Scope, group: &str, new: &Value) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "adding a rule to");
        let (permission, tags) = (permission(&new["rule"])?, tags(&new["rule"]));
        let answer = if word(new, "side") == Some("egress") {
            let call = client.authorize_security_group_egress().group_id(group).ip_permissions(permission);
            call.set_tag_specifications(tags).send().await.map(drop).map_err(|e| failed(doing, group, &e))
        } else {
            let call = client.authorize_security_group_ingress().group_id(group).ip_permissions(permission);
            call.set_tag_specifications(tags).send().await.map(drop).map_err(|e| failed(doing, group, &e))
        };
        match answer {
            // A read that was late did not show it; or one without these words is there, which reading again tells.
            Err(error) if error.why.as_str().contains("InvalidPermission.Duplicate") => Ok(()),
            answer => answer,
        }
    }

    async fn revoke(&self, scope: &Scope, group: &str, side: &str, ids: Vec<String>) -> Answer<()> {
        let (client, doing) = (self.clients.ec2(&scope.region), "taking a rule from");
        let answer = if side == "egress" {
            let call = client.revoke_security_group_egress().group_id(group).set_security_group_rule_ids(Some(ids));
            call.send().await.map(drop).map_err(|e| failed(doing, group, &e))
        } else {
            let call = client.revoke_security_group_ingress().group_id(group).set_security_group_rule_ids(Some(ids));
            call.send().await.map(drop).map_err(|e| failed(doing, group, &e))
        };
        gone_is_done(answer)
    }
}

fn sides(aim: &Aim) -> &'static [&'static str] {
    match aim.action.as_str() {
        "ec2_revoke_ingress" => &["ingress"],
        "ec2_revoke_egress" => &["egress"],
        _ => &["ingress", "egress"],
    }
}

/// A rule that is there.
struct Live {
    id: String,
    side: &'static str,
    rule: Value,
}

fn live(rule: &SecurityGroupRule) -> Option<Live> {
    let network = rule.cidr_ipv4().or_else(|| rule.cidr_ipv6()).map(|n| json!({ "network": n }));
    let list = || rule.prefix_list_id().map(|l| json!({ "list": l }));
    let group = || {
        let of = rule.referenced_group_info()?;
        Some(json!({"group": {"id": of.group_id()?, "account": of.user_id()}}))
    };
    let peer = network.or_else(list).or_else(group)?;
    let all = rule.ip_protocol() == Some("-1");
    let tags: BTreeMap<_, _> = rule.tags().iter().filter_map(|t| Some((t.key()?, t.value().unwrap_or("")))).collect();
    let written = json!({
        "protocol": rule.ip_protocol().unwrap_or("-1"),
        "from": rule.from_port().filter(|_| !all),
        "to": rule.to_port().filter(|_| !all),
        "peer": peer,
        "description": rule.description().filter(|d| !d.is_empty()),
        "tags": tags,
    });
    let side = if rule.is_egress().unwrap_or(false) { "egress" } else { "ingress" };
    Some(Live { id: rule.security_group_rule_id()?.to_owned(), side, rule: written })
}

fn permission(rule: &Value) -> Answer<IpPermission> {
    let description = word(rule, "description").map(str::to_owned);
    let port = |name: &str| super::number(rule, name);
    let call = IpPermission::builder().ip_protocol(word(rule, "protocol").unwrap_or("-1"));
    let call = call.set_from_port(port("from")).set_to_port(port("to"));
    let peer = &rule["peer"];
    let call = if let Some(network) = word(peer, "network") {
        if network.contains(':') {
            call.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(network).set_description(description).build())
        } else {
            call.ip_ranges(IpRange::builder().cidr_ip(network).set_description(description).build())
        }
    } else if let Some(list) = word(peer, "list") {
        call.prefix_list_ids(PrefixListId::builder().prefix_list_id(list).set_description(description).build())
    } else if let Some(id) = word(&peer["group"], "id") {
        let account = word(&peer["group"], "account").map(str::to_owned);
        let pair = UserIdGroupPair::builder().group_id(id).set_user_id(account).set_description(description);
        call.user_id_group_pairs(pair.build())
    } else {
        return Err(PortError::new("reading the rule", rule, Kind::Other, "it has no other side"));
    };
    Ok(call.build())
}

fn tags(rule: &Value) -> Option<Vec<TagSpecification>> {
    let tags = rule.get("tags")?.as_object()?;
    let of = |(k, v): (&String, &Value)| Tag::builder().key(k).value(v.as_str().unwrap_or_default()).build();
    let tags: Vec<Tag> = tags.iter().map(of).collect();
    if tags.is_empty() {
        return None;
    }
    Some(vec![TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule).set_tags(Some(tags)).build()])
}
