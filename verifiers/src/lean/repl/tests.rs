//! The back end against a stand-in that answers as a REPL does, and against what else may be on the other side.

use std::time::Duration;

use super::*;
use crate::budget::Budget;
use crate::lean::boxed::tests::peer;
use crate::lean::peers::{self, HEADER, assert_judged, assert_undecided, count, hurried, long, run};
use crate::lean::screen::Screen;
use crate::lean::warm::{Backing, WarmScreen};
use crate::verdict::{CauseKind, Kind};

const PEER: &str = include_str!("../../../tests/lean_peers/repl.py");
pub(in crate::lean) fn backing() -> Backing {
    peers::backing(PEER)
}

fn screen() -> WarmScreen<Repl> {
    WarmScreen::new(backing())
}

fn hasty() -> WarmScreen<Repl> {
    hurried(&backing())
}

#[test]
fn messages_have_places_in_the_body_and_sorries_are_counted() {
    let screen = screen();
    let body = "theorem a : True := trivial\n--peer say error 2 4 unknown identifier 'x'\\nand more\n\
                --peer say info 1 0 fine\n--peer say trace 3 1 [t]\n--peer say warning 2 0 declaration uses 'sorry'";
    let screened = run(&screen, body).unwrap();
    let error = Message {
        severity: Severity::Error,
        line: 2,
        column: 4,
        text: "unknown identifier 'x'\nand more".to_owned(),
    };
    assert_eq!(screened.error(), Some(&error));
    assert_eq!(error.to_string(), "line 2, column 4: unknown identifier 'x'\nand more");
    let severities: Vec<_> = screened.messages.iter().map(|message| message.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Info, Severity::Info, Severity::Warning]);
    assert_eq!((screened.num_sorries, screened.is_fresh), (1, true));
    let screened =
        run(&screen, "--peer say warning 1 0 declaration uses `sorry`\n--peer sorry ⊢ 1 = 1").unwrap();
    assert_eq!((screened.num_sorries, screened.is_fresh), (1, false));
    let screened = run(&screen, "--peer sorry ⊢ 1 = 1\n--peer sorry ⊢ é").unwrap();
    assert_eq!(screened.num_sorries, 2);
    assert_eq!(run(&screen, "").unwrap(), Screened::default());
    // What Lean cannot even begin with is its error, and the process goes on.
    let screened = run(&screen, "import More").unwrap();
    assert_eq!(screened.error().unwrap().text, "invalid 'import' command");
    assert_eq!(count(&screen, HEADER), (5, false));
}

#[test]
fn a_header_is_elaborated_once_and_processes_wait_by_header() {
    let screen = screen();
    assert_eq!(screen.ready(), Ok(()));
    assert_eq!(count(&screen, HEADER), (1, true));
    assert_eq!(count(&screen, "import Other\n"), (1, true));
    assert_eq!(count(&screen, HEADER), (2, false));
    assert_eq!(count(&screen, "import Other\n"), (2, false));
    // Two may wait: the one that waits longest goes.
    assert_eq!(count(&screen, ""), (1, true));
    assert_eq!(count(&screen, "import Other\n"), (3, false));
    assert_eq!(count(&screen, HEADER), (1, true));
}

#[test]
fn a_process_is_replaced_after_its_uses() {
    let screen = WarmScreen::<Repl>::new(Backing { uses: 2, ..backing() });
    let counts: Vec<_> = (0..5).map(|_| count(&screen, HEADER).0).collect();
    assert_eq!(counts, [1, 2, 1, 2, 1]);
    let screen = WarmScreen::<Repl>::new(Backing { most_waiting: 0, ..backing() });
    assert_eq!((count(&screen, HEADER), count(&screen, HEADER)), ((1, true), (1, true)));
}

#[test]
fn what_a_proof_alone_does_to_its_process_is_its_fault() {
    let screen = screen();
    assert_judged(
        run(&screen, "--peer die of it"),
        Kind::Crash,
        "left with exit code 1; it said: uncaught exception: of it",
    );
    assert_judged(run(&screen, "--peer segfault"), Kind::Crash, "was ended by signal 11");
    assert_judged(run(&screen, "--peer flood"), Kind::Refused, "it wrote more than 1024 KiB");
    assert_judged(run(&screen, "--peer half 10"), Kind::Crash, "left with exit code 0");
    for (body, reason) in [
        ("--peer raw hello\\n\\n", "expected value"),
        (r#"--peer raw {"env": 7}\n\n"#, "it wrote more than one answer"),
        ("--peer twice", "it wrote more than one answer"),
        (r#"--peer instead {"env": 0}"#, "`env` is 0 in an answer after one in which it was 0"),
        (r#"--peer instead {"env": -1}"#, "expected u64"),
        (r#"--peer instead {"goals": []}"#, "missing field `env`"),
        ("--peer instead [1]", "an answer must be an object"),
        (
            r#"--peer instead {"message": "Unknown environment."}"#,
            "it does not understand: Unknown environment.",
        ),
        (r#"--peer instead {"message": 3}"#, "invalid type"),
        (
            r#"--peer put {"messages": [{"severity": "fatal", "pos": null, "data": ""}]}"#,
            "unknown variant `fatal`",
        ),
    ] {
        assert_judged(run(&screen, body), Kind::Refused, reason);
    }
    // Nothing of that is kept.
    assert_eq!(count(&screen, HEADER), (1, true));
}

#[test]
fn time_is_counted_from_the_proof_on() {
    let slow_start = "--peer header slow 0.7\n";
    let screen = hasty();
    assert_eq!(
        screen.screen(slow_start, "", &long()).unwrap(),
        Screened { is_fresh: true, ..Screened::default() }
    );
    assert_judged(run(&screen, "--peer hang"), Kind::Timeout, "it was ended after 0.5 s");
    assert_judged(run(&screen, "--peer mute"), Kind::Timeout, "it was ended after 0.5 s");
    let short = Budget::starting_now(Duration::from_millis(1500));
    let found = super::tests::screen().screen(HEADER, "--peer hang", &short);
    assert_undecided(found, CauseKind::Timeout, "the time for the verification was over after");
}

#[test]
fn trouble_in_a_process_that_was_used_is_looked_at_again_in_a_fresh_one() {
    let backing = backing();
    for body in
        ["used die x", "used hang", "used flood", "used raw rubbish\\n\\n", "used twice", "used segfault"]
    {
        let screen = hurried::<Repl>(&backing);
        assert_eq!(count(&screen, HEADER), (1, true));
        let screened = run(&screen, &format!("--peer {body}")).unwrap();
        assert_eq!(screened, Screened { is_fresh: true, ..Screened::default() }, "{body}");
    }
    let screen = hasty();
    assert_eq!(count(&screen, HEADER), (1, true));
    assert_judged(run(&screen, "--peer hang"), Kind::Timeout, "0.5 s");
    assert_eq!(count(&screen, HEADER), (1, true));
    let short = Budget::starting_now(Duration::from_millis(300));
    let found = screen.screen(HEADER, "--peer hang", &short);
    assert_undecided(
        found,
        CauseKind::Timeout,
        "the time was over before a second try; the first: it did not answer",
    );
}

#[test]
fn what_was_not_asked_for_is_no_answer_to_the_next_question() {
    let screen = screen();
    // Before its own answer, which then is one too many for the process.
    let screened = run(&screen, "--peer raw {\"env\": 7}\\n\\n\n--peer slow 0.3").unwrap();
    assert_eq!(screened.messages, []);
    assert_eq!(count(&screen, HEADER), (1, true));
    for late in [r#"{"env": 99}\n\n"#, "rubbish", r#"{"env": 99, "messages": ["#] {
        run(&screen, &format!("--peer late {late}")).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(count(&screen, HEADER), (1, true), "{late}");
    }
    // Blank lines are nothing.
    run(&screen, "--peer late \\n \\n\\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(!count(&screen, HEADER).1);
}

#[test]
fn a_process_that_does_not_become_ready_is_nobodys_fault() {
    let screen = hasty();
    let with =
        |header: &str, budget: Budget| screen.screen(&format!("--peer header {header}\n"), "", &budget);
    assert_undecided(
        with("say error 1 7 unknown module prefix 'Peer'", long()),
        CauseKind::Unreachable,
        "the header does not elaborate: line 1, column 7: unknown module",
    );
    assert_undecided(with("sorry ⊢ False", long()), CauseKind::Unreachable, "it has `sorry`");
    assert_undecided(
        with("instead {\"message\": \"Lean error:\\nbad\"}", long()),
        CauseKind::Unreachable,
        "elaborate: bad",
    );
    assert_undecided(
        with("die of it", long()),
        CauseKind::Crash,
        "did not become ready: it left with exit code 1",
    );
    assert_undecided(
        with("raw hello\\n\\n", long()),
        CauseKind::Rubbish,
        "what should be Lean's REPL does not answer as one",
    );
    let found = with("hang", Budget::starting_now(Duration::from_millis(1000)));
    assert_undecided(found, CauseKind::Timeout, "the REPL was not ready with its header in");
    let mut missing = backing();
    missing.tool.run = vec!["/nonexistent/repl".to_owned()];
    let missing = WarmScreen::<Repl>::new(missing);
    assert_undecided(
        run(&missing, ""),
        CauseKind::Crash,
        "exit code 127; it said: the program cannot be run",
    );
    assert!(missing.ready().unwrap_err().contains("exit code 127"));
    let mut other = backing();
    other.tool = peer("print('I am no REPL')\nprint()");
    assert!(WarmScreen::<Repl>::new(other).ready().unwrap_err().contains("I am no REPL"));
}

#[test]
fn memory_is_told_apart() {
    let backing = backing();
    if !backing.sandbox.facts().unwrap().has_cgroups() {
        return println!("SKIPPED: memory_is_told_apart: no cgroups");
    }
    let found = run(&WarmScreen::<Repl>::new(backing), "--peer eat 1000000000");
    assert_judged(found, Kind::Memory, "it took more than 256 MiB of memory");
}

#[test]
fn many_at_once_do_not_mix() {
    let screen = screen();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let screen = &screen;
            scope.spawn(move || {
                for round in 0..5 {
                    let text = format!("{thread} {round}");
                    let screened = run(screen, &format!("--peer say info 1 0 {text}")).unwrap();
                    assert_eq!(screened.messages[0].text, text);
                }
            });
        }
    });
}
