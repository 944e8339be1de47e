//! That the corpus is what it claims to be: large, at least half of it hostile, and each case says what it is for.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::case::load;
use crate::looks::Look;
use crate::stage::{MARKS, Stage};

const KINDS: &[&str] = &[
    "right",
    "wrong",
    "partial",
    "no-answer",
    "timeout",
    "memory",
    "crash",
    "refused",
    "undecided:bad-reference",
];

#[test]
fn the_corpus_is_large_and_half_of_it_is_hostile() {
    let (tasks, cases) = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code_corpus"));
    let num_hostile = cases.iter().filter(|case| case.is_hostile()).count();
    assert!(cases.len() >= 140 && num_hostile * 2 >= cases.len(), "{num_hostile} of {}", cases.len());
    for kind in KINDS {
        let is_one = |case: &crate::case::Case| case.head.expect.names().iter().any(|name| name == kind);
        assert!(cases.iter().any(is_one), "no case expects {kind}");
    }
    for form in ["test", "tests", "cases", "files"] {
        for side in ["honest/", "hostile/"] {
            let is_one = |name: &str, task: &str| name.starts_with(side) && tasks[task].get(form).is_some();
            assert!(cases.iter().any(|case| is_one(&case.name, &case.head.task)), "{side} has no `{form}`");
        }
    }
}

#[test]
fn each_case_says_what_it_is_for_and_stands_once() {
    let (tasks, cases) = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code_corpus"));
    let stage = Stage::new("nothing");
    let mut bodies = HashMap::new();
    let mut unused: BTreeSet<_> = tasks.keys().map(String::as_str).collect();
    for case in &cases {
        let (name, head) = (&case.name, &case.head);
        assert!(tasks.contains_key(&head.task), "{name}: there is no task {}", head.task);
        unused.remove(head.task.as_str());
        let kinds = head.expect.names();
        assert!(
            !kinds.is_empty() && kinds.iter().all(|it| KINDS.contains(&it.as_str())),
            "{name}: {kinds:?}"
        );
        if case.is_hostile() {
            let may_be_right = kinds.iter().any(|kind| kind == "right");
            assert!(head.why.len() >= 15, "{name}: say in `why` what must not happen");
            assert!(!head.looks.is_empty() || !may_be_right, "{name}: nothing is looked at");
        } else {
            let num_right = kinds.iter().filter(|kind| *kind == "right").count();
            assert!(num_right == 0 || kinds.len() == 1, "{name}: what is honest is right or it is not");
        }
        if let Some(unknown) = case.marks().find(|it| !MARKS.contains(it)) {
            panic!("{name}: {{{unknown}}} is unknown");
        }
        for look in &head.looks {
            assert!(Look::prepare(&stage.fill(look)).is_ok(), "{name}: {look}");
        }
        if let Some(first) = &head.after {
            assert!(cases.iter().any(|it| it.name == *first), "{name}: there is no case {first}");
        }
        let same = bodies.insert((&head.task, &case.response, head.settings.to_string()), name);
        assert!(same.is_none(), "{name} is the same as {same:?}");
    }
    assert!(unused.is_empty(), "no case has the tasks {unused:?}");
}
