//! Instances, and what they are made from: images, launch templates, Auto Scaling groups, volumes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self as ec2, Filter, InstanceAttributeName};
use picket_model::landscape::{Image, Machine, ScalingTier, Sight, Tags, Template, Volume};
use picket_model::{GroupId, InstanceId, Region, Scope, Untrusted};
use picket_pipeline::ports::Answer;
use picket_pipeline::scan::{Page, See, Spotted};

use super::{Watch, failed};
use crate::instances;

/// The most that EC2 gives on a page.
const PER_PAGE: i32 = 1_000;
/// How many ids or names go into one filter.
const PER_FILTER: usize = 200;
/// The states of instances that are there.
const LIVE: [&str; 4] = ["pending", "running", "stopping", "stopped"];

pub(super) fn text(from: Option<&str>) -> Untrusted {
    Untrusted::new(from.unwrap_or_default())
}

pub(super) fn some(from: Option<&str>) -> Option<Untrusted> {
    from.filter(|text| !text.is_empty()).map(Untrusted::new)
}

pub(super) fn tags(from: &[ec2::Tag]) -> Tags {
    from.iter().map(|t| (text(t.key()), text(t.value()))).collect()
}

pub(super) fn group_ids<'a>(from: impl Iterator<Item = Option<&'a str>>) -> Vec<GroupId> {
    from.filter_map(|id| GroupId::parse(id?).ok()).collect()
}

pub(super) fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

impl Watch {
    pub(super) async fn page_of_machines(&self, scope: &Scope, after: Option<&str>) -> Answer<Page> {
        self.turns.wait(&scope.region).await;
        let live = filter("instance-state-name", LIVE.map(str::to_owned));
        let call = self.clients.ec2(&scope.region).describe_instances().filters(live).max_results(PER_PAGE);
        let answer = call.set_next_token(after.map(ToOwned::to_owned)).send().await;
        let answer = answer.map_err(failed("ec2:DescribeInstances"))?;
        let mut page = Vec::new();
        for reservation in answer.reservations() {
            let of = |i| {
                let instance = instances::instance(scope, reservation.reservation_id(), i)?;
                Some(Spotted { machine: machine(&instance, i), instance })
            };
            page.extend(reservation.instances().iter().filter_map(of));
        }
        Ok((page, answer.next_token.filter(|token| !token.is_empty())))
    }

    pub(super) async fn user_data_of(&self, scope: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        self.turns.wait(&scope.region).await;
        let call = self.clients.ec2(&scope.region).describe_instance_attribute().instance_id(of.as_str());
        let answer = call.attribute(InstanceAttributeName::UserData).send().await;
        let answer = answer.map_err(failed("ec2:DescribeInstanceAttribute"))?;
        Ok(answer.user_data().and_then(|d| d.value()).filter(|v| !v.is_empty()).map(ToOwned::to_owned))
    }

    /// Images by id. Those that are gone or private again are left out by the filter.
    pub(super) async fn images_of(&self, region: &Region, ids: &[Untrusted], see: See<'_>) -> Answer<()> {
        for part in ids.chunks(PER_FILTER) {
            self.turns.wait(region).await;
            let wanted = filter("image-id", part.iter().map(ToString::to_string));
            let answer = self.clients.ec2(region).describe_images().filters(wanted).send().await;
            for image in answer.map_err(failed("ec2:DescribeImages"))?.images() {
                see(Sight::Image(Image {
                    id: text(image.image_id()),
                    name: text(image.name()),
                    owner: some(image.owner_id()),
                    tags: tags(image.tags()),
                }));
            }
        }
        Ok(())
    }

    /// Launch templates with what their default and latest versions say. The versions of all of them are listed in one
    /// go; a template alone tells its tags.
    pub(super) async fn templates(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut all: BTreeMap<String, Template> = BTreeMap::new();
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_launch_templates().max_results(200).set_next_token(token);
            let answer = call.send().await.map_err(failed("ec2:DescribeLaunchTemplates"))?;
            for found in answer.launch_templates() {
                let (id, name) = (text(found.launch_template_id()), text(found.launch_template_name()));
                let template = Template { id: id.clone(), name, tags: tags(found.tags()), ..Template::default() };
                all.insert(id.to_string(), template);
            }
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                break;
            }
        }
        let read = if all.is_empty() { Ok(()) } else { self.versions(region, &mut all).await };
        all.into_values().for_each(|template| see(Sight::Template(template)));
        read
    }

    async fn versions(&self, region: &Region, all: &mut BTreeMap<String, Template>) -> Answer<()> {
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_launch_template_versions().versions("$Latest");
            let call = call.versions("$Default").max_results(200).set_next_token(token);
            let answer = call.send().await.map_err(failed("ec2:DescribeLaunchTemplateVersions"))?;
            for version in answer.launch_template_versions() {
                let known = version.launch_template_id().and_then(|id| all.get_mut(id));
                if let (Some(template), Some(data)) = (known, version.launch_template_data()) {
                    add_version(template, data);
                }
            }
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn scaling_tiers(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let client = aws_sdk_autoscaling::Client::new(&self.clients.in_region(region));
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = client.describe_auto_scaling_groups().max_records(100).set_next_token(token);
            let answer = call.send().await.map_err(failed("autoscaling:DescribeAutoScalingGroups"))?;
            answer.auto_scaling_groups().iter().for_each(|group| see(Sight::ScalingTier(scaling_tier(group))));
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Volumes that are attached or bear a tag at all.
    pub(super) async fn volumes(&self, region: &Region, see: See<'_>) -> Answer<()> {
        let mut token = None;
        loop {
            self.turns.wait(region).await;
            let call = self.clients.ec2(region).describe_volumes().max_results(PER_PAGE).set_next_token(token);
            let answer = call.send().await.map_err(failed("ec2:DescribeVolumes"))?;
            for volume in answer.volumes().iter().filter(|v| !v.tags().is_empty()) {
                let attached = volume.attachments().first().and_then(|a| a.instance_id());
                see(Sight::Volume(Volume {
                    id: text(volume.volume_id()),
                    tags: tags(volume.tags()),
                    instance: attached.and_then(|id| InstanceId::parse(id).ok()),
                }));
            }
            token = answer.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(());
            }
        }
    }
}

fn machine(instance: &picket_model::Instance, from: &ec2::Instance) -> Machine {
    let links = from.network_interfaces();
    let private = links.iter().flat_map(|l| l.private_ip_addresses()).filter_map(|a| a.private_ip_address());
    let public = links.iter().flat_map(|l| l.private_ip_addresses()).filter_map(|a| a.association()?.public_ip());
    let v6 = links.iter().flat_map(|l| l.ipv6_addresses()).filter_map(|a| a.ipv6_address());
    let own = [from.private_ip_address(), from.private_dns_name()].into_iter().flatten();
    let names = [from.public_ip_address(), from.public_dns_name()].into_iter().flatten();
    Machine {
        subnet: some(from.subnet_id()),
        addresses: distinct(own.chain(private)),
        public_addresses: distinct(names.chain(public).chain(v6)),
        key: some(from.key_name()),
        platform: some(from.platform().map(ec2::PlatformValues::as_str)),
        operator: from.operator().and_then(|o| some(o.principal())),
        ..Machine::from(instance)
    }
}

fn distinct<'a>(from: impl Iterator<Item = &'a str>) -> Vec<Untrusted> {
    let mut all: Vec<Untrusted> = Vec::new();
    for text in from.filter(|t| !t.is_empty()).map(Untrusted::new) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// What a version says goes to the template; where two differ, both tags and the later text count.
fn add_version(template: &mut Template, data: &ec2::ResponseLaunchTemplateData) {
    let given = data.tag_specifications().iter().flat_map(|s| tags(s.tags()));
    template.gives.extend(given);
    template.image = some(data.image_id()).or(template.image.take());
    template.key = some(data.key_name()).or(template.key.take());
    let profile = data.iam_instance_profile().and_then(|p| p.arn().or(p.name()));
    template.profile = some(profile).or(template.profile.take());
    let own = data.security_group_ids().iter().map(|id| Some(id.as_str()));
    let of_links = data.network_interfaces().iter().flat_map(|l| l.groups()).map(|id| Some(id.as_str()));
    for group in group_ids(own.chain(of_links)) {
        if !template.groups.contains(&group) {
            template.groups.push(group);
        }
    }
    let text = data.user_data().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
    template.user_data = text.or(template.user_data.take());
}

fn scaling_tier(group: &aws_sdk_autoscaling::types::AutoScalingGroup) -> ScalingTier {
    let mixed = || group.mixed_instances_policy()?.launch_template()?.launch_template_specification();
    let template = group.launch_template().or_else(mixed).and_then(|t| t.launch_template_id());
    ScalingTier {
        name: text(group.auto_scaling_group_name()),
        tags: group.tags().iter().map(|t| (text(t.key()), text(t.value()))).collect(),
        template: some(template),
        instances: group.instances().iter().filter_map(|i| InstanceId::parse(i.instance_id()?).ok()).collect(),
        desired: group.desired_capacity().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
    }
}
