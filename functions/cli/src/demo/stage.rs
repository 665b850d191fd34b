//! How the story is told: chapters, steps with their time, and real `picket` commands with their real output.

use std::future::Future;
use std::process::Command;
use std::time::{Duration, Instant};

use picket_pipeline::ports::Answer;

use crate::failure::Failure;
use crate::session::Session;
use crate::show::{Show, Tone, plain};

/// How long anything in the story may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked while waiting.
const GLANCE: Duration = Duration::from_millis(10);

/// Where the story is told.
#[derive(Debug)]
pub struct Stage<'a> {
    show: Show,
    session: &'a Session,
}

impl<'a> Stage<'a> {
    /// On the session's terminal.
    #[must_use]
    pub fn new(session: &'a Session) -> Self {
        Self { show: session.show, session }
    }

    /// A chapter begins.
    pub fn chapter(&self, title: &str) -> Result<(), Failure> {
        self.say(&format!("\n{}", self.show.tone(Tone::Strong, &format!("── {} ", plain(title)))))
    }

    /// One thought, indented.
    pub fn tell(&self, text: &str) -> Result<(), Failure> {
        self.say(&format!("   {}", plain(text)))
    }

    /// Something that came true.
    pub fn good(&self, text: &str) -> Result<(), Failure> {
        self.say(&format!(" {} {}", self.show.tone(Tone::Good, "✔"), plain(text)))
    }

    /// A message from outside, line by line behind a bar.
    pub fn quote(&self, text: &str) -> Result<(), Failure> {
        for line in text.lines() {
            self.say(&format!("   {} {}", self.show.tone(Tone::Dim, "│"), plain(line)))?;
        }
        Ok(())
    }

    /// Does something and says how long it took.
    pub async fn step<T>(&self, what: &'static str, work: impl Future<Output = Answer<T>>) -> Result<T, Failure> {
        let begun = Instant::now();
        let done = self.show.wait(what, work).await?;
        self.good(&format!("{what} ({} ms)", begun.elapsed().as_millis()))?;
        Ok(done)
    }

    /// Looks until something is true, and says what was awaited if it never is.
    pub async fn until<T, F>(&self, what: &'static str, mut look: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Answer<Option<T>>>,
    {
        let waiting = async {
            let begun = Instant::now();
            loop {
                if let Some(found) = look().await? {
                    return Ok(found);
                }
                if begun.elapsed() > PATIENCE {
                    let hint = "the functions' logs say why: /aws/lambda/<stack>-discover, -assess, -respond, -notify";
                    let seconds = PATIENCE.as_secs();
                    return Err(Failure::refused(format!("{what} did not happen in {seconds} s")).hint(hint));
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        self.show.wait(what, waiting).await
    }

    /// Runs `picket` itself with these arguments, and shows what it shows.
    pub fn command(&self, arguments: &[&str], more: &[&str]) -> Result<(), Failure> {
        let shown: Vec<_> =
            arguments.iter().map(|a| if a.contains(' ') { format!("\"{a}\"") } else { (*a).to_owned() }).collect();
        self.say(&format!("   {}", self.show.tone(Tone::Strong, &format!("$ picket {}", shown.join(" ")))))?;
        let doing = || format!("running `picket {}`", shown.join(" "));
        let program = std::env::current_exe().map_err(|e| Failure::usage(doing()).because(e))?;
        let region = self.session.region.as_deref().map(|r| ["--region", r]);
        let ran = Command::new(program)
            .args(arguments)
            .args(more)
            .args(["--stack", &self.session.stack])
            .args(region.into_iter().flatten())
            .output();
        let output = ran.map_err(|e| Failure::usage(doing()).because(e))?;
        let text = [&output.stdout[..], &output.stderr[..]].map(|o| String::from_utf8_lossy(o).into_owned()).concat();
        for line in text.lines() {
            self.say(&format!("   {}", plain(line)))?;
        }
        if output.status.success() { Ok(()) } else { Err(Failure::refused(format!("{} failed", doing()))) }
    }

    /// A story is for people; machines get the summary at the end.
    fn say(&self, text: &str) -> Result<(), Failure> {
        if self.show.is_json() { Ok(()) } else { self.show.print(text) }
    }
}
