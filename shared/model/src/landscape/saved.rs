//! A landscape as a file: with the user data that a landscape itself never writes out. Whoever asks for such a file is
//! told that it may hold secrets; keeping it safe is theirs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Landscape;

/// A landscape, with the user data of its instances and launch templates beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// All but user data.
    pub landscape: Landscape,
    /// User data, by the id of the instance or launch template. It may hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_data: BTreeMap<String, String>,
}

impl From<Landscape> for Saved {
    fn from(mut landscape: Landscape) -> Self {
        let machines = landscape.instances.iter_mut().map(|m| (m.id.to_string(), m.user_data.take()));
        let mut user_data: BTreeMap<String, String> = machines.filter_map(|(id, data)| Some((id, data?))).collect();
        let templates = landscape.templates.iter_mut().map(|t| (t.id.to_string(), t.user_data.take()));
        user_data.extend(templates.filter_map(|(id, data)| Some((id, data?))));
        Self { landscape, user_data }
    }
}

impl From<Saved> for Landscape {
    fn from(saved: Saved) -> Self {
        let Saved { mut landscape, mut user_data } = saved;
        for machine in &mut landscape.instances {
            machine.user_data = user_data.remove(machine.id.as_str());
        }
        for template in &mut landscape.templates {
            template.user_data = user_data.remove(template.id.as_str());
        }
        landscape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_back_all_that_was_saved_user_data_too() {
        let text = r#"{"scope": {"account": "123456789012", "region": "us-east-1"},
            "instances": [{"id": "i-12345678", "user_data": "c2VjcmV0"}, {"id": "i-87654321"}],
            "templates": [{"id": "lt-1", "user_data": "bW9yZQ=="}]}"#;
        let landscape: Landscape = serde_json::from_str(text).unwrap();
        let file = serde_json::to_string(&Saved::from(landscape.clone())).unwrap();
        let saved: Saved = serde_json::from_str(&file).unwrap();
        assert_eq!(Landscape::from(saved), landscape);
    }
}
