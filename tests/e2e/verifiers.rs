//! Several verifiers in a training run: a gate, a program of the user's, and what happens where that program breaks.

use std::fs;

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, read_jsonl};
use polestar_tests::recipe::{Lab, grpo};

/// Half for a text of an odd number of characters, all for an even one.
const EVEN: &str = r#"
import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    is_even = len(request["response"]) % 2 == 0
    print(json.dumps({"id": request["id"], "score": 1.0 if is_even else 0.5}), flush=True)
"#;

/// Reads a request and ends.
const BREAKS: &str = "
import sys

sys.stdin.readline()
sys.exit(3)
";

/// A run whose responses must hold a digit, before anybody else is asked, and are judged by `program` as well.
fn lab(steps: u64, program: &str) -> Lab {
    let format = "[[verifier]]\nname = \"digit\"\nkind = \"format\"\npattern = '.*[0-9].*'\ngate = true\n\n";
    let process = "[[verifier]]\nname = \"even\"\nkind = \"process\"\ncommand = [\"python3\", \"FOLDER/program.py\"]\n\
                   weight = 0.5\nsuccess = 0\n\n";
    let recipe = grpo(steps).replacen("[[verifier]]", &format!("{format}{process}[[verifier]]"), 1);
    let lab = Lab::new(&recipe);
    fs::write(lab.path("program.py"), program).unwrap();
    lab
}

#[test]
fn a_gate_and_a_program_judge_beside_math() {
    let lab = lab(2, EVEN);
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
    let mut num_closed = 0;
    for line in &metrics[1..] {
        let [digit, even, math, reward] =
            ["rewards/digit/mean", "rewards/even/mean", "rewards/math/mean", "reward"]
                .map(|key| line[key].as_f64().unwrap_or_else(|| panic!("{key}: {line}")));
        assert_eq!(line["verdicts/undecided_ratio"], 0.0, "{line}");
        // The means of the others are over what the gate let through, and the reward over everything.
        assert!((0.5..=1.0).contains(&even), "{line}");
        let expected = digit * (0.5 * even + math) / 1.5;
        assert!((reward - expected).abs() < 1e-9, "{reward} is not {expected}: {line}");
        num_closed += u32::from(digit < 1.0);
    }
    assert!(num_closed > 0, "the gate must let something through and something not: {metrics:?}");
    let shown = run(["rollouts", runs[0].to_str().unwrap(), "--step", "1", "--wrong"]).succeeded();
    assert!(shown.stdout.contains("the gate `digit` is not passed"), "{}", shown.stdout);
}

#[test]
fn a_program_that_cannot_start_is_an_error_before_training() {
    let lab = lab(1, EVEN);
    let root = lab.path("run");
    let missing = ["--set".to_owned(), "verifier.even.command=[\"no-such-program-7\"]".to_owned()];
    run(lab.train(&root).into_iter().chain(missing)).failed(2, &["even", "no-such-program-7"]);
    assert!(!root.exists(), "nothing was begun");
}

#[test]
fn a_program_that_breaks_is_nobodys_reward_and_stops_the_run() {
    let lab = lab(1, BREAKS);
    run(lab.train(&lab.path("run"))).failed(1, &["verdicts were undecided", "max_undecided", "exit code 3"]);
}
