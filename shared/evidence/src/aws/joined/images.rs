//! Whether images are approved, and whether their names say which version they are.

use picket_model::Document;
use regex::Regex;
use serde_json::Value;

use super::{Added, Around, Join};

/// A name, then a version or a date, such as `base-al2023-v1.4.2` or `web_2026-01-31`.
const NAME: &str = r"^[A-Za-z0-9]+([-_./ ][A-Za-z0-9]+)*[-_./ ]v?[0-9][0-9A-Za-z._:T-]*$";

/// Images.
pub const JOINS: &[Join] = &[
    Join { kind: "ec2.image", needs: &[], add: name },
    Join { kind: "ec2.instance", needs: &["ec2.settings"], add: approved },
    Join { kind: "ec2.launch_template", needs: &["ec2.settings"], add: approved },
    Join { kind: "autoscaling.launch_configuration", needs: &["ec2.settings"], add: approved },
];

fn name(_: &Document, image: &Value, around: &Around<'_>) -> Added {
    let pattern = around.settings.image_names.as_deref().unwrap_or(NAME);
    let fits = Regex::new(pattern).map_err(|e| format!("`image_names` is no regular expression: {e}"));
    vec![("follows_names", fits.map(|p| p.is_match(image["name"].as_str().unwrap_or_default()).into()))]
}

/// In the owner's list; without one, by the account's setting, under which EC2 itself refuses other images.
fn approved(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let list = &around.settings.approved_images;
    let Some(image) = value["image_id"].as_str() else { return Vec::new() };
    let read = if list.is_empty() {
        let settings = around.all(document, "ec2.settings");
        settings.and_then(|s| {
            let state = s.first().and_then(|s| s["allowed_images"].as_str());
            state.map(|s| (s == "enabled").into()).ok_or_else(|| "ec2:GetAllowedImagesSettings was not read".to_owned())
        })
    } else {
        Ok(list.contains(image).into())
    };
    vec![("image_approved", read)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_version_it_is() {
        let pattern = Regex::new(NAME).unwrap();
        for good in ["base-al2023-v1.4.2", "web_2026-01-31", "amazon/eks-node/1.34"] {
            assert!(pattern.is_match(good), "{good}");
        }
        for bad in ["test", "my image", "", "final-final"] {
            assert!(!pattern.is_match(bad), "{bad}");
        }
    }
}
