//! What every record of an API call says: where, when and who.

use serde_json::json;

use super::*;

#[test]
fn a_record_is_read_the_same_without_its_envelope() {
    for (event, _) in calls::cases() {
        let (wrapped, bare) = (decode(&event.to_string()), decode(&event["detail"].to_string()));
        let bare = sentence(&bare).replace("`", "`detail.").replace("detail.detail.", "detail.");
        let wrapped = sentence(&wrapped).replace("`", "`detail.").replace("detail.detail.", "detail.");
        assert_eq!(wrapped, bare, "for {event}");
    }
}

#[test]
fn a_trigger_takes_place_and_time_from_the_record_and_falls_back_on_the_envelope() {
    let (event, _) = calls::cases().remove(0);
    let own = trigger(&with(event.clone(), "/region", json!("eu-west-1")));
    assert_eq!(
        (own.scope.to_string(), own.at.to_string()),
        ("123456789012/us-east-1".into(), "2026-01-31T12:00:00Z".into())
    );
    assert_eq!(own.event.as_str(), "00000000-0000-4000-8000-00000000000b");
    let bare = ["recipientAccountId", "awsRegion", "eventTime", "eventID"];
    let event = bare.iter().fold(event, |event, name| without(event, &format!("/detail/{name}")));
    let fallen = trigger(&event);
    assert_eq!((fallen.scope, fallen.at.to_string()), (own.scope, "2026-01-31T12:00:05Z".into()));
    assert_eq!(fallen.event.as_str(), "6f6d5f0e-0000-4000-8000-000000000001");
}

#[test]
fn a_time_from_a_data_lake_is_utc() {
    let (event, _) = calls::cases().remove(0);
    for text in ["2026-01-31 12:00:00", "2026-01-31 12:00:00.000000000", "2026-01-31T13:00:00+01:00"] {
        let at = trigger(&with(event.clone(), "/detail/eventTime", json!(text))).at;
        assert_eq!(at.to_string(), "2026-01-31T12:00:00Z", "{text}");
    }
}

#[test]
fn who_called_is_one_value_for_one_person_or_role() {
    let (event, _) = calls::cases().remove(0);
    let user = "arn:aws:iam::123456789012:user/team/bob";
    let federated = "arn:aws:sts::123456789012:federated-user/bob";
    let session = "arn:aws:sts::123456789012:assumed-role/Deploy/alice";
    let cases = [
        (
            json!({"type": "Root", "arn": "arn:aws:iam::123456789012:root"}),
            "the root user",
            "arn:aws:iam::123456789012:root",
        ),
        (json!({"type": "IAMUser", "arn": user, "userName": "bob"}), "IAM user bob", user),
        (json!({"type": "IAMUser", "arn": user}), "IAM user bob", user),
        (event["detail"]["userIdentity"].clone(), "role Deploy", "arn:aws:iam::123456789012:role/team/Deploy"),
        (
            json!({"type": "AssumedRole", "arn": session}),
            "role Deploy",
            "arn:aws:sts::123456789012:assumed-role/Deploy",
        ),
        (
            json!({"type": "FederatedUser", "arn": federated, "sessionContext": {"sessionIssuer": {"arn": user, "userName": "bob"}}}),
            "role bob",
            user,
        ),
        (
            json!({"type": "WebIdentityUser", "principalId": "accounts.example.com:sub", "userName": "sub"}),
            "role sub",
            "accounts.example.com:sub",
        ),
        (
            json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}),
            "service autoscaling.amazonaws.com",
            "autoscaling.amazonaws.com",
        ),
        (
            json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "210987654321"}),
            "principal AIDAEXAMPLE",
            "AIDAEXAMPLE",
        ),
        (json!({"type": "Novelty"}), "principal ", ""),
    ];
    for (identity, shown, arn) in cases {
        let caller = trigger(&with(event.clone(), "/detail/userIdentity", identity)).principal.unwrap();
        assert_eq!((caller.to_string().as_str(), caller.arn.as_str()), (shown, arn));
    }
    assert_eq!(trigger(&without(event, "/detail/userIdentity")).principal, None);
}

#[test]
fn a_caller_carries_key_address_agent_and_the_service_it_went_through() {
    let (event, _) = calls::cases().remove(0);
    let event = with(event, "/detail/userIdentity/invokedBy", json!("cloudformation.amazonaws.com"));
    let caller = trigger(&event).principal.unwrap();
    let texts = [caller.access_key, caller.source_ip, caller.user_agent, caller.invoked_by].map(Option::unwrap);
    assert_eq!(
        texts.each_ref().map(|t| t.as_str()),
        ["ASIAEXAMPLE", "192.0.2.7", "aws-cli/2.30.0", "cloudformation.amazonaws.com"]
    );
}
