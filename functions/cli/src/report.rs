//! `picket report`: the live report, opened, saved or linked. The function `report` writes it and signs the link; IAM's
//! permission to invoke it is the authorisation.

use std::path::PathBuf;

use jiff::Timestamp;
use picket_aws::reports;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Page, Paint, Reply, Text, Tone, age};

/// What `picket report` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  picket report --open                        in the browser
  picket report --save report.html            as a file: one page that loads nothing
  picket report --of organization --open      all accounts on one page
  picket report --fresh --minutes 60          written anew first; a link that lasts an hour")]
pub struct Args {
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
    /// Save the page to a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Whose: an account, or `organization`; the deployment's account if left out
    #[arg(long, value_name = "ACCOUNT")]
    pub of: Option<String>,
    /// How long the link lasts, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=720))]
    pub minutes: u64,
    /// Have it written anew first
    #[arg(long)]
    pub fresh: bool,
}

/// What the function answers.
#[derive(Debug, Serialize, Deserialize)]
struct Link {
    of: String,
    url: String,
    written: Option<Timestamp>,
    minutes: u64,
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    link: Link,
    at: Timestamp,
    saved: Option<PathBuf>,
    opened: bool,
    next: Option<String>,
}

/// Opens, saves or links the report.
///
/// # Errors
/// If the function cannot be invoked, nothing was written yet, or the page cannot be saved or opened.
pub async fn run(args: Args, session: &Session) -> Result<Exit, Failure> {
    let (aws, _) = session.known().await?;
    let order = json!({ "link": { "of": args.of, "minutes": args.minutes, "fresh": args.fresh } });
    let functions = aws.functions();
    let link: Link = session.show.wait("asking for the report", functions.invoke("report", &order)).await?;
    if let Some(file) = &args.save {
        let page = session.show.wait("reading the report", reports::fetch(&aws.clients, &link.url)).await?;
        std::fs::write(file, page).map_err(|e| Failure::refused(format!("writing {}", file.display())).because(e))?;
    }
    if args.open {
        opener::open(&link.url).map_err(|e| {
            Failure::refused("opening a browser").because(e).hint("leave out `--open` and open the link yourself")
        })?;
    }
    let next = (!args.open && args.save.is_none()).then(|| session.command("report --open"));
    session.show.answer(&Answer { link, at: Timestamp::now(), saved: args.save, opened: args.open, next })?;
    Ok(Exit::Done)
}

impl Reply for Answer {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        let whose = match self.link.of.as_str() {
            "organization" => "the organization".to_owned(),
            account => format!("account {account}"),
        };
        page.line(Tone::Strong, format!("live report of {whose}")).gap();
        if let Some(written) = self.link.written {
            page.field("written", format!("{written} ({} ago)", age(self.at.duration_since(written))));
        }
        if let Some(file) = &self.saved {
            page.field("saved", file.display().to_string());
        }
        match self.opened {
            true => page.field("opened", "in the browser"),
            false if self.saved.is_some() => &mut page,
            false => page.field("link", self.link.url.clone()),
        };
        let lasts = format!("{} min; whoever has the link can read the report meanwhile", self.link.minutes);
        page.field("lasts", Text::toned(Tone::Dim, lasts)).next(self.next.as_deref()).done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_whose_report_it_is_how_old_and_for_how_long_the_link_lasts() {
        let answer = Answer {
            link: Link {
                of: "123456789012".to_owned(),
                url: "https://bucket/page".to_owned(),
                written: "2026-11-26T10:00:00Z".parse().ok(),
                minutes: 15,
            },
            at: "2026-11-26T10:02:00Z".parse().unwrap(),
            saved: None,
            opened: false,
            next: Some("picket report --open".to_owned()),
        };
        let text = answer.text(Paint::default());
        for part in
            ["live report of account 123456789012", "2 min ago", "https://bucket/page", "15 min", "next: picket"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
