//! What is wrong with a recipe's shape, with the exact message that a user reads.

use crate::recipe::validate::tests::complaint_for;

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert_eq!(
        complaint_for(&["rollout.temprature=0.5"]),
        "error: unknown key rollout.temprature
  expected: a key of [rollout]: prompts, n, temperature, examples_temperature, top_p, top_k, min_p, max_new_tokens, stop, slots
  found: `temprature`
  where: --set rollout.temprature=0.5
  next: did you mean `temperature`?"
    );
    assert_eq!(
        complaint_for(&["runn.seed=1"]),
        "error: unknown key runn
  expected: a key of the recipe: run, model, data, prompt, rollout, verifier, algorithm, update, optimizer, checkpoint, eval, log
  found: `runn`
  where: --set runn.seed=1
  next: did you mean `run`?"
    );
    assert_eq!(
        complaint_for(&["data.train.sourc=a"]),
        "error: unknown key data.train.sourc
  expected: a key of [data.train]: source, columns, answer_regex, limit, n, seed, split, options, max_bad_lines
  found: `sourc`
  where: --set data.train.sourc=a
  next: did you mean `source`?"
    );
    assert_eq!(
        complaint_for(&["update.kl={coef=1,estimater='k1'}"]),
        "error: unknown key update.kl.estimater
  expected: a key of [update.kl]: coef, estimator, place
  found: `estimater`
  where: --set update.kl={coef=1,estimater='k1'}
  next: did you mean `estimator`?"
    );
}

#[test]
fn a_key_of_another_section_is_sent_there() {
    assert_eq!(
        complaint_for(&["rollout.lr=1e-5"]),
        "error: unknown key rollout.lr
  expected: a key of [rollout]: prompts, n, temperature, examples_temperature, top_p, top_k, min_p, max_new_tokens, stop, slots
  found: `lr`
  where: --set rollout.lr=1e-5
  next: move it: `lr` is a key of [optimizer]"
    );
    assert_eq!(
        complaint_for(&["temperature=0.5"]),
        "error: unknown key temperature
  expected: a key of the recipe: run, model, data, prompt, rollout, verifier, algorithm, update, optimizer, checkpoint, eval, log
  found: `temperature`
  where: --set temperature=0.5
  next: move it: `temperature` is a key of [rollout] and of [eval]"
    );
    assert_eq!(
        complaint_for(&["rollout.kind=a"]),
        "error: unknown key rollout.kind
  expected: a key of [rollout]: prompts, n, temperature, examples_temperature, top_p, top_k, min_p, max_new_tokens, stop, slots
  found: `kind`
  where: --set rollout.kind=a
  next: move it: `kind` is a key of [[verifier]] and of [algorithm]"
    );
}

#[test]
fn a_key_of_another_kind_names_that_kind() {
    assert_eq!(
        complaint_for(&["algorithm.keep=4"]),
        "error: unknown key algorithm.keep
  expected: a key of [algorithm] of kind = \"grpo\": kind, std_eps
  found: `keep`
  where: --set algorithm.keep=4
  next: remove `keep`: it is a key of kind = \"star\", \"rft\", \"rest-em\""
    );
    assert_eq!(
        complaint_for(&["algorithm.zzz=4"]),
        "error: unknown key algorithm.zzz
  expected: a key of [algorithm] of kind = \"grpo\": kind, std_eps
  found: `zzz`
  where: --set algorithm.zzz=4
  next: remove it; docs/recipes.md describes every key"
    );
}

#[test]
fn a_word_is_one_of_the_known_words() {
    assert_eq!(
        complaint_for(&["algorithm.kind=grpoo"]),
        "error: algorithm.kind has an unknown value
  expected: one of \"sft\", \"star\", \"rft\", \"rest-em\", \"reinforce\", \"rloo\", \"grpo\", \"dr-grpo\"
  found: the string \"grpoo\"
  where: --set algorithm.kind=grpoo
  next: did you mean \"grpo\"?"
    );
    assert_eq!(
        complaint_for(&["model.dtype=float8"]),
        "error: model.dtype has an unknown value
  expected: one of \"auto\", \"f32\", \"bf16\", \"f16\"
  found: the string \"float8\"
  where: --set model.dtype=float8
  next: choose one of them"
    );
    assert_eq!(
        complaint_for(&["update.overlong=1"]),
        "error: update.overlong has an unknown value
  expected: one of \"zero\", \"mask\", \"keep\"
  found: the whole number 1
  where: --set update.overlong=1
  next: choose one of them"
    );
    assert_eq!(
        complaint_for(&["update.loss={kind='klip'}"]),
        "error: update.loss.kind has an unknown value
  expected: one of \"reinforce\", \"clip\", \"cispo\"
  found: the string \"klip\"
  where: --set update.loss={kind='klip'}
  next: did you mean \"clip\"?"
    );
}

#[test]
fn a_type_is_named() {
    assert_eq!(
        complaint_for(&["run.name=2024"]),
        "error: run.name has the wrong type
  expected: a string
  found: the whole number 2024
  where: --set run.name=2024
  next: quote it for TOML: --set 'run.name=\"2024\"'"
    );
    assert_eq!(
        complaint_for(&["rollout.n=1.5"]),
        "error: rollout.n has the wrong type
  expected: a whole number from 0
  found: the number 1.5
  where: --set rollout.n=1.5
  next: write a whole number from 0"
    );
    assert_eq!(
        complaint_for(&["rollout.n=-1"]),
        "error: rollout.n has the wrong type
  expected: a whole number from 0
  found: the whole number -1
  where: --set rollout.n=-1
  next: write a whole number from 0"
    );
    assert_eq!(
        complaint_for(&["rollout.temperature=hot"]),
        "error: rollout.temperature has the wrong type
  expected: a number
  found: the string \"hot\"
  where: --set rollout.temperature=hot
  next: write a number"
    );
    assert_eq!(
        complaint_for(&["rollout.stop=a"]),
        "error: rollout.stop has the wrong type
  expected: a list of strings
  found: the string \"a\"
  where: --set rollout.stop=a
  next: write a list of strings"
    );
    assert_eq!(
        complaint_for(&["rollout.stop=['a',1]"]),
        "error: rollout.stop.1 has the wrong type
  expected: a string
  found: the whole number 1
  where: --set rollout.stop=['a',1]
  next: quote it for TOML: --set 'rollout.stop.1=\"1\"'"
    );
    assert_eq!(
        complaint_for(&["rollout=3"]),
        "error: rollout has the wrong type
  expected: a table
  found: the whole number 3
  where: --set rollout=3
  next: write a table"
    );
    assert_eq!(
        complaint_for(&["algorithm=grpo"]),
        "error: algorithm has the wrong type
  expected: a table whose `kind` is one of \"sft\", \"star\", \"rft\", \"rest-em\", \"reinforce\", \"rloo\", \"grpo\", \"dr-grpo\"
  found: the string \"grpo\"
  where: --set algorithm=grpo
  next: write algorithm = { kind = \"grpo\" }, or pass --set algorithm.kind=grpo"
    );
    assert_eq!(
        complaint_for(&["eval.at_start=1"]),
        "error: eval.at_start has the wrong type
  expected: true or false
  found: the whole number 1
  where: --set eval.at_start=1
  next: write true or false"
    );
    assert_eq!(
        complaint_for(&["optimizer.lr=inf"]),
        "error: optimizer.lr is not finite
  expected: a finite number
  found: the number inf
  where: --set optimizer.lr=inf
  next: write a finite number"
    );
    assert_eq!(
        complaint_for(&["verifier.math.since=2024-01-01"]),
        "error: verifier.math.since is a date
  expected: a string, a number, true or false, a list or a table
  found: the date 2024-01-01
  where: --set verifier.math.since=2024-01-01
  next: put it in quotes"
    );
    assert_eq!(
        complaint_for(&["update.loss.low=0.1"]),
        "error: update.loss.kind is missing
  expected: one of \"reinforce\", \"clip\", \"cispo\"
  found: no `kind` in [update.loss]
  where: r.toml, update.loss.kind (left out)
  next: write `kind` into [update.loss], or pass --set update.loss.kind=..."
    );
    assert_eq!(
        complaint_for(&["verifier=math"]),
        "error: verifier has the wrong type
  expected: a list of tables
  found: the string \"math\"
  where: --set verifier=math
  next: write a list of tables"
    );
}
