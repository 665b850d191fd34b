//! Channels that are posted to by HTTPS, one file each: where, with what of its secret, and what an answer means. Secrets
//! are in Secrets Manager and are read at the first notice; they stand in no log and in no error.

mod pagerduty;
mod post;
mod slack;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::Notice;
use picket_pipeline::ports::{Answer, Claim, Kind, Pager, PortError};
use picket_pipeline::render::Page;
use tokio::sync::OnceCell;

use crate::error::port_error;
use crate::{Clients, Environment, Table};

/// A kind of webhook.
struct Service {
    /// The channel whose form it is sent, and under which the outbox remembers it.
    channel: &'static str,
    /// The variable that holds the ARN of its secret; without it, the channel is off.
    variable: &'static str,
    /// What to post, of the secret and the form.
    post: fn(secret: &str, form: &str) -> Result<Post, String>,
}

/// Every one, by channel.
const SERVICES: &[Service] = &[
    Service { channel: "pagerduty", variable: "PICKET_PAGERDUTY_SECRET_ARN", post: pagerduty::post },
    Service { channel: "slack", variable: "PICKET_SLACK_SECRET_ARN", post: slack::post },
];

/// What is posted, and where to.
#[derive(PartialEq, Eq)]
struct Post {
    url: String,
    body: String,
}

/// A webhook that is set up.
pub struct Webhook<'a> {
    service: &'static Service,
    arn: String,
    secrets: aws_sdk_secretsmanager::Client,
    secret: OnceCell<String>,
    poster: post::Poster,
    table: &'a Table,
}

impl std::fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("channel", &self.service.channel).finish_non_exhaustive()
    }
}

/// The webhooks whose secrets the environment names.
#[must_use]
pub fn of<'a>(clients: &Clients, environment: &Environment, table: &'a Table) -> Vec<Webhook<'a>> {
    let one = |service: &'static Service| {
        let arn = environment.get(service.variable)?.to_owned();
        let secrets = aws_sdk_secretsmanager::Client::new(clients.config());
        Some(Webhook { service, arn, secrets, secret: OnceCell::new(), poster: post::Poster::new(clients), table })
    };
    SERVICES.iter().filter_map(one).collect()
}

impl Webhook<'_> {
    async fn secret(&self) -> Answer<&str> {
        let read = || async {
            let answer = self.secrets.get_secret_value().secret_id(&self.arn).send().await;
            let answer = answer.map_err(|e| port_error("reading the secret of", self.service.channel, &e))?;
            Ok(answer.secret_string().unwrap_or_default().trim().to_owned())
        };
        self.secret.get_or_try_init(read).await.map(String::as_str)
    }
}

#[async_trait]
impl Pager for Webhook<'_> {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        self.table.claim_notice(notice, self.service.channel, now, until).await
    }

    async fn publish(&self, page: &Page) -> Answer<()> {
        let Some(form) = page.form(self.service.channel) else { return Ok(()) };
        let wrong = |why: String| PortError::new("telling", self.service.channel, Kind::Other, &why);
        let post = (self.service.post)(self.secret().await?, form).map_err(wrong)?;
        self.poster.post(self.service.channel, &post).await
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        self.table.keep_told(notice, self.service.channel).await
    }

    async fn give_back(&self, notice: &Notice) -> Answer<()> {
        self.table.give_back(notice, self.service.channel).await
    }
}
