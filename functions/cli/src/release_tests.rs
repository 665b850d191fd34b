//! What a release says, outcome by outcome.

use picket_model::InterfaceId;

use super::*;

fn restored() -> Restored {
    Restored {
        instance: InstanceId::parse("i-12345678").unwrap(),
        interface: InterfaceId::parse("eni-12345678").unwrap(),
        from: vec![GroupId::parse("sg-00000000").unwrap()],
        to: vec![GroupId::parse("sg-11111111").unwrap(), GroupId::parse("sg-22222222").unwrap()],
    }
}

fn text(outcome: Released) -> String {
    Lifted { outcome, next: None }.text(Paint::default())
}

#[test]
fn a_plan_is_a_table_and_a_release_is_a_line_for_each_interface() {
    let plan = "the release would put back\n\n\
        INSTANCE    INTERFACE     FROM         TO\n\
        i-12345678  eni-12345678  sg-00000000  sg-11111111, sg-22222222\n\n";
    let of = |planned, undone: &[&str]| Released::Done {
        restored: vec![restored()],
        undone: undone.iter().map(|u| (*u).to_owned()).collect(),
        stays: undone.iter().map(|_| "snapshot all volumes of i-12345678".to_owned()).collect(),
        lost: Vec::new(),
        still_held: Vec::new(),
        planned,
    };
    assert_eq!(text(of(true, &[])), plan);
    let done = "released; interfaces put back: 1\neni-12345678 of i-12345678 is in sg-11111111, sg-22222222 again\n";
    assert_eq!(text(of(false, &[])), done);
    assert_eq!(text(of(false, &["x"])), format!("{done}also put back: 1; kept: 1\n\n"));
    let more = format!(
        "{plan}also put back: metadata service of i-12345678 on\nstays: snapshot all volumes of i-12345678\n\n"
    );
    assert_eq!(text(of(true, &["metadata service of i-12345678 on"])), more);
}

#[test]
fn a_refusal_names_every_difference_and_the_way_out() {
    let said = text(Released::Refused { differences: vec!["eni-1 is gone".to_owned(), "eni-2 too".to_owned()] });
    assert!(said.contains("- eni-1 is gone\n- eni-2 too\n") && said.contains("--force"), "{said}");
}

#[test]
fn what_was_released_before_is_done_and_what_was_not_carried_out_is_not() {
    assert_eq!(exit(&Released::Already), Exit::Done);
    assert_eq!(exit(&Released::NotHeld), Exit::Found);
    assert_eq!(exit(&Released::Refused { differences: Vec::new() }), Exit::Found);
}

#[test]
fn a_case_and_an_instance_are_not_released_together() {
    let of = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<Target>>();
    assert!(subject(&of(&["case-0123456789ab"])).is_ok_and(|(case, _)| case.is_some()));
    assert!(subject(&of(&["i-12345678", "i-87654321"])).is_ok_and(|(_, instances)| instances.len() == 2));
    for mixed in [&["case-0123456789ab", "i-12345678"], &["case-0123456789ab", "case-ba9876543210"]] {
        assert_eq!(subject(&of(mixed)).map_err(|f| f.exit()), Err(Exit::Usage));
    }
}
