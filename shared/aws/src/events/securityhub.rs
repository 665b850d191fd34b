//! Security Hub: findings that it imports, and findings that a person sends to a custom action.
//! Which findings are worth acting on is for the checks to say.

use picket_model::{Decoded, Drop, Scope, Signal, Trigger, TriggerKind, Untrusted};

use super::fields::Fields;
use super::guardduty::says_sample;
use super::malformed::Malformed;
use super::message::{Message, found};
use super::place::{Arn, Place, fit_together, last_name, most_telling, subject};

/// `Security Hub Findings - Imported`. AWS sends one finding in each.
pub(super) fn imported(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let all = findings(message)?;
    let real: Vec<_> = all.iter().filter(|f| !is_sample(f)).collect();
    if real.is_empty() {
        return Ok(Decoded::Drop(Drop::SampleFinding));
    }
    let open: Vec<_> = real.into_iter().filter(|f| !is_archived(f)).collect();
    if open.is_empty() {
        return Ok(Decoded::Drop(Drop::ArchivedFinding));
    }
    let signals = open.iter().map(|f| Ok((severity_tenths(f)?, *f))).collect::<Result<Vec<_>, Malformed>>()?;
    let Some((severity_tenths, worst)) = signals.into_iter().max_by_key(|(severity, _)| *severity) else {
        return Ok(Decoded::Drop(Drop::NoAssetInFinding));
    };
    let Some(mut trigger) = trigger(message, kind, &open)? else {
        return Ok(Decoded::Drop(Drop::NoAssetInFinding));
    };
    trigger.at = if worst.has("UpdatedAt") { worst.need_time("UpdatedAt")? } else { trigger.at };
    trigger.event = worst.untrusted("Id").unwrap_or(trigger.event);
    trigger.signal = Some(Signal::Finding { finding: type_of(worst)?, severity_tenths });
    found(trigger)
}

/// `Security Hub Findings - Custom Action`. A person chose these findings, archived ones too; samples are still no
/// reason to touch anything.
pub(super) fn action(message: &Message<'_>, kind: TriggerKind) -> Result<Decoded, Malformed> {
    let action = Untrusted::new(message.detail.need_text("actionName", "the name of the custom action")?);
    let all = findings(message)?;
    let real: Vec<_> = all.iter().filter(|f| !is_sample(f)).collect();
    if real.is_empty() {
        return Ok(Decoded::Drop(Drop::SampleFinding));
    }
    match trigger(message, kind, &real)? {
        Some(trigger) => found(Trigger { signal: Some(Signal::Requested { action }), ..trigger }),
        None => Ok(Decoded::Drop(Drop::NoAssetInFinding)),
    }
}

fn findings<'a>(message: &Message<'a>) -> Result<Vec<Fields<'a>>, Malformed> {
    let all = message.detail.list("findings");
    if all.is_empty() { Err(message.detail.missing("findings", "a list of findings")) } else { Ok(all) }
}

/// The trigger of all that the findings name; none if they name nothing that we watch.
fn trigger(message: &Message<'_>, kind: TriggerKind, findings: &[&Fields<'_>]) -> Result<Option<Trigger>, Malformed> {
    let mut places = Vec::new();
    for finding in findings {
        places.extend(places_of(message, finding)?);
    }
    if !fit_together(&places) {
        let why = "its findings name assets of several accounts or Regions, or of several kinds; send them one by one";
        return Err(Malformed::contradiction(message.detail.event(), why));
    }
    let Some(scope) = places.first().map(|(scope, _)| scope.clone()) else { return Ok(None) };
    let Some(subject) = subject(places.into_iter().map(|(_, place)| place).collect()) else { return Ok(None) };
    Ok(Some(Trigger { scope, ..message.trigger(kind, subject)? }))
}

/// What one finding names, each with its scope: an aggregating Region receives the findings of others.
fn places_of(message: &Message<'_>, finding: &Fields<'_>) -> Result<Vec<(Scope, Place)>, Malformed> {
    let mut scopes = Vec::new();
    let mut places = Vec::new();
    for resource in finding.list("Resources") {
        let Some(id) = resource.text("Id") else { continue };
        let place = match resource.text("Type") {
            Some("AwsEc2Instance") => match last_name(id).parse() {
                Ok(instance) => Place::Instance(instance),
                Err(_) => Place::Instance(resource.need_id("Id")?),
            },
            Some("AwsEksCluster") => Place::Cluster(Untrusted::new(last_name(id))),
            _ => continue,
        };
        scopes.push((place.clone(), scope_of(message, finding, &resource, id)?));
        places.push(place);
    }
    let scope = |place: &Place| scopes.iter().find(|(p, _)| p == place).map(|(_, scope)| scope.clone());
    Ok(most_telling(places).into_iter().filter_map(|place| Some((scope(&place)?, place))).collect())
}

fn scope_of(message: &Message<'_>, finding: &Fields<'_>, resource: &Fields<'_>, id: &str) -> Result<Scope, Malformed> {
    let arn = Arn::parse(id);
    let of_arn =
        arn.and_then(|arn| Some(Scope { account: arn.account.parse().ok()?, region: arn.region.parse().ok()? }));
    if let Some(scope) = of_arn {
        return Ok(scope);
    }
    let region = [resource, finding].into_iter().find(|part| part.has("Region"));
    let region = region.map_or_else(|| message.envelope.need_id("region"), |part| part.need_id("Region"))?;
    Ok(Scope { account: finding.need_id("AwsAccountId")?, region })
}

/// Security Hub flattens GuardDuty's fields, under a prefix since 2020.
fn product_field<'a>(finding: &Fields<'a>, name: &str) -> Option<&'a str> {
    let fields = finding.within("ProductFields");
    fields.text(&format!("aws/guardduty/service/{name}")).or_else(|| fields.text(name))
}

fn is_sample(finding: &Fields<'_>) -> bool {
    finding.flag("Sample") == Some(true)
        || product_field(finding, "additionalInfo/sample") == Some("true")
        || ["additionalInfo/value", "additionalInfo"]
            .iter()
            .any(|name| product_field(finding, name).is_some_and(says_sample))
}

fn is_archived(finding: &Fields<'_>) -> bool {
    finding.text("RecordState") == Some("ARCHIVED") || product_field(finding, "archived") == Some("true")
}

/// Severity from 0 to 100, which is tenths of GuardDuty's; newer findings may have the label only.
fn severity_tenths(finding: &Fields<'_>) -> Result<u16, Malformed> {
    const EXPECTED: &str = "a severity from 0 to 100";
    if finding.has("Severity.Normalized") {
        let normalized = finding.whole("Severity.Normalized").and_then(|n| u16::try_from(n).ok());
        return normalized.filter(|n| *n <= 100).ok_or_else(|| finding.wrong("Severity.Normalized", EXPECTED));
    }
    match finding.text("Severity.Label") {
        Some("INFORMATIONAL") => Ok(0),
        Some("LOW") => Ok(1),
        Some("MEDIUM") => Ok(40),
        Some("HIGH") => Ok(70),
        Some("CRITICAL") => Ok(90),
        _ => Err(finding.missing("Severity.Normalized", EXPECTED)),
    }
}

/// GuardDuty's type is restored from `TTPs/Command and Control/CryptoCurrency:EC2-BitcoinTool.B!DNS`, so that it means
/// the same on both paths.
fn type_of(finding: &Fields<'_>) -> Result<Untrusted, Malformed> {
    let title = || finding.need_text("Title", "the title of the finding");
    let types = finding.list("Types");
    let Some(text) = types.iter().find_map(Fields::as_text) else { return Ok(Untrusted::new(title()?)) };
    let of_guardduty = finding.text("ProductArn").is_some_and(|arn| arn.ends_with(":product/aws/guardduty"))
        || [finding.text("ProductName"), finding.within("ProductFields").text("aws/securityhub/ProductName")]
            .contains(&Some("GuardDuty"));
    let last = text.rsplit('/').next().unwrap_or(text);
    match last.split_once(':') {
        Some((purpose, rest)) if of_guardduty => {
            Ok(Untrusted::new(&format!("{purpose}:{}", rest.replacen('-', "/", 1))))
        }
        _ => Ok(Untrusted::new(text)),
    }
}
