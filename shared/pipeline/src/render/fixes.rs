//! How a notice about a fix reads: what became of it, what was or would be changed, why, and the command or link next.

use picket_model::Notice;
use picket_model::notice::{Became, FixNotice};

use super::{line, listed};

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

/// The message.
pub(super) fn body(headline: &str, notice: &Notice, fix: &FixNotice) -> String {
    let mut body = format!("{headline}\n");
    line(&mut body, "Fix", fix.id.as_str());
    line(&mut body, "Because", &fix.says);
    line(&mut body, "By", &fix.by.to_string());
    let label = match fix.became {
        Became::Fixed => "Done",
        Became::Undone => "Put back",
        _ => "Would do",
    };
    listed(&mut body, label, fix.steps.clone());
    if let Some(until) = fix.expires_at {
        line(&mut body, "Until", &until.to_string());
    }
    if let Some(link) = &fix.link {
        line(&mut body, "Look", link);
    }
    if let Some(command) = &fix.command {
        line(&mut body, if fix.became == Became::Proposed { "Approve" } else { "Undo" }, command);
    }
    line(&mut body, "History", &format!("picket journal {} --stack {}", fix.id, notice.stack));
    body
}
