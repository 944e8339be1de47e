//! What the tests of back ends that keep processes share: stand-ins to talk to, and what is said of them.

use std::time::Duration;

use super::boxed::tests::{peer, room, sandbox};
use super::screen::{Fault, Screen, Screened, Times};
use super::warm::{Backing, Warm, WarmScreen};
use crate::budget::Budget;
use crate::sandbox::Isolation;
use crate::verdict::{CauseKind, Kind};

pub(super) const HEADER: &str = "import Peer\nopen Peer\n";

/// Processes of the stand-in with this program.
pub(super) fn backing(program: &str) -> Backing {
    Backing {
        sandbox: sandbox(Isolation::Auto, Vec::new()),
        tool: peer(program),
        room: room(),
        times: Times { start: Duration::from_secs(20), proof: Duration::from_secs(20) },
        uses: 100,
        most_waiting: 2,
    }
}

/// With a proof's half a second.
pub(super) fn hurried<W: Warm>(backing: &Backing) -> WarmScreen<W> {
    let times = Times { start: Duration::from_secs(20), proof: Duration::from_millis(500) };
    WarmScreen::new(Backing { times, ..backing.clone() })
}

pub(super) fn long() -> Budget {
    Budget::starting_now(Duration::from_secs(60))
}

pub(super) fn run<W: Warm>(screen: &WarmScreen<W>, body: &str) -> Result<Screened, Fault> {
    screen.screen(HEADER, body, &long())
}

/// How many bodies the process has run, this one with them, and whether it was fresh; its header was this one.
#[track_caller]
pub(super) fn count<W: Warm>(screen: &WarmScreen<W>, header: &str) -> (u32, bool) {
    let screened = screen.screen(header, "--peer count", &long()).unwrap();
    let (count, found) = screened.messages[0].text.split_once(" bodies after ").unwrap();
    assert_eq!(found.trim_matches('\''), header.replace('\n', "\\n"));
    (count.parse().unwrap(), screened.is_fresh)
}

#[track_caller]
pub(super) fn assert_judged(found: Result<Screened, Fault>, kind: Kind, reason: &str) {
    let Err(Fault::Judged { kind: found, reason: why }) = found else { panic!("{found:?}") };
    assert_eq!(found, kind, "{why}");
    assert!(why.contains(reason), "{reason} is not in: {why}");
}

#[track_caller]
pub(super) fn assert_undecided(found: Result<Screened, Fault>, kind: CauseKind, reason: &str) {
    let Err(Fault::Undecided { kind: found, message: why, .. }) = found else { panic!("{found:?}") };
    assert_eq!(found, kind, "{why}");
    assert!(why.contains(reason), "{reason} is not in: {why}");
}
