//! That each look sees what it is there for: a look that sees nothing would pass whatever a program did.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::{Command, Stdio};

use polestar_verifiers::{Outcome, Verdict};

use crate::looks::Look;
use crate::stage::Stage;

const SECRET: &str = "canary-of-the-test";

fn outcome(reason: &str) -> Outcome {
    Outcome { verdict: Verdict::wrong(reason, None), queue_s: 0.0, run_s: 2.0 }
}

/// That the look holds, then something is done, and it holds no more.
#[track_caller]
fn sees(stage: &Stage, look: &str, act: impl FnOnce(&dyn Fn(&str) -> String)) {
    let prepared = Look::prepare(&stage.fill(look)).unwrap();
    assert_eq!(prepared.failure(stage, &outcome(""), SECRET), None, "{look}");
    act(&|name| stage.fill(name));
    assert!(prepared.failure(stage, &outcome(""), SECRET).is_some(), "{look} saw nothing");
}

#[test]
fn connections_of_every_kind_are_heard() {
    let stage = Stage::new(SECRET);
    sees(&stage, "no-connection", |name| drop(TcpStream::connect(name("127.0.0.1:{PORT}")).unwrap()));
    sees(&stage, "no-connection", |name| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"hello", name("127.0.0.1:{PORT}")).unwrap();
    });
    sees(&stage, "no-connection", |name| drop(UnixStream::connect(name("{UNIX_PATH}")).unwrap()));
    sees(&stage, "no-connection", |name| {
        let address = SocketAddr::from_abstract_name(name("{ABSTRACT}")).unwrap();
        UnixStream::connect_addr(&address).unwrap().write_all(b"hello").unwrap();
    });
}

#[test]
fn files_are_seen() {
    let stage = Stage::new(SECRET);
    sees(&stage, "no-file {OUT}/new", |name| {
        std::os::unix::fs::symlink("/nowhere", name("{OUT}/new")).unwrap();
    });
    sees(&stage, "unchanged {VICTIM_FILE}", |name| std::fs::write(name("{VICTIM_FILE}"), "new").unwrap());
    sees(&stage, "unchanged {VICTIM_FILE}", |name| {
        std::fs::hard_link(name("{VICTIM_FILE}"), name("{OUT}/other")).unwrap();
    });
    sees(&stage, "unchanged {SECRET_FILE}", |name| std::fs::remove_file(name("{SECRET_FILE}")).unwrap());
}

#[test]
fn processes_are_seen() {
    let stage = Stage::new(SECRET);
    let mut left = None;
    sees(&stage, "no-process {MARK}", |name| {
        let mut command = Command::new("sleep");
        left = Some(command.arg("60").env("ANY", name("{MARK}")).stdin(Stdio::null()).spawn().unwrap());
    });
    let mut left = left.unwrap();
    left.kill().unwrap();
    left.wait().unwrap();
    sees(&stage, "alive {VICTIM_PID}", |name| {
        assert!(Command::new("kill").args(["-9", &name("{VICTIM_PID}")]).status().unwrap().success());
        // Until it is dead, which the kill does not wait for.
        while crate::processes::is_alive(name("{VICTIM_PID}").parse().unwrap()) {
            std::thread::yield_now();
        }
    });
}

#[test]
fn verdicts_are_read() {
    let stage = Stage::new(SECRET);
    let fails = |look: &str, reason: &str| {
        Look::prepare(look).unwrap().failure(&stage, &outcome(reason), SECRET).is_some()
    };
    assert!(fails("canary", "got 'canary-of-the-test', expected 3") && !fails("canary", "got 'canary'"));
    assert!(fails("fast 1.5", "") && !fails("fast 2.5", ""));
    for wrong in
        ["", "no-file", "no-file here", "alive x", "fast", "space /tmp", "no-such-look 3", "canary 3"]
    {
        assert!(Look::prepare(wrong).is_err(), "{wrong}");
    }
}
