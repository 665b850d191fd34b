//! How a notice about a fix reads: what became of it, what was or would be changed, why, and the command or link next.

use picket_model::Notice;
use picket_model::notice::{Became, FixNotice};

use super::{Is, Story, stack};

/// What became of it, in the words that a notice begins with.
pub(super) fn word(became: Became) -> &'static str {
    match became {
        Became::Proposed => "APPROVE A FIX",
        Became::WouldFix => "WOULD FIX",
        Became::Fixed => "FIXED",
        Became::Failed => "NOT FIXED",
        Became::Refused => "FIX REFUSED",
        Became::Denied => "FIX NOT APPROVED",
        Became::Undone => "PUT BACK",
    }
}

/// What topics filter by.
pub(super) fn severity(became: Became) -> &'static str {
    match became {
        Became::Failed => "high",
        Became::Proposed | Became::Refused => "medium",
        Became::WouldFix | Became::Fixed | Became::Denied | Became::Undone => "low",
    }
}

/// Tells it.
pub(super) fn tell(story: &mut Story, notice: &Notice, fix: &FixNotice) {
    story.line("Fix", fix.id.as_str());
    story.line("Because", &fix.says);
    story.line("By", &fix.by.to_string());
    let label = match fix.became {
        Became::Fixed => "Done",
        Became::Undone => "Put back",
        _ => "Would do",
    };
    story.listed(label, fix.steps.clone());
    if let Some(until) = fix.expires_at {
        story.line("Until", &until.to_string());
    }
    if let Some(link) = &fix.link {
        story.add("Look", vec![link.clone()], Is::Link);
    }
    if let Some(command) = &fix.command {
        story.command(if fix.became == Became::Proposed { "Approve" } else { "Undo" }, command);
    }
    story.command("History", &format!("picket journal {} --stack {}", fix.id, stack(notice)));
}
