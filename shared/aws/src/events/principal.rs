//! Who made a call: `userIdentity` of a CloudTrail record as `picket_model::Principal`.

use picket_model::{Principal, PrincipalKind, Untrusted};

use super::fields::Fields;
use super::malformed::Malformed;

/// The caller; none if the record names none. It decides whether a failed launch counts, so it must be readable.
pub(super) fn principal(record: &Fields<'_>) -> Result<Option<Principal>, Malformed> {
    if record.get("userIdentity").is_none() {
        return Ok(None);
    }
    record.need_object("userIdentity")?;
    let identity = record.within("userIdentity");
    let kind = match identity.text("type") {
        Some("Root") => PrincipalKind::Root,
        Some("IAMUser") => PrincipalKind::User,
        Some("AssumedRole" | "FederatedUser" | "Role" | "SAMLUser" | "WebIdentityUser") => PrincipalKind::Role,
        Some("AWSService") => PrincipalKind::Service,
        _ => PrincipalKind::Other,
    };
    let (arn, name) = who(kind, &identity);
    Ok(Some(Principal {
        kind,
        arn: Untrusted::new(arn),
        name: Untrusted::new(name),
        access_key: identity.untrusted("accessKeyId"),
        invoked_by: identity.untrusted("invokedBy"),
        source_ip: record.untrusted("sourceIPAddress"),
        user_agent: record.untrusted("userAgent"),
    }))
}

/// The ARN without its session name, and a name for people.
fn who<'a>(kind: PrincipalKind, identity: &Fields<'a>) -> (&'a str, &'a str) {
    let text = |path| identity.text(path);
    let own = text("arn").or_else(|| text("principalId")).or_else(|| text("accountId")).unwrap_or_default();
    match kind {
        PrincipalKind::Service => {
            let by = text("invokedBy").unwrap_or(own);
            (by, by)
        }
        PrincipalKind::Root => (own, "root"),
        PrincipalKind::User => (own, text("userName").unwrap_or_else(|| last_part(own))),
        PrincipalKind::Role => {
            let arn = text("sessionContext.sessionIssuer.arn").unwrap_or_else(|| without_session(own));
            let named = text("sessionContext.sessionIssuer.userName").or_else(|| text("userName"));
            (arn, named.unwrap_or_else(|| last_part(arn)))
        }
        PrincipalKind::Other => (own, text("userName").unwrap_or_else(|| last_part(own))),
    }
}

/// `…:assumed-role/Deploy/session` without `/session`; the session name is the caller's to choose.
fn without_session(arn: &str) -> &str {
    match arn.rsplit_once('/') {
        Some((role, _)) if role.contains(":assumed-role/") => role,
        _ => arn,
    }
}

fn last_part(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}
