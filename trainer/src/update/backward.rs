//! One micro-batch forward through the layers and back. The layer loop is explicit: each layer's input is kept, its
//! inside is kept or computed again by choice, and gradients go into our own f32 buffers as each layer is left. That is
//! where layers can later be gathered and freed, with no change of the model code.

use tch::Tensor;

use super::head;
use super::score::PackedIds;
use crate::model::{Decoder, Packed};
use crate::objectives::{Learned, LossError, LossSpec, Term, is_separable, sequence_terms, token_term};
use crate::rollout::{Sample, TokenId};

/// What one sample gave in a forward and backward pass. Entries are those of its learned tokens, in order.
#[derive(Clone, Debug, Default)]
pub struct SampleReport {
    /// Log-probabilities under the weights of this pass, nats.
    pub logprobs: Vec<f32>,
    /// Entropies of the model's distribution at those places, nats.
    pub entropies: Vec<f32>,
    /// The loss's terms, before aggregation.
    pub terms: Vec<Term>,
}

/// Where a micro-batch's learned tokens are predicted, and which tokens they are.
struct Rows {
    rows_R: Tensor,
    targets: Vec<TokenId>,
    /// Learned tokens of each sample.
    counts: Vec<usize>,
}

impl Rows {
    fn new(samples: &[&Sample], device: tch::Device) -> Self {
        let mut rows = Vec::new();
        let mut targets = Vec::new();
        let mut counts = Vec::new();
        let mut start = 0i64;
        for sample in samples {
            let before = rows.len();
            for (t, _) in sample.learned.iter().enumerate().filter(|&(_, &learned)| learned) {
                // The token at t is predicted where its predecessor stands.
                rows.push(start + t as i64 - 1);
                targets.push(sample.ids[t]);
            }
            counts.push(rows.len() - before);
            start += sample.ids.len() as i64;
        }
        Self { rows_R: Tensor::from_slice(&rows).to_device(device), targets, counts }
    }
}

/// How a pass is made.
#[derive(Clone, Debug)]
pub struct PassSettings {
    /// The objective.
    pub spec: LossSpec,
    /// Divides the logits before the softmax.
    pub temperature: f64,
    /// Computes each layer's inside again in the backward pass instead of keeping it.
    pub recompute: bool,
}

/// Adds the gradients of the samples' loss, each token's term times its sample's factor, to `gradients`: f32 buffers in
/// the weights' canonical order. `samples`, `learned` and `factors` are aligned.
///
/// # Errors
/// When the objective does not fit a sample.
pub fn accumulate(
    decoder: &Decoder,
    settings: &PassSettings,
    samples: &[&Sample],
    learned: &[Learned],
    factors: &[f64],
    gradients: &mut [Tensor],
) -> Result<Vec<SampleReport>, LossError> {
    let sequences: Vec<&[TokenId]> = samples.iter().map(|s| s.ids.as_slice()).collect();
    let packed = PackedIds::new(&sequences, decoder.device());
    let rotary = decoder.rotary(&packed.positions_N, packed.max_position);
    let layer = |index: usize, x_ND: &Tensor| {
        let mut attention = Packed::new(&decoder.config, &packed.lengths, decoder.device());
        decoder.layer(index, x_ND, &rotary, &mut attention)
    };

    let mut kept = Vec::with_capacity(decoder.config.num_layers);
    let mut x_ND = tch::no_grad(|| decoder.embed(&packed.ids_N));
    for index in 0..decoder.config.num_layers {
        let input = x_ND.detach().set_requires_grad(true);
        let output =
            if settings.recompute { tch::no_grad(|| layer(index, &input)) } else { layer(index, &input) };
        x_ND = output.shallow_clone();
        kept.push((input, (!settings.recompute).then_some(output)));
    }

    let rows = Rows::new(samples, decoder.device());
    let input = x_ND.detach().set_requires_grad(true);
    let h_RD = decoder.final_norm(&input.index_select(0, &rows.rows_R));
    let (reports, dh_RD) =
        through_head(decoder, settings, &rows, &h_RD.detach(), learned, factors, gradients)?;
    let norm_index = norm_index(decoder);
    let mut back = pull_back(&h_RD, &dh_RD, &input, &[&decoder.weights.norm_D]);
    add(&mut gradients[norm_index], &back[1]);
    let mut dx_ND = back.swap_remove(0);

    let mut end = norm_index;
    for (index, (input, output)) in kept.into_iter().enumerate().rev() {
        let output = output.unwrap_or_else(|| layer(index, &input));
        let weights = decoder.weights.layers[index].ordered();
        let start = end - weights.len();
        let mut back = pull_back(&output, &dx_ND, &input, &weights);
        for (gradient, found) in gradients[start..end].iter_mut().zip(&back[1..]) {
            add(gradient, found);
        }
        dx_ND = back.swap_remove(0);
        end = start;
    }
    tch::no_grad(|| {
        let scale = decoder.config.embedding_scale.unwrap_or(1.0);
        let dx_ND = dx_ND.to_kind(gradients[0].kind()) * scale;
        let _ = gradients[0].index_add_(0, &packed.ids_N, &dx_ND);
    });
    Ok(reports)
}

/// The head's forward and backward pass: each sample's terms, and the gradient of the hidden states [R, D].
fn through_head(
    decoder: &Decoder,
    settings: &PassSettings,
    rows: &Rows,
    h_RD: &Tensor,
    learned: &[Learned],
    factors: &[f64],
    gradients: &mut [Tensor],
) -> Result<(Vec<SampleReport>, Tensor), LossError> {
    let places: Vec<(usize, usize)> = rows
        .counts
        .iter()
        .enumerate()
        .flat_map(|(sample, &count)| (0..count).map(move |token| (sample, token)))
        .collect();
    let mut reports: Vec<SampleReport> = rows
        .counts
        .iter()
        .map(|&n| SampleReport {
            logprobs: Vec::with_capacity(n),
            entropies: Vec::new(),
            terms: Vec::with_capacity(n),
        })
        .collect();
    // Where a loss sees a whole sequence through a shared ratio, its log-probabilities are needed before any gradient.
    let whole: Vec<bool> = learned.iter().map(|l| !is_separable(&settings.spec, l.ratio())).collect();
    if whole.contains(&true) {
        let all = head::logprobs(decoder, h_RD, &rows.targets, settings.temperature);
        let mut rest = all.as_slice();
        for (sample, &count) in rows.counts.iter().enumerate() {
            let (own, later) = rest.split_at(count);
            rest = later;
            if whole[sample] {
                let lp: Vec<f64> = own.iter().map(|&lp| f64::from(lp)).collect();
                reports[sample].terms = sequence_terms(&settings.spec, &learned[sample], &lp)?;
            }
        }
    }
    let head_index = if decoder.weights.head_VD.is_some() { gradients.len() - 1 } else { 0 };
    let slope = |row: usize, logprob: f32| -> Result<f32, LossError> {
        let (sample, token) = places[row];
        let report = &mut reports[sample];
        report.logprobs.push(logprob);
        if !whole[sample] {
            let token = &learned[sample].tokens()[token];
            report.terms.push(token_term(&settings.spec, token, f64::from(logprob)));
        }
        Ok((report.terms[token].dloss_dlp * factors[sample]) as f32)
    };
    let back = head::backward(
        decoder,
        h_RD,
        &rows.targets,
        settings.temperature,
        &mut gradients[head_index],
        slope,
    )?;
    for (&(sample, _), entropy) in places.iter().zip(back.entropies) {
        reports[sample].entropies.push(entropy);
    }
    Ok((reports, back.dh_RD))
}

/// Gradients of `output` pulled back by `d_output` to `input` and `weights`, in that order.
fn pull_back(output: &Tensor, d_output: &Tensor, input: &Tensor, weights: &[&Tensor]) -> Vec<Tensor> {
    let mut inputs = vec![input];
    inputs.extend(weights);
    // tch pulls back ones only: the gradient goes in as a factor under a sum.
    let scalar = (output * d_output).sum(output.kind());
    Tensor::run_backward(&[scalar], &inputs, false, false)
}

fn add(gradient: &mut Tensor, found: &Tensor) {
    tch::no_grad(|| *gradient += found);
}

fn norm_index(decoder: &Decoder) -> usize {
    1 + decoder.weights.layers.iter().map(|layer| layer.ordered().len()).sum::<usize>()
}
