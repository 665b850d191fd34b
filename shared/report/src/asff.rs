//! Findings in the AWS Security Finding Format, as `securityhub:BatchImportFindings` takes them. Its limits are kept here
//! (Security Hub user guide, "Required top-level ASFF attributes"); sending in batches is left to the caller.

use jiff::Timestamp;
use picket_model::{Assessment, Finding, Severity, Status};
use serde_json::{Value, json};

/// How many findings one `BatchImportFindings` call takes.
pub const PER_CALL: usize = 100;

/// All findings; resolved ones too, so that Security Hub learns of it.
///
/// `home` is the Region of the product that findings without a Region are filed under.
#[must_use]
pub fn findings(assessment: &Assessment, home: &str) -> Vec<Value> {
    assessment.findings.iter().map(|f| finding(f, home, assessment.at)).collect()
}

/// One finding.
#[must_use]
pub fn finding(finding: &Finding, home: &str, now: Timestamp) -> Value {
    let region = finding.region.as_ref().map_or(home, |r| r.as_str());
    let partition = partition(region);
    let account = finding.account.as_str();
    let status = finding.status(now);
    let found: Vec<String> =
        finding.readings.iter().map(|r| format!("{} is {}, expected {}", r.at, r.found, r.expected)).collect();
    let description = if found.is_empty() { finding.title.clone() } else { found.join("; ") };
    let mut value = json!({
        "SchemaVersion": "2018-10-08",
        "Id": finding.id,
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "ProductName": "Picket",
        "CompanyName": "Picket",
        "GeneratorId": format!("picket/{}", finding.rule),
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": finding.first_seen.to_string(),
        "FirstObservedAt": finding.first_seen.to_string(),
        "LastObservedAt": finding.last_seen.to_string(),
        "UpdatedAt": finding.resolved_at.unwrap_or(finding.last_seen).to_string(),
        "Severity": {"Label": finding.severity.to_string().to_uppercase(), "Normalized": normalized(finding.severity)},
        "Title": cut(&finding.title, 256),
        "Description": cut(&description, 1024),
        "Remediation": {"Recommendation": {"Text": cut(&finding.fix, 512)}},
        "Resources": [{
            "Type": resource_type(&finding.asset),
            "Id": cut(&finding.asset, 512),
            "Partition": partition,
            "Region": region,
        }],
        "Compliance": {
            "Status": if status == Status::Resolved { "PASSED" } else { "FAILED" },
            "RelatedRequirements": finding.controls.iter().take(32).collect::<Vec<_>>(),
        },
        "Workflow": {"Status": workflow(status)},
        "RecordState": if status == Status::Resolved { "ARCHIVED" } else { "ACTIVE" },
    });
    if let (Status::Waived, Some(waiver)) = (status, &finding.waiver) {
        let says = format!("waived by {} until {}: {}", waiver.owner, waiver.until, waiver.reason);
        value["Note"] = json!({
            "Text": cut(&says, 512), "UpdatedBy": "picket", "UpdatedAt": finding.last_seen.to_string(),
        });
    }
    value
}

fn workflow(status: Status) -> &'static str {
    match status {
        Status::Open => "NEW",
        Status::Waived => "SUPPRESSED",
        Status::Resolved => "RESOLVED",
    }
}

fn normalized(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 20,
        Severity::Medium => 50,
        Severity::High => 80,
        Severity::Critical => 95,
    }
}

/// The format's own names of what it knows; everything else is `Other`.
fn resource_type(asset: &str) -> &'static str {
    match asset.split('/').next().unwrap_or_default() {
        "aws.account" | "aws.region" => "AwsAccount",
        "autoscaling.group" => "AwsAutoScalingAutoScalingGroup",
        "cloudtrail.trail" => "AwsCloudTrailTrail",
        "ec2.image" => "Other",
        "ec2.instance" => "AwsEc2Instance",
        "ec2.interface" => "AwsEc2NetworkInterface",
        "ec2.launch_template" => "AwsEc2LaunchTemplate",
        "ec2.network_acl" => "AwsEc2NetworkAcl",
        "ec2.security_group" => "AwsEc2SecurityGroup",
        "ec2.subnet" => "AwsEc2Subnet",
        "ec2.volume" => "AwsEc2Volume",
        "ec2.vpc" => "AwsEc2Vpc",
        "ecr.repository" => "AwsEcrRepository",
        "eks.cluster" => "AwsEksCluster",
        "iam.policy" => "AwsIamPolicy",
        "iam.role" => "AwsIamRole",
        "iam.user" => "AwsIamUser",
        "kms.key" => "AwsKmsKey",
        "rds.instance" => "AwsRdsDbInstance",
        "s3.bucket" => "AwsS3Bucket",
        "sns.topic" => "AwsSnsTopic",
        _ => "Other",
    }
}

fn partition(region: &str) -> &'static str {
    match region.split('-').take(2).collect::<Vec<_>>().as_slice() {
        ["cn", _] => "aws-cn",
        ["us", "gov"] => "aws-us-gov",
        _ => "aws",
    }
}

/// At most `longest` characters, and at least one: Security Hub refuses empty text.
fn cut(text: &str, longest: usize) -> String {
    let text = text.trim();
    if text.is_empty() { "-".to_owned() } else { text.chars().take(longest).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn texts_keep_the_limits_of_security_hub() {
        let long = "x".repeat(3000);
        let value = &findings(&made::assessment(&long), "us-east-1")[0];
        for (path, longest) in [
            ("/Title", 256),
            ("/Description", 1024),
            ("/Remediation/Recommendation/Text", 512),
            ("/Resources/0/Id", 512),
        ] {
            let length = value.pointer(path).unwrap().as_str().unwrap().chars().count();
            assert!((1..=longest).contains(&length), "{path}: {length}");
        }
    }

    #[test]
    fn a_waived_finding_is_suppressed_and_still_failed() {
        let value = &findings(&made::assessment("x"), "us-east-1")[1];
        assert_eq!(value["Workflow"]["Status"], "SUPPRESSED");
        assert_eq!(value["Compliance"]["Status"], "FAILED");
    }

    #[test]
    fn a_resolved_finding_is_archived() {
        let mut assessment = made::assessment("x");
        assessment.findings[0].resolved_at = Some(assessment.at);
        let value = &findings(&assessment, "us-east-1")[0];
        assert_eq!((&value["RecordState"], &value["Workflow"]["Status"]), (&json!("ARCHIVED"), &json!("RESOLVED")));
    }

    #[test]
    fn other_partitions_have_their_own_arns() {
        assert_eq!(
            (partition("cn-north-1"), partition("us-gov-west-1"), partition("eu-west-1")),
            ("aws-cn", "aws-us-gov", "aws")
        );
    }
}
