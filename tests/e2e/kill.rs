//! A run that is killed (SIGKILL) at any instant and resumed ends with the bytes of one never killed.
//!
//! POLESTAR_KILLS=N (scripts/kill_test.sh) kills each run N times in place of 4, sees to it that every stage is hit at
//! least twice, and prints how often each was.

use std::time::Duration;

use polestar_tests::command::run;
use polestar_tests::files::assert_same_run;
use polestar_tests::process::{Entered, Running, histogram, stages};
use polestar_tests::recipe::{Lab, grpo, star};

/// Kills in the regular suite.
const FEW: usize = 4;

/// Numbers that differ from test run to test run; printed, so that a failure can be told.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed = std::env::var("POLESTAR_KILL_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|| u64::from(now.subsec_nanos()) + u64::from(std::process::id()));
        println!("POLESTAR_KILL_SEED={seed}");
        Self(seed)
    }

    /// Below `n`; SplitMix64.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn kills() -> usize {
    std::env::var("POLESTAR_KILLS").map_or(FEW, |kills| kills.parse().unwrap())
}

/// Kills a run `kills` times, aiming at each of `aims` in turn, and resumes it to its end. Gives the stages it was
/// killed in.
fn kill_and_resume(lab: &Lab, root: &std::path::Path, kills: usize, aims: &[&str]) -> Vec<String> {
    let mut dice = Dice::new();
    let file = lab.path("killed-stages");
    let mut hit: Vec<String> = Vec::new();
    for index in 0.. {
        let resume = root.join("plan.json").is_file() && index % 2 == 1;
        let args = if resume {
            vec!["resume".to_owned(), root.to_str().unwrap().to_owned()]
        } else {
            lab.train(root)
        };
        let mut running = Running::start(&args, &file);
        if hit.len() == kills {
            running.finish().succeeded();
            break;
        }
        // The second time around every other time, or the run would never come forward.
        let aim = aims[hit.len() % aims.len()];
        let times = 1 + (hit.len() / aims.len() + hit.len()) % 2;
        let goes_on = if aim == "loading" { true } else { running.wait_for(aim, times) };
        // Anywhere from the stage's first instant to well into it or past its end. Judging sums takes a moment.
        let longest = match aim {
            "loading" => 1_000_000,
            "verifying" | "hinted-verifying" => [1, 100, 500, 3_000][dice.below(4) as usize],
            _ => [200, 3_000, 20_000, 60_000][dice.below(4) as usize],
        };
        std::thread::sleep(Duration::from_micros(dice.below(longest)));
        match running.kill() {
            Ok(stage) => hit.push(stage),
            Err(done) => {
                let done = done.succeeded();
                assert!(!goes_on || hit.len() + 1 >= kills, "the run ended before its time: {}", done.stderr);
                break;
            }
        }
    }
    println!("killed {} times:\n{}", hit.len(), histogram(&hit));
    hit
}

fn entered(lab: &Lab) -> Vec<Entered> {
    stages(&lab.path("killed-stages"))
}

fn check_coverage(hit: &[String], kills: usize, wanted: &[&str]) {
    assert!(hit.len() >= kills.min(FEW) - 1, "{hit:?}");
    if kills > FEW {
        assert!(hit.len() >= kills, "the run ended after {} of {kills} kills: give it more steps", hit.len());
        for stage in wanted {
            let count = hit.iter().filter(|hit| hit == stage).count();
            assert!(count >= 2, "{stage} was hit {count} times, expected 2:\n{}", histogram(hit));
        }
    }
}

/// Steps that leave room for so many kills: every second one lets a step pass, or two where checkpoints are rare.
fn steps(kills: usize) -> u64 {
    (kills as u64 * 3 / 2).max(4)
}

#[test]
fn a_killed_grpo_run_ends_with_the_same_bytes() {
    let kills = kills();
    let lab = Lab::new(&grpo(steps(kills)));
    let (whole, killed) = (lab.path("whole"), lab.path("killed"));
    run(lab.train(&whole)).succeeded();
    let aims = ["updating", "saving", "sampling", "verifying", "evaluating", "recording", "loading"];
    let hit = kill_and_resume(&lab, &killed, kills, &aims);
    assert_same_run(&whole, &killed);
    check_coverage(&hit, kills, &["sampling", "verifying", "updating", "saving", "evaluating"]);
}

#[test]
fn a_killed_star_run_ends_with_the_same_bytes() {
    let kills = kills();
    // Iterations hardly grow, so that many of them stay short.
    let lab = Lab::new(&star(steps(kills)).replace("growth = 1.2", "growth = 1.02"));
    let (whole, killed) = (lab.path("whole"), lab.path("killed"));
    run(lab.train(&whole)).succeeded();
    let aims =
        ["hinted-sampling", "hinted-verifying", "saving", "updating", "verifying", "sampling", "loading"];
    let hit = kill_and_resume(&lab, &killed, kills, &aims);
    assert_same_run(&whole, &killed);
    check_coverage(&hit, kills, &["sampling", "verifying", "updating", "saving", "hinted-sampling"]);
    assert!(entered(&lab).iter().any(|entered| entered.stage == "hinted-verifying"));
}
