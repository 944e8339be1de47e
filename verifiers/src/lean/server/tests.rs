//! The back end against a stand-in that answers as Lean's language server does, against what else may be on the other side,
//! and against Lean itself where there is one.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::budget::Budget;
use crate::lean::boxed::Tool;
use crate::lean::boxed::tests::{peer, room, sandbox_of};
use crate::lean::peers::{self, HEADER, assert_judged, assert_undecided, count, hurried, long, run};
use crate::lean::screen::Screen;
use crate::lean::warm::{Backing, WarmScreen};
use crate::sandbox::Isolation;
use crate::verdict::{CauseKind, Kind};

const PEER: &str = include_str!("../../../tests/lean_peers/server.py");
/// One that everybody can read.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";
fn backing() -> Backing {
    peers::backing(PEER)
}

fn screen() -> WarmScreen<Server> {
    WarmScreen::new(backing())
}

fn hasty() -> WarmScreen<Server> {
    hurried(&backing())
}

#[test]
fn messages_have_places_in_the_body_and_sorries_are_counted() {
    let screen = screen();
    let body = "theorem a : True := trivial\n/- é𝔸b -/ --peer say 1 7 unknown identifier\n--peer say 3 0 fine\n\
                --peer say 4 0 hint\n--peer say 2 2 declaration uses 'sorry'\n--peer unsaid goals accomplished\n\
                --peer early 2\n--peer early 1";
    let screened = run(&screen, body).unwrap();
    let message =
        |severity, line, column, text: &str| Message { severity, line, column, text: text.to_owned() };
    let expected = [
        // The fourth character is two units.
        message(Severity::Error, 2, 6, "unknown identifier"),
        message(Severity::Info, 3, 0, "fine"),
        message(Severity::Info, 4, 0, "hint"),
        message(Severity::Warning, 5, 2, "declaration uses 'sorry'"),
        message(Severity::Error, 1, 0, "of the header"),
    ];
    assert_eq!(screened.messages, expected);
    assert_eq!((screened.num_sorries, screened.is_fresh), (1, true));
    let screened = run(&screen, "--peer say 2 0 declaration uses `sorry`\n--peer part and more").unwrap();
    assert_eq!((screened.num_sorries, screened.messages.len(), screened.is_fresh), (1, 2, false));
    assert_eq!(screened.error().unwrap(), &message(Severity::Error, 2, 0, "and more"));
    assert_eq!(run(&screen, "").unwrap(), Screened::default());
    assert_eq!(count(&screen, HEADER), (4, false));
    // A header without an end of its last line gets one.
    let screened = screen.screen("import Peer", "--peer say 1 0 here", &long()).unwrap();
    assert_eq!(screened.messages[0].line, 1);
}

#[test]
fn what_is_of_an_earlier_version_or_of_another_document_does_not_count() {
    let screen = screen();
    for body in ["stale", "elsewhere", "ask", "raw Content-Type: x\\r\\ncontent-length: 2\\r\\n\\r\\n{}"] {
        let body = format!("--peer slow 0\n--peer {body}\n");
        let found = run(&screen, &body);
        if body.contains("raw") {
            assert_judged(found, Kind::Refused, "an answer must have the `id` of a request");
        } else {
            assert_eq!(found.unwrap().messages, [], "{body}");
        }
    }
    assert_eq!(screen.ready(), Ok(()));
}

#[test]
fn a_server_is_kept_by_its_header_and_replaced_after_its_uses() {
    let screen = WarmScreen::<Server>::new(Backing { uses: 2, ..backing() });
    let counts: Vec<_> = (0..3).map(|_| count(&screen, HEADER).0).collect();
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(count(&screen, ""), (1, true));
    assert_eq!(count(&screen, HEADER), (2, false));
}

#[test]
fn what_a_proof_alone_does_to_its_server_is_its_fault() {
    let screen = hasty();
    assert_judged(
        run(&screen, "--peer die of it"),
        Kind::Crash,
        "exit code 1; it said: Watchdog error: of it",
    );
    let ended = "the process in which it elaborates ended; it said: Server process for the file crashed";
    assert_judged(run(&screen, "--peer worker"), Kind::Crash, ended);
    assert_judged(run(&screen, "--peer fatal"), Kind::Crash, "ended; it said nothing");
    assert_judged(run(&screen, "--peer refuse content modified"), Kind::Crash, "it said: content modified");
    assert_judged(run(&screen, "--peer half 10"), Kind::Crash, "exit code 0");
    assert_judged(run(&screen, "--peer flood x"), Kind::Refused, "language server");
    // What would be kept, or answered, for ever.
    for endless in ["pile", "nag"] {
        let found = run(&self::screen(), &format!("--peer {endless}"));
        assert_judged(found, Kind::Refused, "wrote more than 1024 KiB");
    }
    // Of messages that are none of our business.
    assert_judged(run(&screen, "--peer flood"), Kind::Timeout, "it was ended after 0.5 s");
    for silence in
        ["hang", "mute", "unpublished", "unfinished", "stale\n--peer hang", "progress -1\n--peer mute"]
    {
        let found = run(&screen, &format!("--peer {silence}"));
        assert_judged(found, Kind::Timeout, "it was ended after 0.5 s");
    }
    for (body, reason) in [
        ("raw hello hello hello", "a message must begin with"),
        ("raw Content-Length: x\\r\\n\\r\\n", "must begin with its length"),
        ("raw Content-Length: 9\\r\\nContent-Length: 9\\r\\n\\r\\n{}", "must begin with its length"),
        ("raw Content-Length: 99999999999\\r\\n\\r\\n{}", "must begin with its length"),
        ("raw Content-Length: 5\\r\\n\\r\\nhello", "a message must be an object, found `hello`"),
        ("raw Content-Length: 4\\r\\n\\r\\n[{}]", "a message must be an object"),
        ("id 99", "it answered request 99, which was answered before or never sent"),
        ("id 1", "it answered request 1"),
        ("version 1", "it speaks of version 3, and the last is 2"),
        ("progress 1", "it speaks of version 3"),
        ("version none", "it does not say which version"),
    ] {
        assert_judged(run(&screen, &format!("--peer {body}")), Kind::Refused, reason);
    }
    assert_eq!(count(&screen, HEADER), (1, true));
}

#[test]
fn a_document_that_is_given_up_has_its_errors() {
    let screen = screen();
    let screened = run(&screen, "--peer say 1 0 unknown module prefix\n--peer fatal").unwrap();
    assert_eq!(screened.error().unwrap().text, "unknown module prefix");
    let before = Instant::now();
    assert_judged(run(&screen, "--peer worker mute"), Kind::Crash, "it said nothing");
    assert!(before.elapsed() < Duration::from_secs(15), "{:?}", before.elapsed());
}

#[test]
fn trouble_in_a_server_that_was_used_is_looked_at_again_in_a_fresh_one() {
    let backing = backing();
    for body in ["die x", "hang", "worker", "fatal", "raw rubbish rubbish", "version 1", "id 1", "mute"] {
        let screen = hurried::<Server>(&backing);
        assert_eq!(count(&screen, HEADER), (1, true));
        let screened = run(&screen, &format!("--peer used {body}")).unwrap();
        assert_eq!(screened, Screened { is_fresh: true, ..Screened::default() }, "{body}");
    }
}

#[test]
fn what_was_not_asked_for_is_no_answer_to_the_next_question() {
    for (late, is_kept) in [("rubbish", false), ("answer", false), ("progress", false), ("hint", true)] {
        let screen = screen();
        run(&screen, &format!("--peer late {late}")).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(count(&screen, HEADER), if is_kept { (2, false) } else { (1, true) }, "{late}");
    }
    // Half a message, and one that is about a version to come: seen when the rest comes, or with the next version.
    for late in ["half", "next"] {
        let screen = screen();
        run(&screen, &format!("--peer late {late}")).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(count(&screen, HEADER), (1, true), "{late}");
    }
}

#[test]
fn a_server_that_does_not_become_ready_is_nobodys_fault() {
    let screen = hasty();
    let with =
        |header: &str, budget: Budget| screen.screen(&format!("--peer header {header}\n"), "", &budget);
    let found = with("say 1 7 unknown module prefix 'Peer'", long());
    assert_undecided(found, CauseKind::Unreachable, "does not elaborate: line 1, column 7: unknown module");
    let found = with("say 2 0 declaration uses `sorry`", long());
    assert_undecided(found, CauseKind::Unreachable, "it has `sorry`");
    assert_undecided(
        with("die of it", long()),
        CauseKind::Crash,
        "did not become ready: it left with exit code 1",
    );
    assert_undecided(with("worker", long()), CauseKind::Crash, "Server process for the file crashed");
    assert_undecided(with("raw rubbish rubbish", long()), CauseKind::Rubbish, "does not answer as one");
    let found = with("hang", Budget::starting_now(Duration::from_millis(1000)));
    assert_undecided(found, CauseKind::Timeout, "the language server was not ready with its header in");
    assert_eq!(screen.screen("--peer header slow 0.7\n", "", &long()).unwrap().messages, []);
    for script in [
        "print('I am no server')",
        "import time; print('Content-Length: 2\\r\\n\\r\\n{}', flush=True); time.sleep(9)",
    ] {
        let other = WarmScreen::<Server>::new(Backing { tool: peer(script), ..backing() });
        assert!(other.ready().unwrap_err().contains("does not answer as one"), "{script}");
    }
}

/// Lean itself, as scripts/bare_lean.sh makes it: its program in `POLESTAR_LEAN`. With what must be kept while it runs.
fn lean(isolation: Isolation) -> Option<(WarmScreen<Server>, tempfile::TempDir)> {
    let Some(lean) = std::env::var_os("POLESTAR_LEAN") else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return None;
    };
    let installed = Path::new(&lean).ancestors().nth(2).unwrap();
    // Where nothing is shown under another path, a user without rights must be able to read all of it.
    let folder = tempfile::tempdir().unwrap();
    let readable = Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable.clone()).unwrap();
    for file in ["bin/lean", "lib/lean/libleanshared.so", "lib/lean/Init.olean"] {
        let copy = folder.path().join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(installed.join(file), &copy).unwrap();
        std::fs::set_permissions(&copy, readable.clone()).unwrap();
    }
    let program = folder.path().join("bin/lean").display().to_string();
    let run = [program].into_iter().chain(ARGUMENTS.map(str::to_owned)).collect();
    let tool = Tool { run, ..Tool::default() };
    let room = crate::lean::boxed::Room { memory_bytes: 2 << 30, ..room() };
    let python = if Path::new(SYSTEM_PYTHON).exists() { SYSTEM_PYTHON } else { "python3" };
    let sandbox = sandbox_of(python, isolation, vec![folder.path().to_owned()]);
    if let Err(problem) = sandbox.facts() {
        println!("SKIPPED: {problem}");
        return None;
    }
    Some((WarmScreen::new(Backing { sandbox, tool, room, ..backing() }), folder))
}

#[test]
fn lean_itself_answers_in_namespaces() {
    lean_itself_answers(Isolation::Namespaces);
}

#[test]
fn lean_itself_answers_behind_rules() {
    lean_itself_answers(Isolation::Landlock);
}

#[test]
fn lean_itself_answers_within_limits_alone() {
    lean_itself_answers(Isolation::None);
}

fn lean_itself_answers(isolation: Isolation) {
    let Some((screen, _folder)) = lean(isolation) else { return };
    assert_eq!(screen.ready(), Ok(()));
    let header = "import Init\n";
    let run = |body: &str| screen.screen(header, body, &long()).unwrap();
    assert_eq!(run("theorem a : True := True.intro\n").messages, []);
    let screened = run("\ntheorem a : True := True.intro\ntheorem b : False := True.intro\n");
    let error = screened.error().unwrap();
    assert_eq!((error.line, error.column, screened.is_fresh), (3, 21, false));
    assert!(error.text.contains("ismatch"), "{error}");
    // The next is not taken for the last.
    let right = run("\ntheorem a : True := True.intro\ntheorem b : True := True.intro\n");
    assert_eq!((right.messages, right.is_fresh), (vec![], false));
    assert!(!run("theorem c : False := sorry\n").messages.is_empty());
    assert!(run("theorem c : False := \n").error().is_some());
    // As a limit of heartbeats stands before a body.
    let tight = run("set_option maxHeartbeats 1 theorem a : 1 + 1 = 2 := rfl\n");
    assert!(tight.error().unwrap().text.contains("number of heartbeats (1)"), "{tight:?}");
    let found = screen.screen("import Nowhere\n", "", &long());
    assert_undecided(found, CauseKind::Unreachable, "unknown module prefix 'Nowhere'");
    let before = Instant::now();
    let num_rounds = 20;
    for round in 0..num_rounds {
        let screened = run(&format!("theorem a{round} : True := True.intro\n"));
        assert_eq!((screened.messages, screened.is_fresh), (vec![], false));
    }
    println!("{:.1} ms a proof", before.elapsed().as_secs_f64() * 1000.0 / f64::from(num_rounds));
}
