//! One event on its way through: its envelope and what is inside, and what every trigger takes from them.

use jiff::Timestamp;
use picket_model::{AccountId, Decoded, Hint, Region, Scope, Subject, Trigger, TriggerKind, Untrusted};
use serde_json::Value;

use super::fields::Fields;
use super::malformed::Malformed;

static NOTHING: Value = Value::Null;

/// An event. A bare record has an empty envelope.
pub(super) struct Message<'a> {
    /// EventBridge's part.
    pub envelope: Fields<'a>,
    /// The sender's part.
    pub detail: Fields<'a>,
}

impl<'a> Message<'a> {
    /// What EventBridge delivered; `title` names the kind of event in errors.
    pub(super) fn new(title: &'a str, envelope: &'a Value, detail: &'a Value) -> Self {
        Self { envelope: Fields::new(title, "", envelope), detail: Fields::new(title, "detail", detail) }
    }

    /// A record without an envelope, as in a CloudTrail log file.
    pub(super) fn bare(title: &'a str, record: &'a Value) -> Self {
        Self { envelope: Fields::new(title, "", &NOTHING), detail: Fields::new(title, "", record) }
    }

    /// Where, by the paths inside `detail`, or else by the envelope.
    pub(super) fn scope(&self, account: &str, region: &str) -> Result<Scope, Malformed> {
        let account: AccountId = self.own_or(account, "account", Fields::need_id)?;
        let region: Region = self.own_or(region, "region", Fields::need_id)?;
        Ok(Scope { account, region })
    }

    /// Where, by the envelope alone.
    pub(super) fn delivered_to(&self) -> Result<Scope, Malformed> {
        Ok(Scope { account: self.envelope.need_id("account")?, region: self.envelope.need_id("region")? })
    }

    /// When, by the path inside `detail`, or else by the envelope.
    pub(super) fn time(&self, own: &str) -> Result<Timestamp, Malformed> {
        self.own_or(own, "time", Fields::need_time)
    }

    /// A trigger of the envelope's place, time and id.
    pub(super) fn trigger(&self, kind: TriggerKind, subject: Subject) -> Result<Trigger, Malformed> {
        Ok(Trigger {
            kind,
            scope: self.delivered_to()?,
            at: self.envelope.need_time("time")?,
            event: self.envelope.untrusted("id").unwrap_or_default(),
            subject,
            principal: None,
            signal: None,
            hint: Hint::default(),
        })
    }

    /// The sender's id of the event, or else EventBridge's.
    pub(super) fn id(&self, own: &str) -> Untrusted {
        self.detail.untrusted(own).or_else(|| self.envelope.untrusted("id")).unwrap_or_default()
    }

    fn own_or<T>(
        &self,
        own: &str,
        delivered: &str,
        read: impl Fn(&Fields<'a>, &str) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if !self.detail.has(own) && self.envelope.has(delivered) {
            return read(&self.envelope, delivered);
        }
        read(&self.detail, own)
    }
}

/// The end of most readers.
pub(super) fn found(trigger: Trigger) -> Result<Decoded, Malformed> {
    Ok(Decoded::Trigger(Box::new(trigger)))
}
