//! Reasons that many rows share: each is written once, below the table, and the rows refer to it by its number.

use super::page::Page;
use super::paint::Tone;

/// Reasons that at least two rows give, in the order of their first row.
#[derive(Debug, Default)]
pub struct Reasons(Vec<(String, usize)>);

impl Reasons {
    /// Those that `all` hold more than once. A reason may begin with what it is about: `thing/id: reason`.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counted: Vec<(String, usize)> = Vec::new();
        for why in all.into_iter().filter(|why| !why.is_empty()) {
            let (_, reason) = parted(why);
            match counted.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += 1,
                None => counted.push((reason.to_owned(), 1)),
            }
        }
        counted.retain(|(_, count)| *count > 1);
        Self(counted)
    }

    /// The reason, or what it is about and the number below which it stands.
    pub fn short(&self, why: &str) -> String {
        let (about, reason) = parted(why);
        match self.0.iter().position(|(known, _)| known == reason) {
            Some(n) if about.is_empty() => format!("[{}]", n + 1),
            Some(n) => format!("{about} [{}]", n + 1),
            None => why.to_owned(),
        }
    }

    /// The list of numbers.
    pub fn legend(&self, page: &mut Page, rows: &str) {
        if !self.0.is_empty() {
            page.gap();
        }
        for (n, (reason, count)) in self.0.iter().enumerate() {
            page.line(Tone::Warn, format!("[{}] {count} {rows}: {reason}", n + 1));
        }
    }
}

/// What a reason is about, and the reason: assets are `kind/id`, without spaces.
fn parted(why: &str) -> (&str, &str) {
    match why.split_once(": ") {
        Some((about, reason)) if about.contains('/') && !about.contains(' ') => (about, reason),
        _ => ("", why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::Paint;

    #[test]
    fn what_two_rows_give_as_their_reason_is_written_once() {
        let rows = ["node/i-1: denied: ec2", "node/i-2: denied: ec2", "node/i-1: too slow", ""];
        let reasons = Reasons::of(rows);
        assert_eq!(rows.map(|r| reasons.short(r)), ["node/i-1 [1]", "node/i-2 [1]", "node/i-1: too slow", ""]);
        let mut page = Page::new(Paint::default());
        reasons.legend(&mut page, "controls");
        assert_eq!(page.done(), "[1] 2 controls: denied: ec2\n");
    }
}
