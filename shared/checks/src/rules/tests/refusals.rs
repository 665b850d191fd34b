//! What cannot be right is refused with its line, before it is ever judged.

use crate::rules::{Catalogue, Kinds, Refused};

const KIND: &str = "kind: t.thing\nsource: t:Get\nsays: A thing.\nfields:\n  name: string\n  size: int\n  tags: {\"*\": string}\n  rules: [{cidr: cidr, port: int}]\n";

fn read(check: &str) -> Result<(), Refused> {
    read_whole(&format!(
        "title: T\nseverity: low\nlayer: network\nselect: t.thing\nwith: {{others: t.thing}}\n{check}\nwhy: w\nfix: {{how: h}}\n"
    ))
}

fn read_whole(text: &str) -> Result<(), Refused> {
    let kinds = Kinds::parse([("t.thing.yaml", KIND)]).unwrap();
    Catalogue::default().read_one("t/rule.yaml", text, &kinds)
}

#[test]
fn a_rule_that_asks_for_what_no_evidence_has_is_refused_with_its_line() {
    let cases = [
        ("check: {at: nam, op: present}", 6, "`nam` is not in the evidence; there are name"),
        ("check:\n  all:\n    - {at: name, op: eqq, value: x}", 8, "`eqq` is no operator"),
        ("check: {at: name, op: eq}", 6, "needs a value"),
        ("check: {at: name, op: bitmask, value: rwx}", 6, "octal"),
        ("check: {at: rules.cidr, op: cidr_not_public}", 6, "[*]"),
        ("check: {at: size, op: port_closed, value: 22}", 6, "lists of permissions"),
        ("check: {at: name, op: regex, value: '('}", 6, "no pattern"),
        ("check: {at: name, op: eq, valeu: x}", 6, "valeu"),
        ("check: {at: name, op: eq, value: x, expr: 'true'}", 6, "one of"),
        ("check: {expr: 'this.nam == \"x\"'}", 6, "`nam` is not in the evidence"),
        ("check: {expr: 'that.name == \"x\"'}", 6, "`that` is not known"),
        ("check: {expr: 'others.exists(o, o.nam == \"x\")'}", 6, "`nam` is not in the evidence"),
        ("check: {expr: 'this.rules.filter(r, r.port == 22).all(r, isPublicCdr(r.cidr))'}", 6, "no function"),
        (
            "check: {expr: 'this.rules.filter(r, r.port == 22).all(r, r.cdir == \"\")'}",
            6,
            "`cdir` is not in the evidence",
        ),
        ("check: {expr: 'this.size == \"3\"'}", 6, "a number is compared with text"),
        ("check: {expr: 'this.size +'}", 6, "no CEL"),
        ("check: {expr: 'this.size + 1'}", 6, "true or false"),
        ("when: {at: name, op: present}\ncheck: {at: name, op: present}", 4, "because"),
        ("check: {all: []}", 4, "no conditions"),
    ];
    for (check, line, word) in cases {
        let refused = read(check).unwrap_err();
        assert!(refused.reason.contains(word), "{check}: {refused}");
        assert_eq!((refused.file.as_str(), refused.line), ("t/rule.yaml", line), "{check}: {refused}");
    }
    read("check: {expr: 'this.rules.exists(r, portOpen(others, r.port)) && has(this.tags.a)'}").unwrap();
}

#[test]
fn cases_are_held_to_the_kind_too() {
    let rule = |case: &str| read(&format!("check: {{at: name, op: present}}\ncases:\n  - {case}"));
    assert!(rule("{name: c, pass: {nmae: x}}").unwrap_err().reason.contains("`nmae` is no field"));
    assert!(rule("{name: c, pass: {size: big}}").unwrap_err().reason.contains("a whole number"));
    assert!(rule("{name: c, pass: {}, fail: {}}").unwrap_err().reason.contains("one of"));
    assert!(rule("{name: c, pass: {}, with: {stranger: []}}").unwrap_err().reason.contains("stranger"));
    rule("{name: c, pass: {rules: [{port: 22}]}, with: {others: [{name: x, _id: y}]}}").unwrap();
}

#[test]
fn a_family_refuses_a_column_that_it_has_not() {
    let family = "title: 'T {what}'\nseverity: low\nlayer: os\nselect: t.thing\n\
                  check: {at: 'tags[\"{key}\"]', op: eq, value: '{val}'}\nwhy: w\nfix: {how: h}\neach:\n  - {name: a, key: k.1, val: 3}\n";
    let refused = read_whole(family).unwrap_err();
    assert!(refused.reason.contains("row `a`: there is no column `what`"), "{refused}");
    read_whole(&family.replace("{what}", "{key}")).unwrap();
}
