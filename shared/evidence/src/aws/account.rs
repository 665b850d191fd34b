//! The account itself, its Region, and whom AWS would call.

use aws_sdk_account::Client;
use aws_sdk_account::types::AlternateContactType;
use picket_model::Document;
use serde_json::json;

use crate::aws::tell::{Ask, Service, Tell as _, code, reason};
use crate::collector::Reach;

/// Contacts: presence only, as names and numbers are nobody's business here.
pub static ACCOUNT: Service = Service {
    reach: Reach::Account,
    kinds: &["account.contacts"],
    permissions: &["account:GetAlternateContact", "account:GetContactInformation"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let mut value = json!({"unread": {}});
    match client.get_contact_information().send().await {
        Ok(answer) => {
            let contact = answer.contact_information();
            value["contact_information"] = json!({
                "full_name": contact.is_some_and(|c| !c.full_name().is_empty()),
                "phone_number": contact.is_some_and(|c| !c.phone_number().is_empty()),
                "country_code": contact.map(|c| c.country_code()),
            });
        }
        Err(error) => value["unread"]["contact_information"] = reason("account:GetContactInformation", &error).into(),
    }
    match client.get_alternate_contact().alternate_contact_type(AlternateContactType::Security).send().await {
        Ok(answer) => value["security_contact"] = answer.alternate_contact().is_some().into(),
        Err(error) if code(&error) == Some("ResourceNotFoundException") => value["security_contact"] = false.into(),
        Err(error) => value["unread"]["security_contact"] = reason("account:GetAlternateContact", &error).into(),
    }
    vec![ask.known("account.contacts", ask.place.account.as_str(), "account:GetAlternateContact", value)]
}
