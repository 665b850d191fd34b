//! The code of each kind of step, one file each, with the AWS permissions that it needs beside it.
//! To add one: a file with `PERMISSIONS`, and a line in `ALL`.

pub mod contain_interface;
pub mod quarantine_group;
pub mod restore_interface;

/// Every action with its permissions, alphabetical. A test compares it with the folder and with the roles in `infra/`.
pub const ALL: &[(&str, &[&str])] = &[
    ("contain_interface", contain_interface::PERMISSIONS),
    ("quarantine_group", quarantine_group::PERMISSIONS),
    ("restore_interface", restore_interface::PERMISSIONS),
];

#[cfg(test)]
mod tests {
    #[test]
    fn every_action_is_listed_in_order() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/actions")).unwrap();
        let mut files: Vec<_> =
            folder.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        files.retain(|f| f != "mod");
        files.sort();
        assert_eq!(super::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>(), files);
    }
}
