//! Which kinds of evidence an API call may have changed, so that an event judges anew only the rules that look at them.
//! The names say it: the service of the call is the first half of the kind, and the noun in the call is the second.

use std::collections::BTreeSet;

use super::{Catalogue, Kinds, Rule};

/// Event sources whose kinds have another first half.
const ALIASES: &[(&str, &[&str])] = &[
    ("access-analyzer", &["accessanalyzer"]),
    ("elasticfilesystem", &["efs"]),
    ("elasticloadbalancing", &["elb", "elbv2"]),
    ("macie2", &["macie"]),
    ("monitoring", &["cloudwatch"]),
    ("s3", &["s3", "s3control"]),
];

/// Reads change nothing. Reports that are generated are reads, too, though CloudTrail calls them writes; Picket asks for
/// them itself, and would wake itself for ever.
const READS: [&str; 10] =
    ["Describe", "List", "Get", "Head", "Lookup", "BatchGet", "Search", "Filter", "Assume", "Generate"];

/// Writes that agents and pipelines make all day, and that nothing looks at.
const IDLE: [&str; 9] = [
    "CompleteLayerUpload",
    "CreateLogStream",
    "DeleteLogStream",
    "InitiateLayerUpload",
    "PutComplianceItems",
    "PutInventory",
    "UpdateInstanceAssociationStatus",
    "UpdateInstanceInformation",
    "UploadLayerPart",
];

/// The kinds that a call may have changed: those whose noun is in its name, or all of the service where none is.
/// `source` is CloudTrail's, such as `eks.amazonaws.com`.
#[must_use]
pub fn kinds_touched(kinds: &Kinds, source: &str, call: &str) -> BTreeSet<String> {
    if READS.iter().any(|r| call.starts_with(r)) || IDLE.contains(&call) {
        return BTreeSet::new();
    }
    let service = source.trim_end_matches(".amazonaws.com");
    let halves: Vec<&str> = match ALIASES.iter().find(|(s, _)| *s == service) {
        Some((_, halves)) => halves.to_vec(),
        None => vec![service],
    };
    let of_service: Vec<(&str, &str)> =
        kinds.iter().filter_map(|k| k.name.split_once('.')).filter(|(s, _)| halves.contains(s)).collect();
    let flat = call.to_ascii_lowercase();
    let named: Vec<_> = of_service.iter().filter(|(_, noun)| flat.contains(&noun.replace('_', ""))).collect();
    let chosen = if named.is_empty() { of_service.iter().collect() } else { named };
    chosen.into_iter().map(|(service, noun)| format!("{service}.{noun}")).collect()
}

/// The rules that look at one of `kinds`, as what they are about or beside it.
pub fn rules_about<'a>(rules: &'a Catalogue, kinds: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Rule> {
    let looks = |rule: &&Rule| kinds.contains(&rule.select) || rule.joins.iter().any(|j| kinds.contains(&j.kind));
    rules.iter().filter(looks)
}

/// All kinds that these rules need.
pub fn needed<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> BTreeSet<String> {
    let of = |rule: &'a Rule| std::iter::once(&rule.select).chain(rule.joins.iter().map(|j| &j.kind));
    rules.into_iter().flat_map(of).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(source: &str, call: &str) -> Vec<String> {
        let kind = |name: &str| format!("kind: {name}\nsource: s\nsays: s\nfields: {{a: int}}\n");
        let names =
            ["ec2.security_group", "ec2.instance", "eks.cluster", "eks.nodegroup", "logs.log_group", "elbv2.listener"];
        let files: Vec<_> = names.iter().map(|n| (format!("{n}.yaml"), kind(n))).collect();
        let kinds = Kinds::parse(files.iter().map(|(f, t)| (f.as_str(), t.as_str()))).unwrap();
        kinds_touched(&kinds, source, call).into_iter().collect()
    }

    #[test]
    fn a_call_touches_what_its_name_says() {
        assert_eq!(touched("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress"), ["ec2.security_group"]);
        assert_eq!(touched("ec2.amazonaws.com", "RunInstances"), ["ec2.instance"]);
        assert_eq!(touched("eks.amazonaws.com", "UpdateClusterConfig"), ["eks.cluster"]);
        assert_eq!(touched("elasticloadbalancing.amazonaws.com", "ModifyListener"), ["elbv2.listener"]);
    }

    #[test]
    fn a_call_whose_name_says_nothing_touches_all_of_its_service_and_a_read_nothing() {
        assert_eq!(touched("logs.amazonaws.com", "PutRetentionPolicy"), ["logs.log_group"]);
        assert_eq!(touched("eks.amazonaws.com", "TagResource"), ["eks.cluster", "eks.nodegroup"]);
        assert_eq!(touched("eks.amazonaws.com", "DescribeCluster"), Vec::<String>::new());
        assert_eq!(touched("iam.amazonaws.com", "GenerateCredentialReport"), Vec::<String>::new());
        assert_eq!(touched("logs.amazonaws.com", "CreateLogStream"), Vec::<String>::new());
        assert_eq!(touched("athena.amazonaws.com", "CreateWorkGroup"), Vec::<String>::new());
    }
}
