//! A storm that fits into a test; `make soak` weathers the large one.
#![allow(clippy::unwrap_used, reason = "a test file")]

use picket_soak::scale::{Storm, weather};

#[test]
fn a_storm_of_events_loses_nothing() {
    let came = weather(Storm { launches: 10, instances: 5, interfaces: 4, events: 500 }, 1);
    assert_eq!(came.wrong, Vec::<String>::new(), "{came:?}");
    assert_eq!(came.dead, Vec::new(), "{came:?}");
    assert!(came.all.is_some(), "{came:?}");
}
