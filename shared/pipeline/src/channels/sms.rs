//! A text message: what happened to what, how it was verified, and the command that lifts it, in one part. No foreign
//! words. A part holds 160 characters of GSM 03.38, of which SNS spends some on the topic's display name.

use picket_model::{Notice, NoticeKind, Verification};

use crate::render::Story;

/// How long a message may be, so that with `Picket> ` before it, it is one part.
const LONGEST: usize = 140;

pub(super) fn write(story: &Story, notice: &Notice) -> Option<String> {
    // What is told first is kept; what does not fit any more is left out whole, and never cut in its middle.
    let mut text = plain(&story.subject);
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    for more in [verified(notice), next(story, notice)].into_iter().flatten() {
        let more = format!(". {}", plain(&more));
        if text.len() + more.len() <= LONGEST {
            text.push_str(&more);
        }
    }
    Some(text)
}

fn verified(notice: &Notice) -> Option<String> {
    let NoticeKind::Quarantined { interfaces, .. } = &notice.kind else { return None };
    let count = |word: &str| interfaces.iter().filter(|i| i.verification.word() == word).count();
    let words = [Verification::Cut, Verification::Pending(String::new()), Verification::Leaking(String::new())];
    let words = words.iter().map(|v| (count(v.word()), v.word())).filter(|(n, _)| *n > 0);
    Some(words.map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", "))
}

/// The command without its reason and stack, which the terminal asks for.
fn next(story: &Story, notice: &Notice) -> Option<String> {
    match &notice.kind {
        NoticeKind::Quarantined { .. } => Some(format!("picket release {}", notice.decision.case)),
        NoticeKind::Fix(fix) => Some(format!("picket journal {}", fix.id)),
        _ => story.commands().next().and_then(|(_, c)| c.split(" --").next()).map(ToOwned::to_owned),
    }
}

/// Characters that take one septet each: of ASCII, those that the default alphabet of GSM 03.38 holds.
fn plain(text: &str) -> String {
    let one = |c: &char| (' '..='~').contains(c) && !"`[]{}\\^~|".contains(*c);
    text.chars().filter(one).collect()
}
