//! The page that shows a plan. Every word that is not ours is escaped.

use std::fmt::Write as _;

use picket_model::fix::Fix;
use picket_report::html::escaped;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Picket</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
pre{white-space:pre-wrap;word-break:break-all;padding:.75rem;border:1px solid #8888;border-radius:.4rem}\
dt{font-weight:600;margin-top:.75rem}dd{margin:0}</style></head><body>";

/// A page of one sentence.
pub fn words(says: &str) -> String {
    format!("{HEAD}<h1>Picket</h1><p>{}</p></body></html>", escaped(says))
}

/// The plan, where it stands, and how to answer while it can be answered.
pub fn plan(fix: &Fix, question: &str, stack: &str, address: &str, query: &str) -> String {
    let mut page = format!("{HEAD}<h1>Approve a fix?</h1><p>Opening this page changes nothing.</p><dl>");
    let mut field = |name: &str, value: &str| {
        let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    };
    field("Fix", fix.id.as_str());
    field("Where", &format!("account {}, {}", fix.scope.account, fix.scope.region));
    field("Because", &format!("{} ({})", fix.cause.why(), fix.cause.by()));
    for step in &fix.steps {
        field("Would do", step.says.as_str());
        field("From", &step.before.to_string());
        field("To", &step.after.to_string());
    }
    let asked = fix.approval.as_ref().filter(|a| a.question == question);
    match asked {
        None => field("Answer", "this link is for an earlier question; open the one of the last alert"),
        Some(approval) => match &approval.answer {
            Some(answer) => {
                let word = if answer.approved { "yes" } else { "no" };
                field("Answer", &format!("{word}, by {} at {}", answer.by, answer.at));
            }
            None => {
                field("Why you are asked", &approval.because);
                field("Until", &approval.expires_at.to_string());
            }
        },
    }
    page.push_str("</dl>");
    if asked.is_some_and(|a| a.answer.is_none()) {
        how(&mut page, fix, stack, address, query);
    }
    page.push_str("</body></html>");
    page
}

fn how(page: &mut String, fix: &Fix, stack: &str, address: &str, query: &str) {
    let command = |word: &str| format!("picket {word} {} --stack {stack}", fix.id);
    let _ = write!(
        page,
        "<h2>Answer</h2><p>IAM lets you answer; your name goes into the journal.</p><pre>{}\n{}</pre>",
        escaped(&command("approve")),
        escaped(&command("deny"))
    );
    if !address.is_empty() {
        let url = format!("{}/?{query}&answer=approve", address.trim_end_matches('/'));
        let region = &fix.scope.region;
        let curl = format!(
            "curl -X POST --aws-sigv4 aws:amz:{region}:lambda --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
             -H \"x-amz-security-token: $AWS_SESSION_TOKEN\" '{url}'"
        );
        let _ = write!(page, "<p>Or without Picket's command line:</p><pre>{}</pre>", escaped(&curl));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(target: &str) -> Fix {
        let text = serde_json::json!({
            "id": "case-0123456789ab", "scope": {"account": "123456789012", "region": "us-east-1"},
            "cause": {"is": "order", "by": "alice", "reason": target}, "state": "proposed", "round": 1,
            "since": "2026-11-02T03:04:05Z", "at": "2026-11-02T03:04:05Z", "lease_until": "2026-11-02T03:04:05Z",
            "steps": [{"aim": {"action": "eks_encrypt_secrets", "target": target}, "says": target, "before": {"key": null},
                       "after": {"key": target}, "one_way": true, "state": {"is": "intended"}}],
            "approval": {"asked_at": "2026-11-02T03:04:05Z", "expires_at": "2026-11-03T03:04:05Z", "at_expiry": "leave",
                         "because": "it cannot be undone", "question": "q1", "answer": null},
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn foreign_words_stay_words() {
        for hostile in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'); drop", "&lt;script&gt;"] {
            let page = plan(&fix(hostile), "q1", "picket", "https://x", "fix=<b>");
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"), "{page}");
            assert!(page.contains("picket approve case-0123456789ab"));
        }
    }

    #[test]
    fn an_earlier_question_and_one_that_was_answered_cannot_be_answered() {
        let earlier = plan(&fix("prod"), "q0", "picket", "", "");
        assert!(earlier.contains("earlier question") && !earlier.contains("picket approve"), "{earlier}");
        let mut answered = fix("prod");
        let answer = serde_json::json!({"approved": true, "by": "bob", "at": "2026-11-02T03:05:05Z", "reason": ""});
        answered.approval.as_mut().unwrap().answer = Some(serde_json::from_value(answer).unwrap());
        let page = plan(&answered, "q1", "picket", "", "");
        assert!(page.contains("yes, by bob") && !page.contains("picket approve"), "{page}");
    }
}
