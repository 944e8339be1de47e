//! From logits to one token a row: temperature, top-k, top-p, min-p, greedy, and the log-probability of what was drawn.

use tch::{Kind, Tensor};

use crate::rollout::TokenId;

/// How tokens are drawn. Truncations apply in the order top-k, top-p, min-p, each on the distribution at temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; 0 is greedy.
    pub temperature: f64,
    /// Keeps the smallest set of most likely tokens with at least this probability; 1 keeps all.
    pub top_p: f64,
    /// Keeps this many tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps tokens with at least this share of the most likely one's probability; 0 keeps all.
    pub min_p: f64,
    /// The limit of new tokens.
    pub max_new_tokens: usize,
    /// Ids that end a response.
    pub stop_ids: Vec<TokenId>,
    /// Texts that end a response.
    pub stop: Vec<String>,
    /// Sequences decoded at once.
    pub slots: usize,
}

impl Sampling {
    /// Greedy decoding of at most `max_new_tokens`.
    #[must_use]
    pub fn greedy(max_new_tokens: usize, stop_ids: Vec<TokenId>, slots: usize) -> Self {
        Self {
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            max_new_tokens,
            stop_ids,
            stop: Vec::new(),
            slots,
        }
    }

    /// Whether some tokens can never be drawn although their probability is not 0.
    #[must_use]
    pub fn truncates(&self) -> bool {
        self.temperature > 0.0 && (self.top_p < 1.0 || self.top_k > 0 || self.min_p > 0.0)
    }
}

/// What was drawn, a row each.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    /// The tokens.
    pub ids: Vec<TokenId>,
    /// Nats, at the sampling temperature (1 for greedy), over the full vocabulary.
    pub logprobs: Vec<f32>,
    /// For truncated sampling, the ids that could have been drawn.
    pub kept: Option<Vec<Vec<TokenId>>>,
}

/// Draws one token a row. `logits_RV` [R, V] in f32; `uniforms` one number in [0, 1) a row.
#[must_use]
pub fn draw(logits_RV: &Tensor, how: &Sampling, uniforms: &[f64]) -> Draws {
    tch::no_grad(|| {
        if how.temperature == 0.0 {
            let ids_R1 = logits_RV.argmax(-1, true);
            return finish(logits_RV, &ids_R1, None);
        }
        let scaled_RV =
            if how.temperature == 1.0 { logits_RV.shallow_clone() } else { logits_RV / how.temperature };
        let mut p_RV = scaled_RV.softmax(-1, Kind::Float);
        let mut kept = None;
        if how.truncates() {
            let keep_RV = support(&p_RV, how);
            p_RV = p_RV.where_self(&keep_RV, &Tensor::from(0f32).to_device(p_RV.device()));
            kept = Some(kept_ids(&keep_RV));
        }
        // Inverse of the distribution function, in f64 so that the last of 150,000 tokens still has its place. The
        // target is scaled by the total instead of normalising, and `right` skips tokens of probability 0.
        let cdf_RV = p_RV.cumsum(-1, Kind::Double);
        let total_R1 = cdf_RV.narrow(1, cdf_RV.size()[1] - 1, 1);
        let u_R1 = Tensor::from_slice(uniforms).to_device(p_RV.device()).unsqueeze(1);
        let ids_R1 =
            (u_R1 * total_R1).searchsorted(&cdf_RV.contiguous(), false, true, "right", None::<&Tensor>);
        let ids_R1 = ids_R1.clamp_max(p_RV.size()[1] - 1);
        finish(&scaled_RV, &ids_R1, kept)
    })
}

fn finish(scaled_RV: &Tensor, ids_R1: &Tensor, kept: Option<Vec<Vec<TokenId>>>) -> Draws {
    let logprobs_R1 = scaled_RV.gather(1, ids_R1, false) - scaled_RV.logsumexp([-1i64].as_slice(), true);
    Draws { ids: to_ids(&ids_R1.flatten(0, 1)), logprobs: to_f32(&logprobs_R1.flatten(0, 1)), kept }
}

/// Which tokens truncated sampling may draw, [R, V] of bool. Ties are kept together, except that top-k keeps exactly k.
fn support(p_RV: &Tensor, how: &Sampling) -> Tensor {
    let vocab = p_RV.size()[1];
    let (sorted_RV, order_RV) = p_RV.sort_stable(true, -1, true);
    let mut keep_RV = sorted_RV.ge(0.0);
    if how.top_k > 0 {
        let rank_V = Tensor::arange(vocab, (Kind::Int64, p_RV.device()));
        keep_RV = keep_RV.logical_and(&rank_V.lt(how.top_k as i64).unsqueeze(0));
    }
    if how.top_p < 1.0 {
        let kept_RV = sorted_RV.where_self(&keep_RV, &Tensor::from(0f32).to_device(p_RV.device()));
        let total_R1 = kept_RV.sum_dim_intlist([-1i64].as_slice(), true, Kind::Double);
        // A token stays while the probability of those before it is still short of the target.
        let before_RV = kept_RV.cumsum(-1, Kind::Double) - &kept_RV;
        keep_RV = keep_RV.logical_and(&before_RV.lt_tensor(&(total_R1 * how.top_p)));
    }
    if how.min_p > 0.0 {
        let floor_R1 = sorted_RV.narrow(1, 0, 1) * how.min_p;
        keep_RV = keep_RV.logical_and(&sorted_RV.ge_tensor(&floor_R1));
    }
    Tensor::zeros_like(&keep_RV).scatter(1, &order_RV, &keep_RV)
}

fn kept_ids(keep_RV: &Tensor) -> Vec<Vec<TokenId>> {
    (0..keep_RV.size()[0]).map(|row| to_ids(&keep_RV.get(row).nonzero().flatten(0, 1))).collect()
}

/// A vector of token ids from an i64 tensor.
fn to_ids(ids: &Tensor) -> Vec<TokenId> {
    let ids = ids.to_device(tch::Device::Cpu).contiguous();
    let mut out = vec![0i64; ids.numel()];
    let n = out.len();
    ids.copy_data(&mut out, n);
    // Indices into a vocabulary, which the tokenizer limits to u32.
    out.into_iter().map(|id| TokenId::try_from(id).unwrap_or(TokenId::MAX)).collect()
}

/// A vector of f32 from a tensor.
#[must_use]
pub fn to_f32(values: &Tensor) -> Vec<f32> {
    let values = values.to_device(tch::Device::Cpu).to_kind(Kind::Float).contiguous();
    let mut out = vec![0f32; values.numel()];
    let n = out.len();
    values.copy_data(&mut out, n);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how() -> Sampling {
        Sampling { temperature: 1.0, ..Sampling::greedy(1, vec![], 1) }
    }

    fn logits(p: &[f32]) -> Tensor {
        Tensor::from_slice(p).log().unsqueeze(0)
    }

    #[test]
    fn a_uniform_picks_the_token_whose_interval_holds_it() {
        let z = logits(&[0.5, 0.0, 0.25, 0.25]);
        for (u, id) in [(0.0, 0), (0.499, 0), (0.5, 2), (0.74, 2), (0.75, 3), (0.999_999, 3)] {
            assert_eq!(draw(&z, &how(), &[u]).ids, [id], "u = {u}");
        }
    }

    #[test]
    fn frequencies_follow_the_distribution_at_temperature() {
        let z = logits(&[0.7, 0.2, 0.1]);
        let warm = Sampling { temperature: 2.0, ..how() };
        let n = 20_000;
        let rows = z.expand([n, 3], false);
        let uniforms: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect();
        let drawn = draw(&rows, &warm, &uniforms);
        let roots: Vec<f64> = [0.7f64, 0.2, 0.1].iter().map(|p| p.sqrt()).collect();
        let total: f64 = roots.iter().sum();
        for (id, root) in roots.iter().enumerate() {
            let share = drawn.ids.iter().filter(|&&d| d as usize == id).count() as f64 / n as f64;
            assert!((share - root / total).abs() < 1e-3, "{id}: {share} against {}", root / total);
        }
        let expected = (roots[drawn.ids[0] as usize] / total).ln();
        assert!((f64::from(drawn.logprobs[0]) - expected).abs() < 1e-5);
    }

    #[test]
    fn greedy_takes_the_best_and_reports_its_logprob_at_temperature_one() {
        let drawn = draw(&logits(&[0.2, 0.5, 0.3]), &Sampling::greedy(1, vec![], 1), &[0.99]);
        assert_eq!(drawn.ids, [1]);
        assert!((drawn.logprobs[0] - 0.5f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn truncation_keeps_what_it_says_and_reports_the_full_logprob() {
        let z = logits(&[0.4, 0.3, 0.2, 0.1]);
        let cases = [
            (Sampling { top_k: 2, ..how() }, vec![0, 1]),
            (Sampling { top_p: 0.69, ..how() }, vec![0, 1]),
            (Sampling { top_p: 0.71, ..how() }, vec![0, 1, 2]),
            (Sampling { min_p: 0.6, ..how() }, vec![0, 1]),
            (Sampling { top_k: 3, top_p: 0.5, ..how() }, vec![0, 1]),
            (Sampling { top_p: 1e-9, ..how() }, vec![0]),
        ];
        for (how, kept) in cases {
            let drawn = draw(&z, &how, &[0.999_999]);
            assert_eq!(drawn.kept.as_deref(), Some([kept.clone()].as_slice()), "{how:?}");
            let last = kept[kept.len() - 1];
            assert_eq!(drawn.ids, [last], "{how:?}");
            let p = [0.4f32, 0.3, 0.2, 0.1][last as usize];
            assert!((drawn.logprobs[0] - p.ln()).abs() < 1e-6, "{how:?}");
        }
    }
}
