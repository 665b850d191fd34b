//! Which user data a node was started with: its own, as EC2 keeps it; where that cannot be had, that of the version of
//! the launch template or of the launch configuration that its group launched it from, as node groups do, too.

use aws_sdk_autoscaling::types::LaunchTemplateSpecification;
use aws_sdk_ec2::types::{Instance, InstanceAttributeName, Tag};
use picket_checks::user_data::{Decoded, decode};

use crate::aws::tell::reason;
use crate::session::Session;

/// What an instance was launched from, by the tags that AWS sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    template: Option<(String, String)>,
    group: Option<String>,
}

impl Origin {
    /// By the tags of an instance; those that begin with `aws:` nobody else can set.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        let tag = |key: &str| instance.tags().iter().find(|t| t.key() == Some(key)).and_then(Tag::value);
        let id = tag("aws:ec2launchtemplate:id").map(ToOwned::to_owned);
        let template = id.zip(tag("aws:ec2launchtemplate:version").map(ToOwned::to_owned));
        Self { template, group: tag("aws:autoscaling:groupName").map(ToOwned::to_owned) }
    }
}

/// The user data in base64 and the call that gave it; none where there is none.
type Found = Option<(String, &'static str)>;

/// The user data of an instance, and the call that gave it.
///
/// # Errors
/// If nothing could be read, why.
pub async fn read(
    session: &Session,
    instance: &str,
    origin: &Origin,
) -> Result<Option<(Decoded, &'static str)>, String> {
    let own = of_instance(session, instance).await;
    let found = match own {
        Ok(Some(found)) => Some(found),
        other => match of_origin(session, instance, origin).await {
            Ok(Some(found)) => Some(found),
            // What its origin does not say is not said where its own could not be read.
            _ => other?,
        },
    };
    Ok(found.map(|(text, call)| (decode(&text), call)))
}

async fn of_instance(session: &Session, instance: &str) -> Result<Found, String> {
    let client = aws_sdk_ec2::Client::new(session.config());
    let call = client.describe_instance_attribute().instance_id(instance).attribute(InstanceAttributeName::UserData);
    let answer = call.send().await.map_err(|e| reason("ec2:DescribeInstanceAttribute", &e))?;
    let text = answer.user_data().and_then(|d| d.value());
    Ok(filled(text, "ec2:DescribeInstanceAttribute"))
}

async fn of_origin(session: &Session, instance: &str, origin: &Origin) -> Result<Found, String> {
    if let Some((id, version)) = &origin.template {
        return of_template(session, id, version).await;
    }
    let Some(group) = &origin.group else { return Ok(None) };
    let client = aws_sdk_autoscaling::Client::new(session.config());
    let answer = client.describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
    let answer = answer.map_err(|e| reason("autoscaling:DescribeAutoScalingGroups", &e))?;
    let members = answer.auto_scaling_groups().iter().flat_map(|g| g.instances());
    let Some(member) = members.into_iter().find(|m| m.instance_id() == Some(instance)) else { return Ok(None) };
    if let Some((id, version)) = member.launch_template().and_then(version_of) {
        return of_template(session, id, version).await;
    }
    let Some(name) = member.launch_configuration_name() else { return Ok(None) };
    let answer = client.describe_launch_configurations().launch_configuration_names(name).send().await;
    let answer = answer.map_err(|e| reason("autoscaling:DescribeLaunchConfigurations", &e))?;
    let text = answer.launch_configurations().first().and_then(|c| c.user_data());
    Ok(filled(text, "autoscaling:DescribeLaunchConfigurations"))
}

fn version_of(template: &LaunchTemplateSpecification) -> Option<(&str, &str)> {
    Some((template.launch_template_id()?, template.version()?))
}

async fn of_template(session: &Session, id: &str, version: &str) -> Result<Found, String> {
    let client = aws_sdk_ec2::Client::new(session.config());
    let answer = client.describe_launch_template_versions().launch_template_id(id).versions(version).send().await;
    let answer = answer.map_err(|e| reason("ec2:DescribeLaunchTemplateVersions", &e))?;
    let data = answer.launch_template_versions().first().and_then(|v| v.launch_template_data());
    Ok(filled(data.and_then(|d| d.user_data()), "ec2:DescribeLaunchTemplateVersions"))
}

fn filled(text: Option<&str>, call: &'static str) -> Found {
    text.filter(|t| !t.is_empty()).map(|t| (t.to_owned(), call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_says_what_it_was_launched_from_by_tags_of_aws() {
        let tag = |k: &str, v: &str| Tag::builder().key(k).value(v).build();
        let instance = Instance::builder()
            .tags(tag("aws:ec2launchtemplate:id", "lt-1"))
            .tags(tag("aws:ec2launchtemplate:version", "7"))
            .tags(tag("aws:autoscaling:groupName", "nodes"))
            .build();
        let origin = Origin::of(&instance);
        assert_eq!(origin.template, Some(("lt-1".to_owned(), "7".to_owned())));
        assert_eq!(origin.group.as_deref(), Some("nodes"));
        assert_eq!(Origin::of(&Instance::builder().tags(tag("groupName", "nodes")).build()), Origin::default());
    }
}
