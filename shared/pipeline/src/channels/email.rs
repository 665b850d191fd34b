//! Email, and whatever reads plain text: the whole story, one thought a line. Source: SNS sends it as it is.

use picket_model::Notice;

use crate::render::Story;

pub(super) fn write(story: &Story, _: &Notice) -> Option<String> {
    Some(story.text())
}
