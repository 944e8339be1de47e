//! Every rule between keys, with the exact message that a user reads. Ranges and sound recipes are in `range_tests`.

use std::path::Path;

use crate::complaint::Complain;
use crate::recipe::Recipe;

/// A sound recipe, to which each case adds what is wrong.
pub(super) const SOUND: &str = "[run]
name = \"t\"
steps = 10
[model]
path = \"m\"
[data.train]
source = \"p.jsonl\"
[data.eval]
source = \"e.jsonl\"
[[verifier]]
kind = \"math\"
[algorithm]
kind = \"grpo\"
[rollout]
n = 8
";

/// What the user reads about `SOUND` with these settings.
pub(in crate::recipe) fn complaint_for(sets: &[&str]) -> String {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let error = match Recipe::parse(Path::new("r.toml"), SOUND.to_owned(), &sets) {
        Ok(loaded) => loaded.validate().unwrap_err(),
        Err(error) => error,
    };
    error.complaints().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn data_train_is_needed() {
    assert_eq!(
        complaint_for(&["data={eval={source='e'}}"]),
        "error: there is nothing to train on
  expected: a table [data.train]
  found: under [data]: eval
  where: --set data={eval={source='e'}}
  next: write [data.train] with a `source`"
    );
}

#[test]
fn somebody_judges() {
    assert_eq!(
        complaint_for(&["verifier=[]"]),
        "error: nobody judges the responses
  expected: at least one [[verifier]]
  found: no [[verifier]], algorithm.kind = \"grpo\"
  where: --set verifier=[]
  where: r.toml:13, algorithm.kind
  next: write a [[verifier]] with a `kind`, for instance kind = \"math\""
    );
    assert_eq!(
        complaint_for(&["verifier=[]", "algorithm.kind=sft", "rollout.n=1"]),
        "error: nobody judges the evaluation sets
  expected: at least one [[verifier]]
  found: no [[verifier]], algorithm.kind = \"sft\"
  where: --set verifier=[]
  where: --set algorithm.kind=sft
  next: write a [[verifier]] with a `kind`, for instance kind = \"math\""
    );
}

#[test]
fn some_verifier_has_weight() {
    assert_eq!(
        complaint_for(&["verifier.math.weight=0"]),
        "error: every verifier has weight 0, so every score would be 0
  expected: at least one weight above 0; a gate has 0 unless it is given one
  found: verifier.math.weight = 0
  where: --set verifier.math.weight=0
  next: set verifier.math.weight = 1.0"
    );
}

#[test]
fn verifiers_have_names_of_their_own() {
    assert_eq!(
        complaint_for(&["verifier=[{kind='math'},{kind='text',name='math'}]"]),
        "error: two verifiers are named \"math\"
  expected: a name of its own for each [[verifier]] (left out, it is the kind)
  found: verifier.0 and verifier.1 are both \"math\"
  where: --set verifier=[{kind='math'},{kind='text',name='math'}]
  next: give one of them another `name`"
    );
}

#[test]
fn a_group_of_one_has_no_baseline() {
    assert_eq!(
        complaint_for(&["rollout.n=1"]),
        "error: a group of one response has no baseline: every advantage would be 0 or undefined
  expected: rollout.n of at least 2 with algorithm.kind = \"grpo\"
  found: rollout.n = 1
  where: --set rollout.n=1
  where: r.toml:13, algorithm.kind
  next: set rollout.n = 8, or take algorithm.kind = \"reinforce\" with algorithm.baseline = \"none\""
    );
    assert_eq!(
        complaint_for(&["rollout.n=1", "algorithm={kind='reinforce', baseline='leave-one-out'}"]),
        "error: a group of one response has no baseline: every advantage would be 0 or undefined
  expected: rollout.n of at least 2 with algorithm.baseline = \"leave-one-out\"
  found: rollout.n = 1
  where: --set rollout.n=1
  where: --set algorithm={kind='reinforce', baseline='leave-one-out'}
  next: set rollout.n = 8, or take algorithm.kind = \"reinforce\" with algorithm.baseline = \"none\""
    );
}

#[test]
fn greedy_rollouts_teach_nothing() {
    assert_eq!(
        complaint_for(&["rollout.temperature=0"]),
        "error: greedy decoding has no policy gradient: nothing is sampled
  expected: rollout.temperature above 0 with algorithm.kind = \"grpo\"
  found: rollout.temperature = 0
  where: --set rollout.temperature=0
  where: r.toml:13, algorithm.kind
  next: set rollout.temperature = 1.0"
    );
    assert_eq!(
        complaint_for(&["rollout.temperature=0", "algorithm={kind='rft'}"]),
        "error: greedy decoding makes all samples of a problem the same
  expected: rollout.temperature above 0, or rollout.n = 1
  found: rollout.temperature = 0 and rollout.n = 8
  where: --set rollout.temperature=0
  where: r.toml:15, rollout.n
  next: set rollout.temperature = 0.8, or rollout.n = 1"
    );
    assert_eq!(
        complaint_for(&[
            "rollout.examples_temperature=0",
            "prompt.train_on_examples=true",
            "update.kl.coef=0",
            "prompt.examples=[{prompt=\"a\",response=\"b\"}]"
        ]),
        "error: greedy decoding has no policy gradient: nothing is sampled
  expected: rollout.examples_temperature above 0 with algorithm.kind = \"grpo\"
  found: rollout.examples_temperature = 0
  where: --set rollout.examples_temperature=0
  where: r.toml:13, algorithm.kind
  next: set rollout.examples_temperature = 1.0"
    );
}

#[test]
fn a_ratio_needs_a_policy_gradient() {
    assert_eq!(
        complaint_for(&["algorithm={kind='star'}", "update.loss={kind='clip'}"]),
        "error: algorithm.kind = \"star\" learns by likelihood, for which no ratio is defined
  expected: update.loss.kind = \"reinforce\", or no update.loss
  found: update.loss.kind = \"clip\"
  where: --set update.loss={kind='clip'}
  where: --set algorithm={kind='star'}
  next: remove update.loss, or choose a policy-gradient algorithm, for instance algorithm.kind = \"grpo\""
    );
    assert_eq!(
        complaint_for(&["algorithm={kind='sft'}", "update.loss={kind='cispo'}"]),
        "error: algorithm.kind = \"sft\" learns by likelihood, for which no ratio is defined
  expected: update.loss.kind = \"reinforce\", or no update.loss
  found: update.loss.kind = \"cispo\"
  where: --set update.loss={kind='cispo'}
  where: --set algorithm={kind='sft'}
  next: remove update.loss, or choose a policy-gradient algorithm, for instance algorithm.kind = \"grpo\""
    );
}

#[test]
fn rloo_has_no_token_ratio_for_cispo() {
    assert_eq!(
        complaint_for(&["algorithm={kind='rloo'}", "update.loss={kind='cispo'}"]),
        "error: cispo caps a ratio of each token, and rloo has one ratio a response
  expected: update.loss.kind = \"clip\" or \"reinforce\" with algorithm.kind = \"rloo\"
  found: update.loss.kind = \"cispo\"
  where: --set update.loss={kind='cispo'}
  where: --set algorithm={kind='rloo'}
  next: remove update.loss, or take algorithm.kind = \"reinforce\" with algorithm.baseline = \"leave-one-out\""
    );
}

#[test]
fn a_ratio_needs_the_prompt_that_was_sampled_from() {
    assert_eq!(
        complaint_for(&["update.kl.coef=0", "prompt.examples=[{prompt=\"a\",response=\"b\"}]"]),
        "error: responses are sampled after worked examples and learned without them, for which no ratio is defined
  expected: update.loss.kind = \"reinforce\", or the same prompt for sampling and for learning
  found: update.loss.kind = \"clip\", which is what algorithm.kind = \"grpo\" takes, with prompt.examples and prompt.train_on_examples = false
  where: r.toml, update.loss (left out)
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: set update.loss = { kind = \"reinforce\" }, or prompt.train_on_examples = true, or remove prompt.examples"
    );
    assert_eq!(
        complaint_for(&["algorithm={kind='reinforce'}", "update.loss={kind='cispo'}", "prompt.examples=[{prompt=\"a\",response=\"b\"}]"]),
        "error: responses are sampled after worked examples and learned without them, for which no ratio is defined
  expected: update.loss.kind = \"reinforce\", or the same prompt for sampling and for learning
  found: update.loss.kind = \"cispo\", with prompt.examples and prompt.train_on_examples = false
  where: --set update.loss={kind='cispo'}
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: set update.loss = { kind = \"reinforce\" }, or prompt.train_on_examples = true, or remove prompt.examples"
    );
}

#[test]
fn a_ratio_needs_the_full_distribution() {
    assert_eq!(
        complaint_for(&["rollout.top_p=0.9"]),
        "error: truncated sampling changes the distribution, and the update does not know which tokens were kept
  expected: rollout.top_p = 1.0 with a loss that has a ratio
  found: rollout.top_p = 0.9, update.loss.kind = \"clip\", which is what algorithm.kind = \"grpo\" takes
  where: --set rollout.top_p=0.9
  where: r.toml, update.loss (left out)
  next: set rollout.top_p = 1.0, or update.loss = { kind = \"reinforce\" }"
    );
    assert_eq!(
        complaint_for(&["rollout.top_k=50", "update.loss={kind='clip'}"]),
        "error: truncated sampling changes the distribution, and the update does not know which tokens were kept
  expected: rollout.top_k = 0 with a loss that has a ratio
  found: rollout.top_k = 50, update.loss.kind = \"clip\"
  where: --set rollout.top_k=50
  where: --set update.loss={kind='clip'}
  next: set rollout.top_k = 0, or update.loss = { kind = \"reinforce\" }"
    );
    assert_eq!(
        complaint_for(&["rollout.min_p=0.1"]),
        "error: truncated sampling changes the distribution, and the update does not know which tokens were kept
  expected: rollout.min_p = 0.0 with a loss that has a ratio
  found: rollout.min_p = 0.1, update.loss.kind = \"clip\", which is what algorithm.kind = \"grpo\" takes
  where: --set rollout.min_p=0.1
  where: r.toml, update.loss (left out)
  next: set rollout.min_p = 0.0, or update.loss = { kind = \"reinforce\" }"
    );
}

#[test]
fn a_ratio_needs_one_temperature() {
    let shown = [
        "prompt.train_on_examples=true",
        "prompt.examples=[{prompt=\"a\",response=\"b\"}]",
        "rollout.examples_temperature=0.6",
    ];
    let with = |more: &[&'static str]| complaint_for(&[&shown[..], more].concat());
    assert_eq!(
        with(&["update.kl.coef=0"]),
        "error: responses after worked examples are sampled at another temperature than they are learned at, for which no ratio is defined
  expected: rollout.examples_temperature left out or equal to rollout.temperature, with a loss that has a ratio
  found: rollout.examples_temperature = 0.6 and rollout.temperature = 1, update.loss.kind = \"clip\", which is what algorithm.kind = \"grpo\" takes
  where: --set rollout.examples_temperature=0.6
  where: r.toml:14, rollout.temperature (left out)
  where: r.toml, update.loss (left out)
  next: remove rollout.examples_temperature, or set update.loss = { kind = \"reinforce\" } and prompt.train_on_examples = false"
    );
    for algorithm in ["algorithm={kind='rloo'}", "algorithm={kind='dr-grpo'}", "update.loss={kind='cispo'}"] {
        let message = with(&[algorithm]);
        assert!(message.contains("for which no ratio is defined"), "{algorithm}: {message}");
    }
    // A KL is estimated on what was sampled, whatever the loss.
    let message = with(&["algorithm={kind='reinforce'}", "update.kl.coef=0.1"]);
    assert!(
        message.starts_with("error: responses after worked examples are sampled at another temperature than they are learned at, on which the KL cannot be estimated"),
        "{message}"
    );
}

#[test]
fn likelihood_has_no_kl() {
    assert_eq!(
        complaint_for(&["algorithm={kind='rft'}", "update.kl.coef=0.1"]),
        "error: algorithm.kind = \"rft\" learns from chosen responses, on which the KL to the base model cannot be estimated
  expected: no update.kl
  found: update.kl.coef = 0.1
  where: --set update.kl.coef=0.1
  where: --set algorithm={kind='rft'}
  next: remove update.kl, or choose a policy-gradient algorithm, for instance algorithm.kind = \"reinforce\""
    );
}

#[test]
fn kl_in_the_reward_is_k1() {
    assert_eq!(
        complaint_for(&["update.kl={coef=0.1, place='reward'}"]),
        "error: only k1 can be subtracted from the reward; k2 and k3 are for the loss
  expected: update.kl.estimator = \"k1\" with update.kl.place = \"reward\"
  found: update.kl.estimator = \"k3\"
  where: --set update.kl={coef=0.1, place='reward'}
  next: set update.kl.estimator = \"k1\", or update.kl.place = \"loss\""
    );
}

#[test]
fn kl_needs_the_prompt_that_was_sampled_from() {
    assert_eq!(
        complaint_for(&["update.loss={kind='reinforce'}", "prompt.examples=[{prompt=\"a\",response=\"b\"}]"]),
        "error: responses are sampled after worked examples and learned without them, on which the KL cannot be estimated
  expected: no KL, or the same prompt for sampling and for learning
  found: update.kl.coef = 0.04, which is what algorithm.kind = \"grpo\" takes, with prompt.examples and prompt.train_on_examples = false
  where: r.toml, update.kl (left out)
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: set update.kl.coef = 0.0, or prompt.train_on_examples = true, or remove prompt.examples"
    );
    assert_eq!(
        complaint_for(&["algorithm={kind='reinforce'}", "update.kl.coef=0.1", "prompt.examples=[{prompt=\"a\",response=\"b\"}]"]),
        "error: responses are sampled after worked examples and learned without them, on which the KL cannot be estimated
  expected: no KL, or the same prompt for sampling and for learning
  found: update.kl.coef = 0.1, with prompt.examples and prompt.train_on_examples = false
  where: --set update.kl.coef=0.1
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: set update.kl.coef = 0.0, or prompt.train_on_examples = true, or remove prompt.examples"
    );
}

#[test]
fn star_counts_steps_not_passes() {
    assert_eq!(
        complaint_for(&["algorithm={kind='star'}", "update.epochs=2"]),
        "error: star counts optimizer steps, not passes
  expected: no update.epochs with algorithm.kind = \"star\"
  found: update.epochs = 2
  where: --set update.epochs=2
  where: --set algorithm={kind='star'}
  next: remove update.epochs and set algorithm.first_steps and algorithm.growth"
    );
}

#[test]
fn likelihood_has_no_spread() {
    assert_eq!(
        complaint_for(&["algorithm={kind='rft'}", "update.drop_zero_spread=true"]),
        "error: algorithm.kind = \"rft\" has no advantages, so no group is without spread
  expected: update.drop_zero_spread = false with algorithm.kind = \"rft\"
  found: update.drop_zero_spread = true
  where: --set update.drop_zero_spread=true
  where: --set algorithm={kind='rft'}
  next: remove update.drop_zero_spread"
    );
}

#[test]
fn only_a_baseline_can_be_missing() {
    for algorithm in ["{kind='rft'}", "{kind='reinforce', baseline='none'}"] {
        let message = complaint_for(&["update.undecided_groups=stop", &format!("algorithm={algorithm}")]);
        assert!(message.contains("so no group lacks a baseline"), "{algorithm}: {message}");
        assert!(message.contains("--set update.undecided_groups=stop"), "{algorithm}: {message}");
    }
    assert!(complaint_for(&["update.undecided_groups=ignore"]).contains("\"stop\""));
}

#[test]
fn a_system_message_needs_a_chat_template() {
    assert_eq!(
        complaint_for(&["prompt.system=Think.", "prompt.chat=off"]),
        "error: a system message needs a chat template
  expected: prompt.chat = \"auto\" or \"on\" with prompt.system
  found: prompt.chat = \"off\"
  where: --set prompt.system=Think.
  where: --set prompt.chat=off
  next: move the text into prompt.template, or remove prompt.chat"
    );
}

#[test]
fn keys_about_examples_need_examples() {
    assert_eq!(
        complaint_for(&["prompt.examples_steps=1"]),
        "error: prompt.examples_steps has no effect without worked examples
  expected: [[prompt.examples]] with prompt.examples_steps
  found: prompt.examples_steps = 1 and no [[prompt.examples]]
  where: --set prompt.examples_steps=1
  where: r.toml, prompt.examples (left out)
  next: write [[prompt.examples]], or remove prompt.examples_steps"
    );
    assert_eq!(
        complaint_for(&["prompt.train_on_examples=true"]),
        "error: prompt.train_on_examples has no effect without worked examples
  expected: [[prompt.examples]] with prompt.train_on_examples
  found: prompt.train_on_examples = true and no [[prompt.examples]]
  where: --set prompt.train_on_examples=true
  where: r.toml, prompt.examples (left out)
  next: write [[prompt.examples]], or remove prompt.train_on_examples"
    );
    assert_eq!(
        complaint_for(&["rollout.examples_temperature=0.5"]),
        "error: rollout.examples_temperature has no effect without worked examples
  expected: [[prompt.examples]] with rollout.examples_temperature
  found: rollout.examples_temperature = 0.5 and no [[prompt.examples]]
  where: --set rollout.examples_temperature=0.5
  where: r.toml, prompt.examples (left out)
  next: write [[prompt.examples]], or remove rollout.examples_temperature"
    );
}

#[test]
fn examples_are_shown_in_some_step() {
    assert_eq!(
        complaint_for(&[
            "prompt.examples_steps=0",
            "prompt.train_on_examples=true",
            "prompt.examples=[{prompt=\"a\",response=\"b\"}]"
        ]),
        "error: the worked examples are shown in no step
  expected: prompt.examples_steps of at least 1
  found: prompt.examples_steps = 0
  where: --set prompt.examples_steps=0
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: remove prompt.examples_steps to show them always, or remove [[prompt.examples]]"
    );
}

#[test]
fn a_constant_schedule_has_no_length() {
    assert_eq!(
        complaint_for(&["optimizer.total=5"]),
        "error: a constant schedule has no length
  expected: no optimizer.total with optimizer.schedule = \"constant\"
  found: optimizer.total = 5
  where: --set optimizer.total=5
  where: r.toml, optimizer.schedule (left out)
  next: remove optimizer.total, or set optimizer.schedule = \"cosine\" or \"linear\""
    );
}

#[test]
fn a_schedule_needs_a_length() {
    assert_eq!(
        complaint_for(&["algorithm={kind='rft'}", "update.batch=16", "optimizer.schedule=cosine"]),
        "error: the schedule's length cannot be known before the run: it depends on how many responses are right
  expected: optimizer.total, the number of optimizer steps that the schedule covers
  found: no optimizer.total, algorithm.kind = \"rft\" and update.batch
  where: r.toml, optimizer.total (left out)
  where: --set optimizer.schedule=cosine
  where: --set update.batch=16
  next: write optimizer.total, or remove update.batch, or set optimizer.schedule = \"constant\""
    );
    assert_eq!(
        complaint_for(&["update.drop_zero_spread=true", "update.batch=16", "optimizer.schedule=linear"]),
        "error: the schedule's length cannot be known before the run: it depends on how many groups are dropped
  expected: optimizer.total, the number of optimizer steps that the schedule covers
  found: no optimizer.total, algorithm.kind = \"grpo\" and update.batch
  where: r.toml, optimizer.total (left out)
  where: --set optimizer.schedule=linear
  where: --set update.batch=16
  next: write optimizer.total, or remove update.batch, or set optimizer.schedule = \"constant\""
    );
}

#[test]
fn a_warm_up_ends_before_the_run() {
    assert_eq!(
        complaint_for(&["optimizer.warmup=11"]),
        "error: the warm-up never reaches the peak learning rate
  expected: optimizer.warmup of at most 10, the optimizer steps of the run
  found: optimizer.warmup = 11
  where: --set optimizer.warmup=11
  where: r.toml:3, run.steps
  next: lower optimizer.warmup, or raise run.steps"
    );
    assert_eq!(
        complaint_for(&["optimizer.warmup=6", "optimizer.schedule=linear", "optimizer.total=5"]),
        "error: the warm-up never reaches the peak learning rate
  expected: optimizer.warmup of at most 5, the optimizer steps of the run
  found: optimizer.warmup = 6
  where: --set optimizer.warmup=6
  where: --set optimizer.total=5
  next: lower optimizer.warmup, or raise optimizer.total"
    );
    assert_eq!(
        complaint_for(&["algorithm={kind='star', first_steps=4}", "optimizer.warmup=5"]),
        "error: the warm-up never reaches the peak learning rate
  expected: optimizer.warmup of at most 4, the optimizer steps of one step
  found: optimizer.warmup = 5
  where: --set optimizer.warmup=5
  where: --set algorithm={kind='star', first_steps=4}
  next: lower optimizer.warmup, or raise algorithm.first_steps"
    );
    assert_eq!(
        complaint_for(&["algorithm={kind='rest-em'}", "optimizer.warmup=5"]),
        "error: the warm-up never reaches the peak learning rate
  expected: optimizer.warmup of at most 1, the optimizer steps of one step
  found: optimizer.warmup = 5
  where: --set optimizer.warmup=5
  where: r.toml, update.epochs (left out)
  next: lower optimizer.warmup, or raise update.epochs"
    );
}

#[test]
fn greedy_evaluation_takes_one_sample() {
    assert_eq!(
        complaint_for(&["eval.samples=4", "eval.temperature=0"]),
        "error: greedy decoding makes all samples of a problem the same
  expected: eval.temperature above 0, or eval.samples = 1
  found: eval.samples = 4 and eval.temperature = 0
  where: --set eval.samples=4
  where: --set eval.temperature=0
  next: set eval.temperature = 1.0, or eval.samples = 1"
    );
    assert_eq!(
        complaint_for(&["eval.samples=4", "rollout.temperature=0", "rollout.n=1", "algorithm={kind='rft'}"]),
        "error: greedy decoding makes all samples of a problem the same
  expected: eval.temperature above 0, or eval.samples = 1
  found: eval.samples = 4 and rollout.temperature = 0
  where: --set eval.samples=4
  where: --set rollout.temperature=0
  next: set eval.temperature = 1.0, or eval.samples = 1"
    );
}

#[test]
fn an_evaluation_shows_no_more_examples_than_there_are() {
    assert_eq!(
        complaint_for(&[
            "eval.shots=[0,1,2]",
            "prompt.examples=[{prompt=\"a\",response=\"b\"}]",
            "prompt.train_on_examples=true"
        ]),
        "error: an evaluation asks for more worked examples than there are
  expected: eval.shots of at most 1, the number of [[prompt.examples]]
  found: eval.shots = [0, 1, 2], of which 2 is too many
  where: --set eval.shots=[0,1,2]
  where: --set prompt.examples=[{prompt=\"a\",response=\"b\"}]
  next: lower eval.shots, or write more [[prompt.examples]]"
    );
}

#[test]
fn an_evaluation_needs_a_set() {
    assert_eq!(
        complaint_for(&["data={train={source='p'}}", "eval.every=5"]),
        "error: there is no evaluation set
  expected: a table under [data] beside [data.train] with eval.every
  found: eval.every = 5 and only [data.train]
  where: --set eval.every=5
  where: --set data={train={source='p'}}
  next: write [data.eval] with a `source`, or remove eval.every"
    );
    assert_eq!(
        complaint_for(&["data={train={source='p'}}", "eval.at_start=true"]),
        "error: there is no evaluation set
  expected: a table under [data] beside [data.train] with eval.at_start
  found: eval.at_start = true and only [data.train]
  where: --set eval.at_start=true
  where: --set data={train={source='p'}}
  next: write [data.eval] with a `source`, or remove eval.at_start"
    );
}
