//! Policies as sentences.

use serde_json::json;

use super::*;

fn policy(statement: serde_json::Value) -> Policy {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}).to_string())
}

#[test]
fn patterns_are_those_of_iam() {
    for (pattern, text, fits) in [
        ("*", "s3:getobject", true),
        ("s3:get*", "s3:getobject", true),
        ("s3:g?tobject", "s3:getobject", true),
        ("s3:*acl", "s3:putobject", false),
        ("*:*", "iam:passrole", true),
        ("iam:pass", "iam:passrole", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn anybody_is_found_in_each_way_to_write_it() {
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["*"]})] {
        let p = policy(json!([{"Effect": "Allow", "Principal": principal, "Action": "sns:Publish", "Resource": "*"}]));
        assert!(p.lets_anybody("sns:Publish"), "{principal}");
        assert!(!p.lets_anybody("sns:Subscribe"));
    }
    let all_but_one = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:*", "Resource": "*"});
    assert!(policy(all_but_one).lets_anybody("s3:GetObject"));
}

#[test]
fn a_condition_limits_anybody_only_when_it_ties_them_to_somebody() {
    let with = |condition: serde_json::Value| {
        policy(
            json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}),
        )
    };
    for tied in [
        json!({"StringEquals": {"AWS:SourceAccount": "111122223333"}}),
        json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}}),
    ] {
        assert!(!with(tied.clone()).lets_anybody("s3:GetObject"), "{tied}");
    }
    for loose in [
        json!({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringNotEquals": {"aws:SourceAccount": "111122223333"}}),
        json!({"StringLike": {"aws:PrincipalArn": "*"}}),
        json!({"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}),
    ] {
        assert!(with(loose.clone()).lets_anybody("s3:GetObject"), "{loose}");
    }
}

#[test]
fn administrators_are_found_by_what_is_allowed_and_not_by_name() {
    let allow = |action: serde_json::Value| policy(json!({"Effect": "Allow", "Action": action, "Resource": "*"}));
    assert!(allow(json!("*")).is_administrator());
    assert!(allow(json!(["ec2:*", "*:*"])).is_administrator());
    assert!(!allow(json!("ec2:*")).is_administrator());
    let narrow = json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::one"});
    assert!(!policy(narrow).is_administrator());
}

#[test]
fn what_is_denied_everywhere_is_not_allowed() {
    let p = policy(json!([
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"},
    ]));
    assert_eq!(p.allowed(&["iam:PassRole", "ec2:RunInstances", "ecr:PutImage"]), ["ecr:PutImage"]);
}

#[test]
fn plain_http_is_denied_only_to_everybody_and_for_everything() {
    let deny = |principal: &str, action: &str| {
        policy(json!({"Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}))
    };
    assert!(deny("*", "s3:*").denies_plain_http());
    assert!(!deny("*", "s3:PutObject").denies_plain_http());
    assert!(!deny("arn:aws:iam::111122223333:root", "s3:*").denies_plain_http());
}

#[test]
fn iam_hands_policies_out_percent_encoded() {
    let p = Policy::parse(
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D",
    );
    assert!(p.is_administrator());
    assert!(Policy::parse("no policy").malformed);
}

#[test]
fn other_accounts_are_named() {
    let p = policy(
        json!({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "444455556666"]}, "Action": "*", "Resource": "*"}),
    );
    assert_eq!(p.foreign_accounts("111122223333"), ["444455556666"]);
}
