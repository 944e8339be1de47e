//! Keys that must go together. Each rule says which keys disagree, why, and what to change.

use super::Violations;
use crate::algorithms::build;
use crate::complaint::Complaint;
use crate::recipe::defaults::ScheduleLength;
use crate::recipe::types::{
    AlgorithmConfig, Baseline, ChatChoice, KlEstimator, KlPlace, LossConfig, Recipe, UndecidedGroups,
};

pub(super) fn check(recipe: &Recipe, out: &mut Violations) {
    data_and_verifiers(recipe, out);
    groups(recipe, out);
    greedy(recipe, out);
    ratio(recipe, out);
    kl(recipe, out);
    no_effect(recipe, out);
    examples(recipe, out);
    schedule(recipe, out);
    eval(recipe, out);
}

fn data_and_verifiers(recipe: &Recipe, out: &mut Violations) {
    if !recipe.data.contains_key("train") {
        let sets: Vec<&str> = recipe.data.keys().map(String::as_str).collect();
        let found = if sets.is_empty() { "no set".to_owned() } else { sets.join(", ") };
        let complaint = Complaint::call("there is nothing to train on")
            .expected("a table [data.train]")
            .found(format!("under [data]: {found}"))
            .next("write [data.train] with a `source`");
        out.add(&["data.train"], complaint);
    }
    let is_sft = matches!(recipe.algorithm, AlgorithmConfig::Sft {});
    let evaluates = recipe.data.keys().any(|set| set != "train");
    if recipe.verifier.is_empty() && (!is_sft || evaluates) {
        let why = if is_sft { "the evaluation sets" } else { "the responses" };
        let complaint = Complaint::call(format!("nobody judges {why}"))
            .expected("at least one [[verifier]]")
            .found(format!("no [[verifier]], algorithm.kind = {:?}", recipe.algorithm.kind()))
            .next("write a [[verifier]] with a `kind`, for instance kind = \"math\"");
        out.add(&["verifier", "algorithm.kind"], complaint);
    }
    if !recipe.verifier.is_empty() && recipe.verifier.iter().all(|verifier| verifier.rule().weight == 0.0) {
        let keys: Vec<String> =
            recipe.verifier.iter().map(|v| format!("verifier.{}.weight", v.label())).collect();
        let complaint = Complaint::call("every verifier has weight 0, so every score would be 0")
            .expected("at least one weight above 0; a gate has 0 unless it is given one")
            .found(keys.iter().map(|key| format!("{key} = 0")).collect::<Vec<_>>().join(", "))
            .next(format!("set {} = 1.0", keys[0]));
        out.add(&keys.iter().map(String::as_str).collect::<Vec<_>>(), complaint);
    }
    for (index, verifier) in recipe.verifier.iter().enumerate() {
        if let Some(first) =
            recipe.verifier[..index].iter().position(|other| other.label() == verifier.label())
        {
            let complaint = Complaint::call(format!("two verifiers are named {:?}", verifier.label()))
                .expected("a name of its own for each [[verifier]] (left out, it is the kind)")
                .found(format!("verifier.{first} and verifier.{index} are both {:?}", verifier.label()))
                .next("give one of them another `name`");
            out.add(&[&format!("verifier.{index}"), &format!("verifier.{first}")], complaint);
        }
    }
}

/// A group of one has no baseline.
fn groups(recipe: &Recipe, out: &mut Violations) {
    let (key, baseline) = match recipe.algorithm {
        AlgorithmConfig::Reinforce { baseline: Baseline::LeaveOneOut } => {
            ("algorithm.baseline", "leave-one-out")
        }
        AlgorithmConfig::Reinforce { .. } => ("algorithm.baseline", "group-mean"),
        _ => ("algorithm.kind", recipe.algorithm.kind()),
    };
    if recipe.rollout.n < 2 && build(&recipe.algorithm).needs_groups() {
        let complaint = Complaint::call(
            "a group of one response has no baseline: every advantage would be 0 or undefined",
        )
        .expected(format!("rollout.n of at least 2 with {key} = {baseline:?}"))
        .found("rollout.n = 1")
        .next("set rollout.n = 8, or take algorithm.kind = \"reinforce\" with algorithm.baseline = \"none\"");
        out.add(&["rollout.n", key], complaint);
    }
}

/// Temperature 0 makes every sample of a problem the same and has no distribution to take a gradient of.
fn greedy(recipe: &Recipe, out: &mut Violations) {
    let rollout = &recipe.rollout;
    if matches!(recipe.algorithm, AlgorithmConfig::Sft {}) {
        return;
    }
    let temperatures = [
        ("rollout.temperature", Some(rollout.temperature)),
        ("rollout.examples_temperature", rollout.examples_temperature),
    ];
    for (key, _) in temperatures.into_iter().filter(|(_, temperature)| *temperature == Some(0.0)) {
        if !recipe.algorithm.learns_by_likelihood() {
            let kind = recipe.algorithm.kind();
            let complaint = Complaint::call("greedy decoding has no policy gradient: nothing is sampled")
                .expected(format!("{key} above 0 with algorithm.kind = {kind:?}"))
                .found(format!("{key} = 0"))
                .next(format!("set {key} = 1.0"));
            out.add(&[key, "algorithm.kind"], complaint);
        } else if rollout.n > 1 {
            let complaint = Complaint::call("greedy decoding makes all samples of a problem the same")
                .expected(format!("{key} above 0, or rollout.n = 1"))
                .found(format!("{key} = 0 and rollout.n = {}", rollout.n))
                .next(format!("set {key} = 0.8, or rollout.n = 1"));
            out.add(&[key, "rollout.n"], complaint);
        }
    }
}

/// Where the losses with a ratio are defined: on responses sampled from the full distribution after the very prompt that
/// is learned, and for algorithms that follow a policy gradient.
fn ratio(recipe: &Recipe, out: &mut Violations) {
    let loss = match recipe.effective_loss() {
        LossConfig::Reinforce {} => return,
        LossConfig::Clip { .. } => "clip",
        LossConfig::Cispo { .. } => "cispo",
    };
    let kind = recipe.algorithm.kind();
    let found_loss = match recipe.update.loss {
        Some(_) => format!("update.loss.kind = {loss:?}"),
        None => format!("update.loss.kind = {loss:?}, which is what algorithm.kind = {kind:?} takes"),
    };
    if recipe.algorithm.learns_by_likelihood() {
        let complaint = Complaint::call(format!("algorithm.kind = {kind:?} learns by likelihood, for which no ratio is defined"))
            .expected("update.loss.kind = \"reinforce\", or no update.loss")
            .found(found_loss)
            .next("remove update.loss, or choose a policy-gradient algorithm, for instance algorithm.kind = \"grpo\"");
        out.add(&["update.loss", "algorithm.kind"], complaint);
        return;
    }
    if loss == "cispo" && matches!(recipe.algorithm, AlgorithmConfig::Rloo {}) {
        let complaint = Complaint::call("cispo caps a ratio of each token, and rloo has one ratio a response")
            .expected("update.loss.kind = \"clip\" or \"reinforce\" with algorithm.kind = \"rloo\"")
            .found(&found_loss)
            .next("remove update.loss, or take algorithm.kind = \"reinforce\" with algorithm.baseline = \"leave-one-out\"");
        out.add(&["update.loss", "algorithm.kind"], complaint);
    }
    if hides_examples(recipe) {
        let complaint = Complaint::call(
            "responses are sampled after worked examples and learned without them, for which no ratio is defined",
        )
        .expected("update.loss.kind = \"reinforce\", or the same prompt for sampling and for learning")
        .found(format!("{found_loss}, with prompt.examples and prompt.train_on_examples = false"))
        .next("set update.loss = { kind = \"reinforce\" }, or prompt.train_on_examples = true, or remove prompt.examples");
        out.add(&["update.loss", "prompt.examples"], complaint);
    }
    if let Some(found) = other_temperature(recipe).filter(|_| !hides_examples(recipe)) {
        let complaint = Complaint::call(
            "responses after worked examples are sampled at another temperature than they are learned at, for which no ratio is defined",
        )
        .expected("rollout.examples_temperature left out or equal to rollout.temperature, with a loss that has a ratio")
        .found(format!("{found}, {found_loss}"))
        .next("remove rollout.examples_temperature, or set update.loss = { kind = \"reinforce\" } and prompt.train_on_examples = false");
        out.add(&["rollout.examples_temperature", "rollout.temperature", "update.loss"], complaint);
    }
    for (key, value, all) in truncations(recipe) {
        let complaint =
            Complaint::call("truncated sampling changes the distribution, and the update does not know which tokens were kept")
                .expected(format!("{key} = {all} with a loss that has a ratio"))
                .found(format!("{key} = {value}, {found_loss}"))
                .next(format!("set {key} = {all}, or update.loss = {{ kind = \"reinforce\" }}"));
        out.add(&[key, "update.loss"], complaint);
    }
}

fn hides_examples(recipe: &Recipe) -> bool {
    !recipe.prompt.examples.is_empty() && !recipe.prompt.train_on_examples
}

/// The two temperatures, where responses after worked examples are sampled at another one than the update's; that 0 is none to
/// learn from is told elsewhere.
fn other_temperature(recipe: &Recipe) -> Option<String> {
    let temperature = recipe.rollout.temperature;
    let other = recipe.rollout.examples_temperature.filter(|&other| other != temperature && other > 0.0)?;
    (!recipe.prompt.examples.is_empty())
        .then(|| format!("rollout.examples_temperature = {other} and rollout.temperature = {temperature}"))
}

/// The keys that truncate sampling, with their values and the values that keep everything.
fn truncations(recipe: &Recipe) -> Vec<(&'static str, String, &'static str)> {
    let rollout = &recipe.rollout;
    let all = [
        ("rollout.top_p", rollout.top_p < 1.0, rollout.top_p.to_string(), "1.0"),
        ("rollout.top_k", rollout.top_k > 0, rollout.top_k.to_string(), "0"),
        ("rollout.min_p", rollout.min_p > 0.0, rollout.min_p.to_string(), "0.0"),
    ];
    all.into_iter()
        .filter(|(_, truncates, _, _)| *truncates)
        .map(|(key, _, value, all)| (key, value, all))
        .collect()
}

fn kl(recipe: &Recipe, out: &mut Violations) {
    let Some(kl) = recipe.effective_kl() else { return };
    let kind = recipe.algorithm.kind();
    if recipe.algorithm.learns_by_likelihood() {
        let complaint = Complaint::call(format!(
            "algorithm.kind = {kind:?} learns from chosen responses, on which the KL to the base model cannot be estimated"
        ))
        .expected("no update.kl")
        .found(format!("update.kl.coef = {}", kl.coef))
        .next("remove update.kl, or choose a policy-gradient algorithm, for instance algorithm.kind = \"reinforce\"");
        out.add(&["update.kl", "algorithm.kind"], complaint);
        return;
    }
    if kl.place == KlPlace::Reward && kl.estimator != KlEstimator::K1 {
        let estimator = if kl.estimator == KlEstimator::K2 { "k2" } else { "k3" };
        let complaint =
            Complaint::call("only k1 can be subtracted from the reward; k2 and k3 are for the loss")
                .expected("update.kl.estimator = \"k1\" with update.kl.place = \"reward\"")
                .found(format!("update.kl.estimator = {estimator:?}"))
                .next("set update.kl.estimator = \"k1\", or update.kl.place = \"loss\"");
        out.add(&["update.kl.estimator", "update.kl.place"], complaint);
    }
    if hides_examples(recipe) {
        let found = match recipe.update.kl {
            Some(_) => format!("update.kl.coef = {}", kl.coef),
            None => format!("update.kl.coef = {}, which is what algorithm.kind = {kind:?} takes", kl.coef),
        };
        let complaint = Complaint::call(
            "responses are sampled after worked examples and learned without them, on which the KL cannot be estimated",
        )
        .expected("no KL, or the same prompt for sampling and for learning")
        .found(format!("{found}, with prompt.examples and prompt.train_on_examples = false"))
        .next("set update.kl.coef = 0.0, or prompt.train_on_examples = true, or remove prompt.examples");
        out.add(&["update.kl", "prompt.examples"], complaint);
    } else if let Some(found) = other_temperature(recipe) {
        let complaint = Complaint::call(
            "responses after worked examples are sampled at another temperature than they are learned at, on which the KL cannot be estimated",
        )
        .expected("no KL, or rollout.examples_temperature left out or equal to rollout.temperature")
        .found(format!("{found}, update.kl.coef = {}", kl.coef))
        .next("set update.kl.coef = 0.0, or remove rollout.examples_temperature");
        out.add(&["update.kl", "rollout.examples_temperature", "rollout.temperature"], complaint);
    }
}

/// Settings that would silently do nothing.
fn no_effect(recipe: &Recipe, out: &mut Violations) {
    let kind = recipe.algorithm.kind();
    if let (AlgorithmConfig::Star { .. }, Some(epochs)) = (&recipe.algorithm, recipe.update.epochs) {
        let complaint = Complaint::call("star counts optimizer steps, not passes")
            .expected("no update.epochs with algorithm.kind = \"star\"")
            .found(format!("update.epochs = {epochs}"))
            .next("remove update.epochs and set algorithm.first_steps and algorithm.growth");
        out.add(&["update.epochs", "algorithm.kind"], complaint);
    }
    if recipe.update.drop_zero_spread && recipe.algorithm.learns_by_likelihood() {
        let complaint = Complaint::call(format!(
            "algorithm.kind = {kind:?} has no advantages, so no group is without spread"
        ))
        .expected(format!("update.drop_zero_spread = false with algorithm.kind = {kind:?}"))
        .found("update.drop_zero_spread = true")
        .next("remove update.drop_zero_spread");
        out.add(&["update.drop_zero_spread", "algorithm.kind"], complaint);
    }
    if recipe.update.undecided_groups == UndecidedGroups::Stop && !build(&recipe.algorithm).needs_groups() {
        let complaint = Complaint::call(format!(
            "algorithm.kind = {kind:?} compares no responses to a problem here, so no group lacks a baseline"
        ))
        .expected("update.undecided_groups = \"drop\", or an algorithm with a group baseline")
        .found("update.undecided_groups = \"stop\"")
        .next("remove update.undecided_groups; log.max_undecided = 0.0 stops at any undecided verdict");
        out.add(&["update.undecided_groups", "algorithm.kind"], complaint);
    }
    if recipe.prompt.system.is_some() && recipe.prompt.chat == ChatChoice::Off {
        let complaint = Complaint::call("a system message needs a chat template")
            .expected("prompt.chat = \"auto\" or \"on\" with prompt.system")
            .found("prompt.chat = \"off\"")
            .next("move the text into prompt.template, or remove prompt.chat");
        out.add(&["prompt.system", "prompt.chat"], complaint);
    }
}

fn examples(recipe: &Recipe, out: &mut Violations) {
    let prompt = &recipe.prompt;
    if prompt.examples.is_empty() {
        let idle = [
            ("prompt.examples_steps", prompt.examples_steps.map(|steps| steps.to_string())),
            ("prompt.train_on_examples", prompt.train_on_examples.then(|| "true".to_owned())),
            ("rollout.examples_temperature", recipe.rollout.examples_temperature.map(|t| t.to_string())),
        ];
        for (key, value) in idle {
            let Some(value) = value else { continue };
            let complaint = Complaint::call(format!("{key} has no effect without worked examples"))
                .expected(format!("[[prompt.examples]] with {key}"))
                .found(format!("{key} = {value} and no [[prompt.examples]]"))
                .next(format!("write [[prompt.examples]], or remove {key}"));
            out.add(&[key, "prompt.examples"], complaint);
        }
    } else if prompt.examples_steps == Some(0) {
        let complaint = Complaint::call("the worked examples are shown in no step")
            .expected("prompt.examples_steps of at least 1")
            .found("prompt.examples_steps = 0")
            .next("remove prompt.examples_steps to show them always, or remove [[prompt.examples]]");
        out.add(&["prompt.examples_steps", "prompt.examples"], complaint);
    }
}

fn schedule(recipe: &Recipe, out: &mut Violations) {
    let optimizer = &recipe.optimizer;
    let needs_length = recipe.needs_schedule_length();
    let length = recipe.schedule_length();
    if let (false, Some(total)) = (needs_length, optimizer.total) {
        let complaint = Complaint::call("a constant schedule has no length")
            .expected("no optimizer.total with optimizer.schedule = \"constant\"")
            .found(format!("optimizer.total = {total}"))
            .next("remove optimizer.total, or set optimizer.schedule = \"cosine\" or \"linear\"");
        out.add(&["optimizer.total", "optimizer.schedule"], complaint);
        return;
    }
    if let (true, None, ScheduleLength::Unknown(why)) = (needs_length, optimizer.total, &length) {
        let kind = recipe.algorithm.kind();
        let complaint =
            Complaint::call(format!("the schedule's length cannot be known before the run: {why}"))
                .expected("optimizer.total, the number of optimizer steps that the schedule covers")
                .found(format!("no optimizer.total, algorithm.kind = {kind:?} and update.batch"))
                .next(
                    "write optimizer.total, or remove update.batch, or set optimizer.schedule = \"constant\"",
                );
        out.add(&["optimizer.total", "optimizer.schedule", "update.batch"], complaint);
    }
    let known = match length {
        ScheduleLength::Known(length) | ScheduleLength::Counted { fewest: length } => Some(length),
        ScheduleLength::Unknown(_) => None,
    };
    let (total, key) = match (optimizer.total, &recipe.algorithm) {
        (Some(total), _) => (Some(total), "optimizer.total"),
        (None, AlgorithmConfig::Star { .. }) => (known, "algorithm.first_steps"),
        (None, AlgorithmConfig::RestEm { .. }) => (known, "update.epochs"),
        (None, _) => (known, "run.steps"),
    };
    if let Some(total) = total.filter(|total| optimizer.warmup > *total) {
        let covers = if recipe.algorithm.trains_from_base() { "one step" } else { "the run" };
        let complaint = Complaint::call("the warm-up never reaches the peak learning rate")
            .expected(format!("optimizer.warmup of at most {total}, the optimizer steps of {covers}"))
            .found(format!("optimizer.warmup = {}", optimizer.warmup))
            .next(format!("lower optimizer.warmup, or raise {key}"));
        out.add(&["optimizer.warmup", key], complaint);
    }
}

fn eval(recipe: &Recipe, out: &mut Violations) {
    let eval = &recipe.eval;
    if eval.samples > 1 && recipe.eval_temperature() == 0.0 {
        let key = if eval.temperature.is_some() { "eval.temperature" } else { "rollout.temperature" };
        let complaint = Complaint::call("greedy decoding makes all samples of a problem the same")
            .expected("eval.temperature above 0, or eval.samples = 1")
            .found(format!("eval.samples = {} and {key} = 0", eval.samples))
            .next("set eval.temperature = 1.0, or eval.samples = 1");
        out.add(&["eval.samples", key], complaint);
    }
    let num_examples = recipe.prompt.examples.len();
    if let Some(shots) = eval.shots.iter().find(|&&shots| shots > num_examples) {
        let complaint = Complaint::call("an evaluation asks for more worked examples than there are")
            .expected(format!("eval.shots of at most {num_examples}, the number of [[prompt.examples]]"))
            .found(format!("eval.shots = {:?}, of which {shots} is too many", eval.shots))
            .next("lower eval.shots, or write more [[prompt.examples]]");
        out.add(&["eval.shots", "prompt.examples"], complaint);
    }
    if recipe.data.keys().any(|set| set != "train") {
        return;
    }
    let asked = [
        ("eval.every", eval.every > 0, eval.every.to_string()),
        ("eval.at_start", eval.at_start, "true".into()),
    ];
    for (key, _, value) in asked.into_iter().filter(|(_, is_asked, _)| *is_asked) {
        let complaint = Complaint::call("there is no evaluation set")
            .expected(format!("a table under [data] beside [data.train] with {key}"))
            .found(format!("{key} = {value} and only [data.train]"))
            .next(format!("write [data.eval] with a `source`, or remove {key}"));
        out.add(&[key, "data"], complaint);
    }
}
