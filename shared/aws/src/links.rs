//! Links that show a plan to whoever is asked: signed with a secret of the deployment, good for one question and until a
//! time. Opening one changes nothing; who answers proves himself to IAM.

use aws_sdk_secretsmanager::Client;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use picket_model::CaseId;
use picket_pipeline::ports::{Answer, Kind, Links, PortError};
use sha2::Sha256;

use crate::error::port_error;
use crate::{Clients, Environment};

type Signature = Hmac<Sha256>;

/// Makes and reads links.
pub struct SignedLinks {
    secret: Vec<u8>,
    /// Where they lead; none where nothing serves them.
    url: Option<String>,
}

impl std::fmt::Debug for SignedLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedLinks").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a link names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The fix.
    pub id: CaseId,
    /// The question.
    pub question: String,
}

/// A link that is not to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not ours, or was changed.
    #[error("this link is not one of ours, or was cut short; open the one of the alert")]
    Forged,
    /// Its time is over.
    #[error("this link is too old; `picket fix list` shows what is asked now")]
    Expired,
}

impl SignedLinks {
    /// With this secret.
    #[must_use]
    pub fn new(secret: &[u8], url: Option<&str>) -> Self {
        Self { secret: secret.to_vec(), url: url.map(|u| u.trim_end_matches('/').to_owned()) }
    }

    /// With the deployment's secret and the function that shows plans, which the environment names. Without one, there are
    /// no links, and people answer with `picket approve`.
    ///
    /// # Errors
    /// If the secret cannot be read.
    pub async fn load(clients: &Clients, environment: &Environment) -> Answer<Option<Self>> {
        let Some(arn) = environment.get("PICKET_LINKS_SECRET_ARN") else { return Ok(None) };
        let doing = "reading the secret of links";
        let answer = Client::new(clients.config()).get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|e| port_error(doing, arn, &e))?;
        let secret = answer.secret_string().unwrap_or_default();
        if secret.len() < 32 {
            return Err(PortError::new(doing, arn, Kind::Other, "it is shorter than 32 characters"));
        }
        let url = match environment.get("PICKET_LINKS_FUNCTION") {
            Some(function) => Some(address_of(clients, function).await?),
            None => None,
        };
        Ok(Some(Self::new(secret.as_bytes(), url.as_deref())))
    }

    /// What a link's query names, if it is ours and not too old.
    ///
    /// # Errors
    /// If it is not.
    pub fn read(&self, query: impl Fn(&str) -> Option<String>, now: Timestamp) -> Result<Linked, LinkError> {
        let part = |name: &str| query(name).ok_or(LinkError::Forged);
        let (id, question, until, signature) = (part("fix")?, part("question")?, part("until")?, part("signature")?);
        let given = unhex(&signature).ok_or(LinkError::Forged)?;
        // Compared in constant time.
        self.mac(&id, &question, &until).verify_slice(&given).map_err(|_| LinkError::Forged)?;
        let until = until.parse().ok().and_then(|s| Timestamp::from_second(s).ok()).ok_or(LinkError::Forged)?;
        if until <= now {
            return Err(LinkError::Expired);
        }
        Ok(Linked { id: id.parse().map_err(|_| LinkError::Forged)?, question })
    }

    fn mac(&self, id: &str, question: &str, until: &str) -> Signature {
        // Any length of key will do for HMAC, so that this cannot fail.
        let mut mac = Signature::new_from_slice(&self.secret).unwrap_or_else(|_| Signature::new(&Default::default()));
        mac.update(format!("{id}\n{question}\n{until}").as_bytes());
        mac
    }
}

impl Links for SignedLinks {
    fn link(&self, id: &CaseId, question: &str, until: Timestamp) -> Option<String> {
        let url = self.url.as_ref()?;
        let until = until.as_second().to_string();
        let signature = hex(&self.mac(id.as_str(), question, &until).finalize().into_bytes());
        Some(format!("{url}/?fix={id}&question={question}&until={until}&signature={signature}"))
    }
}

/// Where there is no secret, there are no links.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLinks;

impl Links for NoLinks {
    fn link(&self, _: &CaseId, _: &str, _: Timestamp) -> Option<String> {
        None
    }
}

/// Where a function of ours is reached. It is asked for, because CloudFormation would go in a circle.
async fn address_of(clients: &Clients, function: &str) -> Answer<String> {
    let call = aws_sdk_lambda::Client::new(clients.config()).get_function_url_config().function_name(function);
    let answer = call.send().await.map_err(|e| port_error("finding the address of", function, &e))?;
    Ok(answer.function_url().to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> SignedLinks {
        SignedLinks::new(b"0123456789abcdef0123456789abcdef", Some("https://x.example/"))
    }

    fn id() -> CaseId {
        "case-0123456789ab".parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn query(link: &str) -> impl Fn(&str) -> Option<String> {
        let parts: Vec<(String, String)> = link
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .filter_map(|p| p.split_once('='))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect();
        move |name| parts.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    }

    #[test]
    fn a_link_is_good_until_its_time_and_for_what_it_names() {
        let link = links().link(&id(), "q1", at(1000)).unwrap();
        assert_eq!(links().read(query(&link), at(999)), Ok(Linked { id: id(), question: "q1".to_owned() }));
        assert_eq!(links().read(query(&link), at(1000)), Err(LinkError::Expired));
    }

    #[test]
    fn whatever_is_changed_about_a_link_makes_it_worthless() {
        let link = links().link(&id(), "q1", at(1000)).unwrap();
        for (from, to) in
            [("q1", "q2"), ("until=1000", "until=9999"), ("case-0", "case-1"), ("signature=", "signature=0")]
        {
            let forged = link.replacen(from, to, 1);
            assert_eq!(links().read(query(&forged), at(1)), Err(LinkError::Forged), "{forged}");
        }
        let other = SignedLinks::new(b"another secret of another stack!!", None);
        assert_eq!(other.read(query(&link), at(1)), Err(LinkError::Forged));
        assert_eq!(links().read(|_| None, at(1)), Err(LinkError::Forged));
        assert_eq!(other.link(&id(), "q1", at(1)), None);
    }
}
