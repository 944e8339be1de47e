//! Each number and each name on its own.

use super::Violations;
use crate::complaint::Complaint;
use crate::recipe::resolve::Device;
use crate::recipe::types::{AlgorithmConfig, LossConfig, Recipe};

const AT_LEAST_ONE: &str = "at least 1";
const ABOVE_ZERO: &str = "a number above 0";
const FROM_ZERO: &str = "a number from 0";
const BELOW_ONE: &str = "from 0 to below 1";

pub(super) fn check(recipe: &Recipe, out: &mut Violations) {
    names(recipe, out);
    run_and_rollout(recipe, out);
    verifiers(recipe, out);
    algorithm(recipe, out);
    update(recipe, out);
    optimizer(recipe, out);
    eval_and_log(recipe, out);
}

/// Names become folders, files and metric names.
fn names(recipe: &Recipe, out: &mut Violations) {
    let mut name = |key: &str, name: &str, dots: bool| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || (dots && c == '.');
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && name.len() <= 100 && name.chars().all(good) {
            return;
        }
        let dot = if dots { " and `.`" } else { "" };
        let complaint = Complaint::call(format!("{key} cannot be used in file names"))
            .expected(format!("1 to 100 letters, digits, `-`, `_`{dot}, beginning with a letter or digit"))
            .found(format!("{name:?}"))
            .next("choose another name");
        out.add(&[key], complaint);
    };
    name("run.name", &recipe.run.name, true);
    for set in recipe.data.keys() {
        name(&format!("data.{set}"), set, false);
    }
    for verifier in &recipe.verifier {
        name(&format!("verifier.{}.name", verifier.label()), verifier.label(), false);
    }
    for (key, path) in [("model.path", &recipe.model.path), ("prompt.template", &recipe.prompt.template)] {
        if path.trim().is_empty() {
            let next = format!("write {key}; docs/recipes.md shows examples");
            out.add(
                &[key],
                Complaint::call(format!("{key} is empty")).expected("a text").found("\"\"").next(next),
            );
        }
    }
    if Device::parse(&recipe.model.device).is_none() {
        let complaint = Complaint::call("model.device names no device")
            .expected("auto, cpu, cuda or cuda:N with N from 0")
            .found(format!("{:?}", recipe.model.device))
            .next("write one of them");
        out.add(&["model.device"], complaint);
    }
}

fn run_and_rollout(recipe: &Recipe, out: &mut Violations) {
    let rollout = &recipe.rollout;
    out.range(recipe.run.steps >= 1, "run.steps", recipe.run.steps, AT_LEAST_ONE, "100");
    let counts = [
        ("rollout.prompts", rollout.prompts, "32"),
        ("rollout.n", rollout.n, "8"),
        ("rollout.max_new_tokens", rollout.max_new_tokens, "256"),
    ];
    for (key, value, typical) in counts {
        out.range(value >= 1, key, value, AT_LEAST_ONE, typical);
    }
    from_zero(out, "rollout.temperature", rollout.temperature, "1.0");
    if let Some(temperature) = rollout.examples_temperature {
        from_zero(out, "rollout.examples_temperature", temperature, "0.6");
    }
    let top_p = rollout.top_p;
    out.range(top_p > 0.0 && top_p <= 1.0, "rollout.top_p", top_p, "above 0 and at most 1", "1.0");
    below_one(out, "rollout.min_p", rollout.min_p, "0.0");
    if let Some(index) = rollout.stop.iter().position(String::is_empty) {
        let complaint = Complaint::call("a stop text is empty")
            .expected("texts of at least one character")
            .found("\"\", which would end every response before its first token")
            .next("remove it");
        out.add(&[&format!("rollout.stop.{index}")], complaint);
    }
}

fn verifiers(recipe: &Recipe, out: &mut Violations) {
    for verifier in &recipe.verifier {
        let key = |part: &str| format!("verifier.{}.{part}", verifier.label());
        from_zero(out, &key("weight"), verifier.rule().weight, "1.0");
        let success = verifier.success;
        if verifier.gate {
            let holds = success > 0.0 && success <= 1.0;
            out.range(holds, &key("success"), success, "above 0 and at most 1, for a gate", "1.0");
        } else {
            out.range((0.0..=1.0).contains(&success), &key("success"), success, "from 0 to 1", "1.0");
        }
        let timeout_s = verifier.timeout_s;
        let holds = polestar_verifiers::timeout(timeout_s).is_some();
        out.range(holds, &key("timeout_s"), timeout_s, "above 0 and at most 86400 (a day)", "10.0");
    }
}

fn algorithm(recipe: &Recipe, out: &mut Violations) {
    match recipe.algorithm {
        AlgorithmConfig::Star { first_steps, growth, keep, .. } => {
            out.range(first_steps >= 1, "algorithm.first_steps", first_steps, AT_LEAST_ONE, "40");
            out.range(
                growth >= 1.0 && growth.is_finite(),
                "algorithm.growth",
                growth,
                "a number from 1",
                "1.2",
            );
            out.range(keep >= 1, "algorithm.keep", keep, AT_LEAST_ONE, "1");
        }
        AlgorithmConfig::Rft { keep } | AlgorithmConfig::RestEm { keep } => {
            out.range(keep >= 1, "algorithm.keep", keep, AT_LEAST_ONE, "4");
        }
        AlgorithmConfig::Grpo { std_eps } => above_zero(out, "algorithm.std_eps", std_eps, "1e-4"),
        AlgorithmConfig::Sft {}
        | AlgorithmConfig::Reinforce { .. }
        | AlgorithmConfig::Rloo {}
        | AlgorithmConfig::DrGrpo {} => {}
    }
}

fn update(recipe: &Recipe, out: &mut Violations) {
    let update = &recipe.update;
    let counts = [
        ("update.epochs", update.epochs, "1"),
        ("update.batch", update.batch.map(|batch| batch as u64), "64"),
        ("update.micro_batch", update.micro_batch.map(|tokens| tokens as u64), "4096"),
        ("update.max_skipped", update.max_skipped, "3"),
    ];
    for (key, value, typical) in counts {
        let value = value.unwrap_or(1);
        out.range(value >= 1, key, value, AT_LEAST_ONE, typical);
    }
    match update.loss {
        Some(LossConfig::Clip { low, high, dual }) => {
            out.range(low > 0.0 && low < 1.0, "update.loss.low", low, "above 0 and below 1", "0.2");
            out.range(high > 0.0 && high < 1.0, "update.loss.high", high, "above 0 and below 1", "0.28");
            let dual = dual.unwrap_or(3.0);
            out.range(dual > 1.0 && dual.is_finite(), "update.loss.dual", dual, "a number above 1", "3.0");
        }
        Some(LossConfig::Cispo { cap }) => {
            out.range(cap >= 1.0 && cap.is_finite(), "update.loss.cap", cap, "a number from 1", "5.0");
        }
        Some(LossConfig::Reinforce {}) | None => {}
    }
    if let Some(kl) = &update.kl {
        from_zero(out, "update.kl.coef", kl.coef, "0.04");
    }
}

fn optimizer(recipe: &Recipe, out: &mut Violations) {
    let optimizer = &recipe.optimizer;
    above_zero(out, "optimizer.lr", optimizer.lr, "1e-6");
    below_one(out, "optimizer.beta1", optimizer.beta1, "0.9");
    below_one(out, "optimizer.beta2", optimizer.beta2, "0.999");
    above_zero(out, "optimizer.eps", optimizer.eps, "1e-8");
    from_zero(out, "optimizer.weight_decay", optimizer.weight_decay, "0.0");
    from_zero(out, "optimizer.max_grad_norm", optimizer.max_grad_norm, "1.0");
    let total = optimizer.total.unwrap_or(1);
    out.range(total >= 1, "optimizer.total", total, AT_LEAST_ONE, "1000");
}

fn eval_and_log(recipe: &Recipe, out: &mut Violations) {
    out.range(recipe.checkpoint.every >= 1, "checkpoint.every", recipe.checkpoint.every, AT_LEAST_ONE, "10");
    out.range(recipe.eval.samples >= 1, "eval.samples", recipe.eval.samples, AT_LEAST_ONE, "1");
    if let Some(temperature) = recipe.eval.temperature {
        from_zero(out, "eval.temperature", temperature, "0.0");
    }
    let tokens = recipe.eval.max_new_tokens.unwrap_or(1);
    out.range(tokens >= 1, "eval.max_new_tokens", tokens, AT_LEAST_ONE, "256");
    let share = recipe.log.max_undecided;
    out.range((0.0..=1.0).contains(&share), "log.max_undecided", share, "from 0 to 1", "0.1");
}

fn above_zero(out: &mut Violations, key: &str, value: f64, typical: &str) {
    out.range(value > 0.0 && value.is_finite(), key, value, ABOVE_ZERO, typical);
}

fn from_zero(out: &mut Violations, key: &str, value: f64, typical: &str) {
    out.range(value >= 0.0 && value.is_finite(), key, value, FROM_ZERO, typical);
}

fn below_one(out: &mut Violations, key: &str, value: f64, typical: &str) {
    out.range((0.0..1.0).contains(&value), key, value, BELOW_ONE, typical);
}
