//! `lean` as a user meets it: what is told before any work, and what each kind of bad input comes to. What proofs may not
//! do is in `lean_corpus`.
//!
//! The Lean is the one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it; tests that need it are skipped without.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::time::Duration;

use polestar_verifiers::lean::Lean;
use polestar_verifiers::{Budget, Configured, Item, Judge, RawItem, Verdict, Verifier, configure};
use serde_json::{Value, json};

/// Settings with the real Lean; none after saying so.
fn settings(more: &Value) -> Option<Value> {
    let Some(lean) = std::env::var_os("POLESTAR_LEAN") else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return None;
    };
    let mut settings = json!({"command": lean.to_str().unwrap()});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Some(settings)
}

fn lean(settings: &Value) -> Box<dyn Configured> {
    configure("lean", settings).unwrap()
}

fn bind(verifier: &dyn Configured, reference: &Value) -> Result<Arc<dyn Judge>, String> {
    let item = RawItem { id: "p1".into(), reference: reference.clone(), ..RawItem::default() };
    verifier.bind(item).map_err(|error| error.to_string())
}

fn judge(verifier: &dyn Configured, reference: &Value, response: &str) -> Verdict {
    let budget = Budget::starting_now(Duration::from_secs(120));
    bind(verifier, reference).unwrap().judge(&response.into(), &budget)
}

/// A verifier that nothing was bound to, and so prepares what it needs only when it verifies.
fn unprepared(settings: &Value) -> Lean {
    Lean::new(serde_json::from_value(settings.clone()).unwrap()).unwrap()
}

/// Its verdict on `rfl`.
fn verify(verifier: &Lean, reference: &Value, time: Duration) -> Verdict {
    let reference = serde_json::from_value(reference.clone()).unwrap();
    let item = Item { id: "p1".to_owned(), problem: String::new(), reference };
    verifier.verify(&item, &"rfl".into(), &Budget::starting_now(time))
}

/// A proof that goes on until it is ended.
const ENDLESS: &str = "by\n  set_option maxHeartbeats 0 in\n  set_option maxRecDepth 1000000 in\n  repeat (have _h := trivial)\n  rfl";

fn two() -> Value {
    json!({"name": "two", "statement": "theorem two : 1 + 1 = 2"})
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    for (settings, expected) in [
        (json!({"time_s": 0}), "`time_s` must be above 0"),
        (json!({"memory_mb": 1}), "`memory_mb` must be at least 256"),
        (json!({"backend": "guess"}), "unknown variant `guess`"),
        (json!({"backend": "repl"}), "`repl` must be the path"),
        (json!({"backend": "kimina"}), "`url` must be the address"),
        (json!({"lean_path": ["here"]}), "must be absolute paths, found here"),
        (json!({"backend": "repl", "repl": "bin/repl"}), "must be absolute paths, found bin/repl"),
        (json!({"command": "bin/lean"}), "`command` must be a name on the PATH or an absolute path"),
        (json!({"project": "/p", "lean_path": ["/x"]}), "`lean_path` must be left out"),
        (json!({"axioms": [" "]}), "`axioms` must be names"),
        (json!({"command": ""}), "`command` must be the name"),
        (json!({"partial": "goals"}), "`backend` must be \"repl\""),
        (json!({"timeout": 3}), "unknown field `timeout`"),
    ] {
        let error = configure("lean", &settings).err().unwrap().to_string();
        assert!(error.contains(expected), "{settings}: {error}");
    }
}

#[test]
fn what_is_missing_is_an_error_before_any_work() {
    let error = lean(&json!({"command": "/nonexistent/lean"})).ready().unwrap_err().to_string();
    assert!(error.contains("`/nonexistent/lean`") && error.contains("install Lean with elan"), "{error}");
    let error = lean(&json!({"project": "/nonexistent"})).ready().unwrap_err().to_string();
    assert!(error.contains("must be the folder of a Lake project"), "{error}");
    for (more, expected) in [
        (json!({"header": "import Mathlib"}), "Mathlib"),
        (
            json!({"header": "def x : Nat := y"}),
            "the header does not compile: line 1: Unknown identifier `y`",
        ),
        (json!({"header": "module"}), "the header must not begin with `module`"),
        (json!({"python": "/nonexistent/python3"}), "`/nonexistent/python3`"),
    ] {
        let Some(settings) = settings(&more) else { return };
        let error = lean(&settings).ready().unwrap_err().to_string();
        assert!(error.contains(expected), "{more}: {error}");
    }
}

#[test]
fn statements_that_are_none_are_errors_at_load() {
    let Some(settings) = settings(&json!({})) else { return };
    let verifier = lean(&settings);
    verifier.ready().unwrap();
    for (reference, expected) in [
        (json!({"statement": "theorem t : 1 + 1"}), "the statement does not compile: line 1: "),
        (json!({"statement": "theorem t : undefined.value = 2"}), "undefined"),
        (json!({"statement": "theorem t : 1 = 1", "name": "A.t"}), "to no constant of the name `A.t`"),
        (
            json!({"statement": "theorem t : 1 = 1", "header": "namespace A"}),
            "to no constant of the name `t`",
        ),
        (
            json!({"statement": "theorem t : 1 + 1 = (sorry : Nat)"}),
            "`t` has a `sorry` that is no proof of it",
        ),
        (
            json!({"statement": "theorem t : n = 2", "header": "noncomputable def n : Nat := sorry"}),
            "`n` has a `sorry` that is no proof of it, so that nothing can prove `t`",
        ),
        (json!({"statement": "def t : Nat"}), "must be a theorem"),
        (json!({"statement": "theorem t : 1 = 1", "header": "import Nowhere"}), "Nowhere"),
    ] {
        let error =
            bind(verifier.as_ref(), &reference).err().unwrap_or_else(|| panic!("{reference} was taken"));
        assert!(error.contains(expected) && error.contains("`p1`"), "{reference}: {error}");
    }
    for posed in ["theorem t : 1 = 1 := by sorry", "theorem t : 1 = 1 := by -- easy\n  sorry -- to do"] {
        assert_eq!(judge(verifier.as_ref(), &json!(posed), "rfl").kind_name(), "right", "{posed}");
    }
    let namespaced = json!({"statement": "theorem t : 1 = 1", "header": "namespace A", "name": "A.t"});
    assert_eq!(judge(verifier.as_ref(), &namespaced, "rfl").kind_name(), "right");
}

#[test]
fn proofs_are_judged_by_what_they_compile_to() {
    let Some(settings) = settings(&json!({})) else { return };
    let verifier = lean(&settings);
    for (response, kind, expected) in [
        ("rfl", "right", "proved; 1 constant checked; no axioms"),
        ("```lean4\ntheorem two : 1 + 1 = 2 := rfl\n```", "right", "proved"),
        ("sorry", "wrong", "left open: it rests on `sorry`"),
        ("True.intro", "wrong", "line 1: "),
        ("rfl rfl", "wrong", "line 1: "),
        ("theorem two : 1 + 1 = 1 + 1 := rfl", "refused", "`two` states something else: "),
        (
            "axiom no : False\ntheorem two : 1 + 1 = 2 := no.elim",
            "refused",
            "axioms that are not allowed: no",
        ),
        ("theorem three : 1 = 1 := rfl\n-- theorem two", "wrong", ""),
        ("", "no-answer", "the response is empty"),
        ("I give up.", "wrong", ""),
        ("r\0l", "refused", "NUL"),
    ] {
        let verdict = judge(verifier.as_ref(), &two(), response);
        assert_eq!(verdict.kind_name(), kind, "{response}: {verdict:?}");
        assert!(verdict.reason().contains(expected), "{response}: {verdict:?}");
    }
    let verdict = judge(verifier.as_ref(), &two(), &"(".repeat(5 << 20));
    assert!(verdict.reason().contains("has 5242880 bytes; at most 1048576"), "{verdict:?}");
}

#[test]
fn a_share_counts_where_it_is_asked_for() {
    let Some(settings) = settings(&json!({"partial": "prefix"})) else { return };
    let proof = "have a : 1 = 1 := rfl\n\nhave b : 2 = 2 := rfl\nhave c : 1 = 2 := rfl\nrfl";
    let verdict = judge(lean(&settings).as_ref(), &two(), proof);
    assert_eq!((verdict.kind_name(), verdict.score().unwrap().get()), ("partial", 0.5), "{verdict:?}");
    assert!(verdict.reason().starts_with("2 of 4 lines; line 4: "), "{verdict:?}");
}

#[test]
fn cold_and_warm_judge_alike() {
    for warm in [false, true] {
        let Some(settings) = settings(&json!({"warm": warm})) else { return };
        let verifier = lean(&settings);
        assert_eq!(judge(verifier.as_ref(), &two(), "rfl").kind_name(), "right");
        assert_eq!(judge(verifier.as_ref(), &two(), "sorry").kind_name(), "wrong");
    }
}

#[test]
fn time_that_the_proof_did_not_have_is_not_held_against_it() {
    let Some(settings) = settings(&json!({"time_s": 60})) else { return };
    let verifier = lean(&settings);
    let judge = bind(verifier.as_ref(), &two()).unwrap();
    let verdict = judge.judge(&ENDLESS.into(), &Budget::starting_now(Duration::from_secs(4)));
    assert_eq!(verdict.kind_name(), "timeout", "{verdict:?}");
    assert!(
        verdict.score().is_none() && verdict.reason().contains("raise `timeout_s` above `time_s`"),
        "{verdict:?}"
    );
}

#[test]
fn a_check_that_would_outlast_the_verification_ends_with_it() {
    let Some(settings) = settings(&json!({"check_steps_m": 1_000_000})) else { return };
    let verifier = lean(&settings);
    // 2 to the 50 places, which Lean's own kernel is told not to look at.
    let header = "def walk : Nat → Nat → Bool\n  | 0, place => Nat.beq place 1\n  \
                  | n + 1, place => or (walk n (2 * place)) (walk n (2 * place + 3))";
    let reference = json!({"header": header, "statement": "theorem far : walk 50 0 = true"});
    let proof = "by\n  set_option debug.skipKernelTC true in\n  decide +kernel";
    let judge = bind(verifier.as_ref(), &reference).unwrap();
    let budget = Budget::starting_now(Duration::from_secs(8));
    let verdict = judge.judge(&proof.into(), &budget);
    assert_eq!((verdict.score(), verdict.kind_name()), (None, "timeout"), "{verdict:?}");
    assert!(verdict.reason().contains("or lower `check_steps_m`"), "{verdict:?}");
    assert!(!budget.expired(), "there is time left to say so");
}

#[test]
fn what_a_back_end_took_first_is_not_held_against_a_proof() {
    let Some(settings) = settings(&json!({"backend": "server", "time_s": 3})) else {
        return;
    };
    let verifier = lean(&settings);
    let verdict = judge(verifier.as_ref(), &two(), ENDLESS);
    assert!(["timeout", "memory", "exhausted"].contains(&verdict.kind_name()), "{verdict:?}");
    // The whole of its time, however much the server had before.
    assert!(!verdict.reason().contains("`timeout_s`"), "{verdict:?}");
}

#[test]
fn what_does_not_end_is_ended() {
    let Some(settings) = settings(&json!({"time_s": 2, "heartbeats": 0, "memory_mb": 512})) else { return };
    let verifier = lean(&settings);
    let verdict = judge(verifier.as_ref(), &two(), ENDLESS);
    // On a machine that is busy with other things it is not known whose fault it was.
    assert!(["timeout", "memory", "exhausted"].contains(&verdict.kind_name()), "{verdict:?}");
}

#[test]
fn a_repl_is_run_from_where_the_settings_say_that_it_is() {
    // A stand-in that takes whatever does not tell it to find something, at a path that no box shows by itself.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("built")).unwrap();
    for name in ["", "built"] {
        std::fs::set_permissions(path(name), Permissions::from_mode(0o755)).unwrap();
    }
    let script = format!("#!/usr/bin/env python3\n{}", include_str!("lean_peers/repl.py"));
    std::fs::write(path("built/repl"), script).unwrap();
    std::fs::set_permissions(path("built/repl"), Permissions::from_mode(0o755)).unwrap();
    symlink(path("built/repl"), path("link")).unwrap();
    for repl in ["built/repl", "link"] {
        let Some(settings) = settings(&json!({"backend": "repl", "repl": path(repl)})) else { return };
        let verifier = lean(&settings);
        verifier.ready().unwrap_or_else(|error| panic!("{repl}: {error}"));
        for (response, kind, expected) in [
            ("rfl", "right", "proved"),
            // By the stand-in, though it is right.
            ("rfl --peer say error 3 0 no such luck", "wrong", "no such luck"),
            // By Lean, after the stand-in found nothing.
            ("True.intro", "wrong", "line 1: "),
        ] {
            let verdict = judge(verifier.as_ref(), &two(), response);
            assert_eq!(verdict.kind_name(), kind, "{repl}: {response}: {verdict:?}");
            assert!(verdict.reason().contains(expected), "{repl}: {response}: {verdict:?}");
        }
    }
}

#[test]
fn what_the_sandbox_cannot_do_is_tried_again_and_not_the_references_fault() {
    let long = Duration::from_secs(120);
    for (more, statement, cause, expected) in [
        (json!({}), "theorem t : 1 + 1", "bad-reference", "(after 1 try)"),
        (
            json!({"python": "/nonexistent/python3"}),
            "theorem t : 1 + 1 = 2",
            "unreachable",
            "(after 3 tries)",
        ),
    ] {
        let Some(settings) = settings(&more) else { return };
        let verdict = verify(&unprepared(&settings), &json!({"statement": statement}), long);
        assert!(verdict.score().is_none() && verdict.kind_name() == cause, "{verdict:?}");
        assert!(verdict.reason().contains(expected), "{verdict:?}");
    }
}

#[test]
fn who_waits_for_what_another_prepares_keeps_to_the_own_time() {
    // A Lean that takes four seconds to refuse whatever it is given.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\ncase $1 in\n--version) echo 'Lean (version 4.35.0, Release)' ;;\n--print-prefix) echo {root} ;;\n\
         --print-libdir) echo {root}/lib ;;\n*) sleep 4; exit 1 ;;\nesac\n"
    );
    let lean = folder.path().join("bin/lean");
    std::fs::write(&lean, script).unwrap();
    for path in [folder.path(), &folder.path().join("bin"), &lean] {
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let verifier = unprepared(&json!({"command": lean, "header": "prelude", "warm": false}));
    let verify = || verify(&verifier, &two(), Duration::from_secs(2));
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(verify);
        (verify(), other.join().unwrap())
    });
    // Whoever came first goes on to the end, for all others.
    let mut found = [&one, &other].map(Verdict::kind_name);
    found.sort_unstable();
    assert_eq!(found, ["bad-reference", "timeout"], "{one:?}; {other:?}");
    let reasons = format!("{} {}", one.reason(), other.reason());
    for expected in
        ["the header does not compile: Lean left with exit code 1", "while another one still prepared"]
    {
        assert!(reasons.contains(expected), "{reasons}");
    }
}
