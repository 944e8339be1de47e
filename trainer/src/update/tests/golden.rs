//! The rows of the objectives' golden table through the update that training calls: a model whose log-probabilities are
//! the table's, the table's samples, and then the loss of a whole optimizer step and the gradient of its output matrix.

use serde_json::json;
use tch::{Kind, Tensor};

use super::{settings, updater};
use crate::model::testing::config;
use crate::model::weights;
use crate::objectives::golden::{CLIP, LP, REWARDS, samples, spec, trained};
use crate::objectives::{CispoBound, KlTerm, Loss, LossSpec, dr_grpo, grpo, leave_one_out};
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::{Ratio, Sample};
use crate::update::{UpdateSettings, Updater};

const VOCAB: usize = 48;
const HIDDEN: usize = 16;

/// What the table is rounded to, and what f32 adds to it.
const CLOSE: f64 = 3e-6;

/// The table's samples with ids of their own: no token stands in two places.
fn with_own_ids(mut samples: Vec<Sample>) -> Vec<Sample> {
    let mut next = 0..;
    for sample in &mut samples {
        sample.ids.iter_mut().zip(&mut next).for_each(|(id, own)| *id = own);
    }
    samples
}

/// Each learned token's predecessor, itself, and its log-probability in the table.
fn places(samples: &[Sample]) -> Vec<(usize, usize, f64)> {
    let of = |(sample, lp): (&Sample, &&[f64])| -> Vec<(usize, usize, f64)> {
        let learned = (0..sample.ids.len()).filter(|&t| sample.learned[t]);
        learned
            .zip(lp.iter())
            .map(|(t, &lp)| (sample.ids[t - 1] as usize, sample.ids[t] as usize, lp))
            .collect()
    };
    samples.iter().zip(LP.iter()).flat_map(of).collect()
}

/// A model that gives `places` their log-probabilities. Its layers add nothing, so that what follows a token depends on
/// that token alone: the n-th predecessor is embedded along axis n, and the output matrix has the logits along it.
fn model_of(places: &[(usize, usize, f64)]) -> Updater {
    let updater =
        updater(&config(&json!({"model_type": "llama", "vocab_size": VOCAB, "hidden_size": HIDDEN})));
    let mut embed = vec![0f32; VOCAB * HIDDEN];
    let mut head = vec![0f32; VOCAB * HIDDEN];
    for (axis, &(before, token, lp)) in places.iter().enumerate() {
        embed[before * HIDDEN + axis] = axis_length() as f32;
        // All others have logit 0: lp = z − ln(exp(z) + V − 1).
        let z = lp + ((VOCAB - 1) as f64).ln() - (-lp.exp_m1()).ln();
        head[token * HIDDEN + axis] = (z / normed_length()) as f32;
    }
    let specs = weights::specs(&updater.decoder.config);
    for (spec, mut master) in specs.iter().zip(updater.masters.iter().map(Tensor::shallow_clone)) {
        let fill = |values: &[f32]| Tensor::from_slice(values).reshape(&spec.shape);
        match spec.name.as_str() {
            weights::EMBED => master.copy_(&fill(&embed)),
            weights::HEAD => master.copy_(&fill(&head)),
            weights::NORM => drop(master.fill_(1.0)),
            name if name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight") => {
                drop(master.zero_());
            }
            _ => {}
        }
    }
    updater
}

fn axis_length() -> f64 {
    (HIDDEN as f64).sqrt()
}

/// The length after the final norm, whose ε is 1e-5.
fn normed_length() -> f64 {
    axis_length() / (1.0 + 1e-5f64).sqrt()
}

fn check(name: &str, (spec, ratio, advantages): (&LossSpec, Ratio, &[f64]), golden: f64) {
    let samples = with_own_ids(samples(advantages, ratio));
    let (_, slopes) = trained(spec, ratio, advantages);
    check_step(name, spec, &samples, golden, &slopes);
}

/// `slopes`: the derivative of the loss with respect to each learned token's log-probability.
fn check_step(name: &str, spec: &LossSpec, samples: &[Sample], golden: f64, slopes: &[Vec<f64>]) {
    let places = places(samples);
    let mut updater = model_of(&places);
    let mut settings = UpdateSettings { micro_batch: 11, ..settings(spec.clone()) };
    settings.pass.temperature = 1.0;
    settings.optimizer.max_grad_norm = 0.0;
    let reports = updater.update(&settings, samples, None, (1, 1), &mut |_| true).unwrap();
    let [report] = reports.as_slice() else { panic!("{} optimizer steps", reports.len()) };
    assert!((report.loss - golden).abs() < CLOSE, "{name}: {}, golden {golden}", report.loss);
    // d lp / d z = onehot − p, and z = head · h with h along the place's own axis.
    let mut expected = vec![0f64; VOCAB * HIDDEN];
    for (axis, (&(_, token, lp), slope)) in places.iter().zip(slopes.iter().flatten()).enumerate() {
        let other = -lp.exp_m1() / (VOCAB - 1) as f64;
        for v in 0..VOCAB {
            let by_z = if v == token { -lp.exp_m1() } else { -other };
            expected[v * HIDDEN + axis] = slope * by_z * normed_length();
        }
    }
    let head = updater.gradients().last().unwrap().to_kind(Kind::Double);
    let expected = Tensor::from_slice(&expected).reshape(head.size());
    let gap = (head - expected).abs().max().double_value(&[]);
    assert!(gap < 4.0 * CLOSE, "{name}: the output matrix' gradient is off by {gap}");
    assert!(report.grad_norm > 0.0 && report.grad_norm.is_finite(), "{name}: {}", report.grad_norm);
}

#[test]
fn the_clip_rows_come_through_the_update() {
    let k3 = Some(KlTerm { estimator: KlEstimator::K3, coef: 0.04 });
    let a = grpo(&REWARDS, 1e-4).unwrap();
    for (aggregation, golden, with_kl) in [
        (Aggregation::SequenceMean, 0.039_925, Some(0.040_256)),
        (Aggregation::TokenMean, -0.005_936, Some(-0.005_690)),
        (Aggregation::Constant, -0.001_669, Some(-0.001_600)),
        (Aggregation::SequenceSum, -0.013_356, None),
    ] {
        let plain = spec(CLIP, aggregation);
        check("clip", (&plain, Ratio::Token, &a), golden);
        if let Some(golden) = with_kl {
            check("clip and KL", (&LossSpec { kl: k3, ..plain }, Ratio::Token, &a), golden);
        }
    }
    let dual = Loss::Clip { low: 0.2, high: 0.28, dual: Some(1.5) };
    check("dual clip", (&spec(dual, Aggregation::TokenMean), Ratio::Token, &a), -0.018_878);
    let a = dr_grpo(&REWARDS).unwrap();
    check("Dr. GRPO", (&spec(CLIP, Aggregation::Constant), Ratio::Token, &a), -0.000_799);
}

#[test]
fn the_rows_of_other_losses_come_through_the_update() {
    let a = grpo(&REWARDS, 1e-4).unwrap();
    for (cap, golden) in [(5.0, 0.132_096), (1.2, 0.120_362)] {
        let cispo = spec(Loss::Cispo(CispoBound::Cap(cap)), Aggregation::TokenMean);
        check("CISPO", (&cispo, Ratio::Token, &a), golden);
    }
    let gspo = spec(CLIP, Aggregation::SequenceMean);
    check("GSPO", (&gspo, Ratio::SequenceMean, &a), 0.002_672);
    let rloo = spec(Loss::Clip { low: 0.2, high: 0.2, dual: None }, Aggregation::SequenceSum);
    check("RLOO", (&rloo, Ratio::SequenceSum, &leave_one_out(&REWARDS).unwrap()), 0.015_550);
    let a = dr_grpo(&REWARDS).unwrap();
    for (aggregation, golden) in [(Aggregation::TokenMean, 0.054_861), (Aggregation::SequenceSum, 0.123_437)]
    {
        check("REINFORCE", (&spec(Loss::Reinforce, aggregation), Ratio::None, &a), golden);
    }
}

#[test]
fn the_kl_rows_come_through_the_update() {
    for (estimator, golden) in
        [(KlEstimator::K1, -0.033_333), (KlEstimator::K2, 0.005_833), (KlEstimator::K3, 0.006_155)]
    {
        let kl = Some(KlTerm { estimator, coef: 1.0 });
        let only_kl = LossSpec { kl, ..spec(Loss::Reinforce, Aggregation::TokenMean) };
        check("KL alone", (&only_kl, Ratio::None, &[0.0; 4]), golden);
    }
}

#[test]
fn the_star_row_comes_through_the_update() {
    // The one right response, with weight 1: each of its three tokens has a third of −1.
    let star = spec(Loss::Reinforce, Aggregation::TokenMean);
    let mut samples = with_own_ids(samples(&[1.0; 4], Ratio::None));
    samples.truncate(1);
    check_step("STaR", &star, &samples, 0.6, &[vec![-1.0 / 3.0; 3]]);
}
