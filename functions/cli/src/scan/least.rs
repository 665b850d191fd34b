//! The least that a scan needs, as an IAM policy: made from the list that the reading code shares.

use picket_pipeline::scan::{READS, READS_OF_ORGANIZATION};
use serde_json::{Value, json};

/// The policy. With the organization, also what lists its accounts and takes their role.
pub(super) fn policy(organization: bool, role: &str) -> Value {
    let reads: Vec<_> = READS.iter().map(|read| read.action).collect();
    let mut statements = vec![json!({"Sid": "PicketScanReads", "Effect": "Allow", "Action": reads, "Resource": "*"})];
    if organization {
        for read in READS_OF_ORGANIZATION {
            let entering = read.action == "sts:AssumeRole";
            let sid = if entering { "PicketScanEntersAccounts" } else { "PicketScanListsAccounts" };
            let resource = if entering { format!("arn:*:iam::*:role/{role}") } else { "*".to_owned() };
            statements.push(json!({"Sid": sid, "Effect": "Allow", "Action": read.action, "Resource": resource}));
        }
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_grants_every_read_once_and_no_change() {
        let policy = policy(false, "PicketScan");
        let actions = policy["Statement"][0]["Action"].as_array().unwrap();
        assert_eq!(actions.len(), READS.len());
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
        assert!(!policy.to_string().contains("AssumeRole"));
    }

    #[test]
    fn an_organization_takes_two_grants_more_and_one_role_by_name() {
        let policy = policy(true, "team/PicketScan");
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 3);
        assert!(policy.to_string().contains("arn:*:iam::*:role/team/PicketScan"));
    }
}
