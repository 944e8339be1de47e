//! The head, a few rows at a time, against autograd over whole matrices and against finite differences in f64.

use serde_json::json;
use tch::{Kind, Tensor};

use crate::engine::to_f32;
use crate::model::Decoder;
use crate::model::testing::{config, decoder, normal, tokens};
use crate::update::head;

const TEMPERATURE: f64 = 0.7;
const ROWS: i64 = 9;

fn with_soft_cap() -> Decoder {
    let gemma = json!({"model_type": "gemma3_text", "hidden_act": null, "tie_word_embeddings": true,
        "hidden_activation": "gelu_pytorch_tanh", "final_logit_softcapping": 1.5});
    decoder(&config(&gemma), 8)
}

fn without() -> Decoder {
    decoder(&config(&json!({"model_type": "llama"})), 8)
}

/// The weights of the rows' log-probabilities in the loss.
fn slopes() -> Vec<f32> {
    to_f32(&normal(&[ROWS], "slopes"))
}

/// What the head gives: log-probabilities, entropies, gradients of hidden states and of the output matrix.
fn by_chunks(model: &Decoder, h_RD: &Tensor, targets: &[u32]) -> (Vec<f32>, Vec<f32>, Tensor, Tensor) {
    let mut logprobs = Vec::new();
    let mut dhead_VD = Tensor::ones_like(model.head_VD());
    let slopes = slopes();
    let back = head::backward::<()>(model, h_RD, targets, TEMPERATURE, &mut dhead_VD, |row, logprob| {
        assert_eq!(row, logprobs.len(), "rows come in order");
        logprobs.push(logprob);
        Ok(slopes[row])
    });
    let back = back.unwrap();
    // Gradients are added to what is there.
    (logprobs, back.entropies, back.dh_RD, dhead_VD - 1.0)
}

/// Σ slope · log-probability and the log-probabilities, from whole matrices in f64 or by autograd.
fn whole(z_RV: &Tensor, cap: Option<f64>, targets: &[u32]) -> (Tensor, Tensor) {
    let z_RV = match cap {
        Some(cap) => (z_RV / cap).tanh() * cap,
        None => z_RV.shallow_clone(),
    };
    let lp_RV = (z_RV / TEMPERATURE).log_softmax(-1, None);
    let ids: Vec<i64> = targets.iter().map(|&id| i64::from(id)).collect();
    let lp_R = lp_RV.gather(1, &Tensor::from_slice(&ids).unsqueeze(1), false).squeeze_dim(1);
    let loss = (&lp_R * Tensor::from_slice(&slopes())).sum(None);
    (loss, lp_RV)
}

fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{what} {index}: {found}, expected {expected}");
    }
}

#[test]
fn values_and_gradients_are_those_of_autograd() {
    for model in [with_soft_cap(), without()] {
        let h_RD = normal(&[ROWS, 16], "hidden");
        let targets = tokens(ROWS as usize, 48, "targets");
        let (logprobs, entropies, dh_RD, dhead_VD) = by_chunks(&model, &h_RD, &targets);
        let h = h_RD.detach().set_requires_grad(true);
        let w = model.head_VD().detach().set_requires_grad(true);
        let (loss, lp_RV) = whole(&h.matmul(&w.tr()), model.config.final_logit_softcap, &targets);
        let gradients = Tensor::run_backward(&[loss], &[&h, &w], false, false);
        let ids: Vec<i64> = targets.iter().map(|&id| i64::from(id)).collect();
        let lp_R = lp_RV.gather(1, &Tensor::from_slice(&ids).unsqueeze(1), false).flatten(0, 1);
        let entropy_R = -(lp_RV.exp() * &lp_RV).sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        assert_near(&logprobs, &to_f32(&lp_R), 1e-5, "logprob");
        assert_near(&entropies, &to_f32(&entropy_R), 1e-5, "entropy");
        assert_near(&to_f32(&dh_RD), &to_f32(&gradients[0]), 1e-5, "hidden gradient");
        assert_near(&to_f32(&dhead_VD), &to_f32(&gradients[1]), 1e-5, "head gradient");
        assert_near(&head::logprobs(&model, &h_RD, &targets, TEMPERATURE), &logprobs, 1e-6, "forward only");
    }
}

#[test]
fn gradients_are_those_of_finite_differences_in_f64() {
    const STEP: f64 = 1e-5;
    for model in [with_soft_cap(), without()] {
        let h_RD = normal(&[ROWS, 16], "hidden");
        let targets = tokens(ROWS as usize, 48, "targets");
        let (_, _, dh_RD, dhead_VD) = by_chunks(&model, &h_RD, &targets);
        let h = h_RD.to_kind(Kind::Double);
        let w = model.head_VD().detach().to_kind(Kind::Double);
        let loss =
            || whole(&h.matmul(&w.tr()), model.config.final_logit_softcap, &targets).0.double_value(&[]);
        let difference = |weights: &Tensor, place: i64| {
            let mut entry = weights.view(-1).get(place);
            let value = entry.double_value(&[]);
            let _ = entry.fill_(value + STEP);
            let above = loss();
            let _ = entry.fill_(value - STEP);
            let below = loss();
            let _ = entry.fill_(value);
            ((above - below) / (2.0 * STEP)) as f32
        };
        for (weights, gradient) in [(&h, &dh_RD), (&w, &dhead_VD)] {
            let gradient = to_f32(gradient);
            let places: Vec<usize> = (0..gradient.len()).step_by(11).collect();
            let found: Vec<f32> = places.iter().map(|&place| gradient[place]).collect();
            let expected: Vec<f32> = places.iter().map(|&place| difference(weights, place as i64)).collect();
            assert!(expected.iter().any(|slope| slope.abs() > 0.1), "{expected:?}");
            assert_near(&found, &expected, 1e-5, "gradient");
        }
    }
}

#[test]
fn a_chunk_holds_at_least_one_row_and_at_most_its_bytes() {
    assert_eq!(head::chunk_rows(usize::MAX / 8), 1);
    for vocab in [48, 49_152, 150_000, 262_144] {
        let rows = head::chunk_rows(vocab);
        assert!(rows * vocab * 4 <= head::CHUNK_BYTES && (rows + 1) * vocab * 4 > head::CHUNK_BYTES);
    }
}
