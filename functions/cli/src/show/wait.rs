//! Progress on a terminal for what takes long: a spinner with its seconds, gone when the answer is there.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use indicatif::{ProgressBar, ProgressStyle};

use super::Show;

/// How long nothing is said; most answers are there before.
const QUIET: Duration = Duration::from_millis(700);

impl Show {
    /// Waits for `work`, and says what it is when it takes long.
    pub async fn wait<T>(&self, what: &'static str, work: impl Future<Output = T>) -> T {
        let work = pin!(work);
        match select(work, pin!(tokio::time::sleep(QUIET))).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => {
                let spinner = spinner(what);
                let done = work.await;
                spinner.finish_and_clear();
                done
            }
        }
    }
}

/// A bar for work in so many parts, on standard error and only if that is a terminal.
#[must_use]
pub fn bar(parts: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(parts).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:28} {pos}/{len} {msg} ({elapsed})") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// It draws on standard error, and only if that is a terminal.
fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
