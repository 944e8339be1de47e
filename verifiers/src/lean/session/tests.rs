//! Sessions over a stand-in that answers as a REPL does.

use super::*;
use crate::lean::goals::{Closed, closed};
use crate::lean::repl::tests::backing;
use crate::lean::screen::Times;
use crate::lean::warm::Backing;

const HEADER: &str = "import Peer\n";

fn screen() -> Arc<WarmScreen<Repl>> {
    let times = Times { start: Duration::from_secs(20), proof: Duration::from_millis(700) };
    Arc::new(WarmScreen::new(Backing { times, ..backing() }))
}

fn budget() -> Budget {
    Budget::starting_now(Duration::from_secs(60))
}

fn start(statement: &str) -> Result<(Session, TacticState), SessionError> {
    Session::start(screen(), HEADER, statement, &budget())
}

fn theorem() -> (Session, StateId) {
    let (session, state) = start("theorem a : G := by sorry").unwrap();
    (session, state.id)
}

#[track_caller]
fn run(session: &mut Session, state: StateId, tactic: &str) -> Step {
    session.run(state, tactic, &budget()).unwrap()
}

#[track_caller]
fn goals_after(session: &mut Session, state: StateId, tactic: &str) -> (StateId, Vec<String>) {
    match run(session, state, tactic) {
        Step::State(TacticState { id, goals, .. }) => (id, goals),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn finish(session: &mut Session, state: StateId, tactic: &str) -> StateId {
    match run(session, state, tactic) {
        Step::Finished { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proof_is_found_by_going_on_from_any_state() {
    let (mut session, state) = start("def x := 1\ntheorem a : G := by sorry\n").unwrap();
    assert_eq!(state.goals, ["G"]);
    let (both, goals) = goals_after(&mut session, state.id, "split");
    assert_eq!(goals, ["left of G", "right of G"]);
    let (one, _) = goals_after(&mut session, both, "close");
    // Another way from the first state, and back.
    let (other, goals) = goals_after(&mut session, state.id, "intro x y");
    assert_eq!(goals, ["h : P\n⊢ G"]);
    let finished = finish(&mut session, one, "close with\n| left => done");
    assert_eq!(session.tactics(finished).unwrap(), ["split", "close", "close with\n| left => done"]);
    let text = session.proof(finished).unwrap();
    assert_eq!(
        text,
        "def x := 1\ntheorem a : G := by\n  split\n  close\n  (close with\n   | left => done\n  )\n"
    );
    assert_eq!(session.goals(finished).unwrap(), [""; 0]);
    assert_eq!(session.goals(both).unwrap(), ["left of G", "right of G"]);
    let second = finish(&mut session, other, "close");
    assert_eq!(session.tactics(second).unwrap(), ["intro x y", "close"]);
    assert_eq!(run(&mut session, second, "close"), Step::Error("no goals".to_owned()));
    let unknown = StateId(99);
    assert_eq!(session.run(unknown, "close", &budget()), Err(SessionError::UnknownState(unknown)));
    assert_eq!(session.goals(unknown).unwrap_err().to_string(), "this proof has no state 99");
}

#[test]
fn no_goals_alone_is_no_proof() {
    let (mut session, root) = theorem();
    let errors = [
        ("exact unknown", "unknown identifier 'unknown'"),
        ("fail", "<input>:1:0: tactic 'fail' failed"),
        ("end Incomplete: contains metavariable(s)", "contains metavariable(s)"),
        ("end Error: Goal not assigned", "Error: Goal not assigned"),
        ("end Error: kernel type check failed: declaration has metavariables", "kernel type check failed"),
        ("end Not verified: more than one initial goal", "more than one initial goal"),
        ("end Incomplete: open goals remain", "open goals remain"),
        ("close\n--peer put {\"proofStatus\": null}", "a newer version does"),
        ("intro x\n--peer put {\"proofStatus\": \"Completed\"}", "complete that has open goals"),
        ("intro x\n--peer put {\"proofStatus\": \"Error: proof has type\"}", "proof has type"),
        ("close\n--peer put {\"messages\": [{\"severity\": \"error\", \"data\": \"late\"}]}", "late"),
    ];
    for (tactic, expected) in errors {
        let Step::Error(text) = run(&mut session, root, tactic) else { panic!("{tactic}") };
        assert!(text.contains(expected), "{tactic}: {text}");
    }
    for tactic in [
        "sorry",
        "admit",
        "intro x\n--peer put {\"sorries\": [{\"goal\": \"⊢ False\", \"proofState\": null}]}",
        "close\n--peer put {\"messages\": [{\"severity\": \"warning\", \"data\": \"declaration uses `sorry`\"}]}",
    ] {
        assert_eq!(run(&mut session, root, tactic), Step::GivenUp, "{tactic}");
    }
    // Old versions say nothing of the proof, which matters at its end only.
    let (_, goals) = goals_after(&mut session, root, "intro x\n--peer put {\"proofStatus\": null}");
    assert_eq!(goals.len(), 1);
    let Step::State(state) = run(&mut session, root, "warn") else { panic!() };
    assert_eq!(state.messages, ["this is discouraged"]);
    finish(&mut session, root, "close");
}

#[test]
fn a_session_goes_on_after_the_end_of_its_process() {
    let (mut session, root) = theorem();
    let (both, _) = goals_after(&mut session, root, "split");
    let (one, _) = goals_after(&mut session, both, "close");
    for (tactic, expected) in [
        ("close\n--peer die of it", "left with exit code 1; it said: uncaught exception: of it"),
        ("close\n--peer raw rubbish\\n\\n", "answers with what is no answer"),
        ("close\n--peer twice", "more than one answer"),
        ("close\n--peer instead {\"message\": \"Unknown proof state.\"}", "Unknown proof state."),
        ("close\n--peer put {\"proofState\": 0}", "`proofState` is 0 in an answer after one"),
        ("close\n--peer flood", "wrote more than"),
    ] {
        let error = session.run(one, tactic, &budget()).unwrap_err();
        assert!(matches!(error, SessionError::Crash { is_out_of_memory: false, .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{tactic}: {error}");
    }
    let error = session.run(one, "close\n--peer hang", &budget()).unwrap_err();
    let SessionError::Timeout(time) = error else { panic!("{error:?}") };
    assert!(time >= Duration::from_millis(700) && time < Duration::from_secs(10));
    // From the first state, and from one that must be reached again.
    goals_after(&mut session, root, "intro x");
    let finished = finish(&mut session, one, "close");
    assert_eq!(session.tactics(finished).unwrap(), ["split", "close", "close"]);
    let short = Budget::starting_now(Duration::from_millis(200));
    let error = session.run(one, "close\n--peer hang", &short).unwrap_err();
    assert!(
        matches!(&error, SessionError::Unavailable(problem) if problem.contains("was over")),
        "{error:?}"
    );
}

#[test]
fn a_state_that_is_not_reached_again_is_told() {
    let (mut session, root) = theorem();
    let (one, _) = goals_after(&mut session, root, "warn");
    let (two, _) = goals_after(&mut session, one, "warn");
    let (other, goals) = goals_after(&mut session, two, "split\n--peer many put {\"goals\": [\"first\"]}");
    assert_eq!(goals, ["first"]);
    session.run(other, "close\n--peer die of it", &budget()).unwrap_err();
    finish(&mut session, two, "close");
    session.run(other, "close\n--peer die of it", &budget()).unwrap_err();
    goals_after(&mut session, root, "intro x");
    // Not there again, where fewer tactics came before.
    let (another, goals) =
        goals_after(&mut session, root, "split\n--peer many put {\"goals\": [\"second\"]}");
    assert_eq!(goals, ["left of G", "right of G"]);
    let (third, goals) = goals_after(&mut session, root, "split\n--peer many put {\"goals\": [\"third\"]}");
    assert_eq!(goals, ["third"]);
    session.run(another, "close\n--peer die of it", &budget()).unwrap_err();
    let error = session.run(third, "close", &budget()).unwrap_err();
    assert!(error.to_string().contains("lead elsewhere in a new process"), "{error}");
    // The others are not lost.
    goals_after(&mut session, another, "close");
}

#[test]
fn theorems_that_cannot_be_begun_say_why() {
    let twice = "theorem a : G := sorry --peer sorry ⊢ G\ntheorem b : H := by sorry";
    for (statement, expected) in [
        ("theorem a : G := by simp", "must end in `:= by sorry`"),
        (
            "--peer say error 1 2 unknown identifier\ntheorem a : G := by sorry",
            "line 1, column 2: unknown identifier",
        ),
        ("--peer instead {\"message\": \"Lean error:\\nbad\"}\ntheorem a : G := by sorry", "begun: bad"),
        (twice, "it must have one `sorry`, at its end; Lean finds 2"),
        ("--peer put {\"env\": 9}\nexample := sorry", "Lean finds 0"),
        (
            "--peer say warning 1 0 declaration uses 'sorry'\ntheorem a : G := by sorry",
            "more than one of its declarations uses `sorry`",
        ),
    ] {
        let error = start(statement).unwrap_err();
        assert!(matches!(error, SessionError::Statement(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{statement}: {error}");
    }
    let error = start("--peer die of it\ntheorem a : G := by sorry").unwrap_err();
    assert!(matches!(error, SessionError::Crash { .. }), "{error:?}");
    let header = "--peer header die of it\n";
    let error = Session::start(screen(), header, "theorem a : G := by sorry", &budget()).unwrap_err();
    assert!(
        matches!(&error, SessionError::Unavailable(problem) if problem.contains("did not become ready")),
        "{error}"
    );
}

#[test]
fn a_process_of_a_session_that_is_over_is_used_again() {
    let screen = screen();
    let begin =
        || Session::start(Arc::clone(&screen), HEADER, "theorem a : G := by sorry", &budget()).unwrap();
    let (mut first, state) = begin();
    finish(&mut first, state.id, "close");
    drop(first);
    let (mut second, state) = begin();
    let step = run(&mut second, state.id, "warn\n--peer many put {\"goals\": [\"used\"]}");
    assert!(matches!(&step, Step::State(state) if state.goals == ["used"]), "{step:?}");
    assert!(second.process.as_ref().is_some_and(|lent| lent.num_used == 4));
    drop(second);
    // What ran in it before is not to blame the theorem for.
    let statement = "--peer many die of it\ntheorem a : G := by sorry";
    let (third, state) = Session::start(Arc::clone(&screen), HEADER, statement, &budget()).unwrap();
    assert_eq!(state.goals, ["G"]);
    assert!(third.process.as_ref().is_some_and(|lent| lent.num_used == 1));
}

#[test]
fn a_process_is_replaced_after_its_uses_in_a_long_session_too() {
    let screen = Arc::new(WarmScreen::new(Backing { uses: 5, ..backing() }));
    let (mut session, root) = Session::start(screen, HEADER, "theorem a : G := by sorry", &budget()).unwrap();
    let (both, _) = goals_after(&mut session, root.id, "split");
    let mut state = both;
    for _ in 0..20 {
        // Deeper than a process has uses, and from the first state in between.
        (state, _) = goals_after(&mut session, state, "warn");
        goals_after(&mut session, root.id, "intro x");
        let depth = session.tactics(state).unwrap().len() as u64;
        let num_used = session.process.as_ref().unwrap().num_used;
        assert!(num_used <= 5 + depth, "{num_used} after {depth}");
    }
    assert_eq!(session.goals(state).unwrap(), ["left of G", "right of G"]);
}

#[test]
fn goals_are_counted_until_a_tactic_fails() {
    for (tactics, num_closed, num_goals) in [
        ("split\nclose\nfail", 1, 2),
        ("split\nfail\nclose", 0, 2),
        ("fail", 0, 1),
        ("split\nclose\nclose", 2, 2),
        ("", 0, 1),
    ] {
        let (mut session, state) = theorem();
        let found = closed(&mut session, state, tactics, &budget()).unwrap();
        assert_eq!(found, Closed { num_closed, num_goals }, "{tactics}");
    }
}
