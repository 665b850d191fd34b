//! Slack's incoming webhook: blocks. Foreign words stand in `rich_text`, whose text elements are shown as they are:
//! no mention, link or markup is read in them. The fallback for notifications is ours alone.
//! Source: Slack's reference of blocks (header 150 characters, 50 blocks; a message 16 KiB here).

use picket_model::Notice;
use serde_json::{Value, json};

use super::{bounded, written};
use crate::render::{Is, Part, Story};

const LONGEST_HEADER: usize = 150;
const LONGEST_LINE: usize = 500;
const LONGEST: usize = 16 * 1024;
const MOST_PARTS: usize = 40;

pub(super) fn write(story: &Story, notice: &Notice) -> Option<String> {
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": bounded(&story.subject, LONGEST_HEADER), "emoji": false } }),
        rich(vec![text(&story.headline, false)]),
    ];
    let mut size = 0;
    for part in story.parts.iter().take(MOST_PARTS) {
        let block = section(part);
        size += written(&block).map_or(0, |b| b.len());
        // What leads on is never left out: commands and links come last and are short.
        if size < LONGEST || part.is != Is::Words {
            blocks.push(block);
        }
    }
    let scope = &notice.decision.scope;
    let context = format!("{} · {} · {} · {}", story.severity, notice.kind.name(), scope.account, scope.region);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": context, "emoji": false }] }));
    written(&json!({ "text": story.subject, "mrkdwn": false, "unfurl_links": false, "blocks": blocks }))
}

fn section(part: &Part) -> Value {
    let mut elements = vec![text(part.label, true)];
    for line in &part.lines {
        elements.push(text("\n", false));
        elements.push(match part.is {
            Is::Words => text(line, false),
            Is::Command => json!({ "type": "text", "text": bounded(line, LONGEST_LINE), "style": { "code": true } }),
            Is::Link => json!({ "type": "link", "url": line, "text": "open the plan" }),
        });
    }
    rich(elements)
}

fn rich(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": elements }] })
}

fn text(words: &str, bold: bool) -> Value {
    let words = bounded(words, LONGEST_LINE);
    if bold {
        json!({ "type": "text", "text": words, "style": { "bold": true } })
    } else {
        json!({ "type": "text", "text": words })
    }
}
