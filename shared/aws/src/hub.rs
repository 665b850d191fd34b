//! Security Hub's import: findings in its format, a hundred a call. What Security Hub refuses is counted and named.

use aws_sdk_securityhub::types as hub;
use picket_pipeline::ports::Answer;
use serde_json::Value;

use crate::Clients;
use crate::error::port_error;

/// How many findings one call takes.
const PER_CALL: usize = 100;

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Findings that were taken.
    pub taken: usize,
    /// Findings that were refused, with why.
    pub refused: Vec<String>,
}

/// Imports findings of the AWS Security Finding Format; the same again updates them.
///
/// # Errors
/// If Security Hub is off, or denies it. Findings that it refuses one by one are in the answer.
pub async fn import(clients: &Clients, findings: &[Value]) -> Answer<Imported> {
    let client = aws_sdk_securityhub::Client::new(clients.config());
    let mut imported = Imported::default();
    for batch in findings.chunks(PER_CALL) {
        let batch: Vec<hub::AwsSecurityFinding> = batch.iter().map(finding).collect();
        let answer = client.batch_import_findings().set_findings(Some(batch)).send().await;
        let answer = answer.map_err(|e| port_error("importing findings into", "Security Hub", &e))?;
        imported.taken += usize::try_from(answer.success_count().unwrap_or_default()).unwrap_or_default();
        let refused = answer.failed_findings().iter();
        imported.refused.extend(refused.map(|f| {
            format!("{}: {}", f.id().unwrap_or_default(), f.error_message().unwrap_or("it does not say why"))
        }));
    }
    Ok(imported)
}

/// The SDK's type of one finding; it reads no JSON itself.
fn finding(value: &Value) -> hub::AwsSecurityFinding {
    let word = |path: &str| word(value, path);
    let advice = hub::Recommendation::builder().set_text(word("/Remediation/Recommendation/Text")).build();
    let workflow = word("/Workflow/Status").map(|s| hub::WorkflowStatus::from(s.as_str()));
    hub::AwsSecurityFinding::builder()
        .set_schema_version(word("/SchemaVersion"))
        .set_id(word("/Id"))
        .set_product_arn(word("/ProductArn"))
        .set_product_name(word("/ProductName"))
        .set_company_name(word("/CompanyName"))
        .set_generator_id(word("/GeneratorId"))
        .set_aws_account_id(word("/AwsAccountId"))
        .set_types(words(value, "/Types"))
        .set_created_at(word("/CreatedAt"))
        .set_first_observed_at(word("/FirstObservedAt"))
        .set_last_observed_at(word("/LastObservedAt"))
        .set_updated_at(word("/UpdatedAt"))
        .severity(severity(value))
        .set_title(word("/Title"))
        .set_description(word("/Description"))
        .remediation(hub::Remediation::builder().recommendation(advice).build())
        .resources(resource(value))
        .compliance(compliance(value))
        .workflow(hub::Workflow::builder().set_status(workflow).build())
        .set_record_state(word("/RecordState").map(|s| hub::RecordState::from(s.as_str())))
        .set_note(note(value))
        .build()
}

fn word(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).and_then(Value::as_str).map(ToOwned::to_owned)
}

fn words(value: &Value, path: &str) -> Option<Vec<String>> {
    let all = value.pointer(path)?.as_array()?;
    Some(all.iter().filter_map(|t| t.as_str().map(ToOwned::to_owned)).collect())
}

fn severity(value: &Value) -> hub::Severity {
    let normalized = value.pointer("/Severity/Normalized").and_then(Value::as_i64);
    hub::Severity::builder()
        .set_label(word(value, "/Severity/Label").map(|l| hub::SeverityLabel::from(l.as_str())))
        .set_normalized(normalized.and_then(|n| n.try_into().ok()))
        .build()
}

fn resource(value: &Value) -> hub::Resource {
    hub::Resource::builder()
        .set_type(word(value, "/Resources/0/Type"))
        .set_id(word(value, "/Resources/0/Id"))
        .set_partition(word(value, "/Resources/0/Partition").map(|p| hub::Partition::from(p.as_str())))
        .set_region(word(value, "/Resources/0/Region"))
        .build()
}

fn compliance(value: &Value) -> hub::Compliance {
    hub::Compliance::builder()
        .set_status(word(value, "/Compliance/Status").map(|s| hub::ComplianceStatus::from(s.as_str())))
        .set_related_requirements(words(value, "/Compliance/RelatedRequirements"))
        .build()
}

fn note(value: &Value) -> Option<hub::Note> {
    let note = hub::Note::builder().text(word(value, "/Note/Text")?).set_updated_by(word(value, "/Note/UpdatedBy"));
    Some(note.set_updated_at(word(value, "/Note/UpdatedAt")).build())
}
