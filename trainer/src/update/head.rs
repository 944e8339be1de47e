//! Hidden states to log-probabilities, and gradients back, a few rows at a time: the [rows × vocabulary] matrix that
//! runs a trainer out of memory exists only for one chunk, and is computed again in the backward pass where a loss must
//! see a whole sequence before its gradient is known. Shape letters: see the model's module.

use tch::{Kind, Tensor};

use crate::engine::to_f32;
use crate::model::Decoder;
use crate::rollout::TokenId;

/// Bytes of one f32 [rows × vocabulary] matrix of a chunk; about four such matrices are alive at once.
pub const CHUNK_BYTES: usize = 128 << 20;

/// Rows that go through the output matrix together.
#[must_use]
pub fn chunk_rows(vocab: usize) -> usize {
    (CHUNK_BYTES / (vocab * 4)).max(1)
}

/// A chunk's distributions.
struct Chunk {
    /// Logits at temperature, f32, [c, V].
    z_cV: Tensor,
    /// Logarithm of the sum of exponentials, [c, 1].
    lse_c1: Tensor,
    targets_c1: Tensor,
}

impl Chunk {
    fn new(decoder: &Decoder, h_cD: &Tensor, targets: &[TokenId], temperature: f64) -> Self {
        let mut z_cV = decoder.logits(h_cD);
        if temperature != 1.0 {
            let _ = z_cV.g_div_scalar_(temperature);
        }
        let lse_c1 = z_cV.logsumexp([-1i64].as_slice(), true);
        let ids: Vec<i64> = targets.iter().map(|&id| i64::from(id)).collect();
        let targets_c1 = Tensor::from_slice(&ids).to_device(h_cD.device()).unsqueeze(1);
        Self { z_cV, lse_c1, targets_c1 }
    }

    fn logprobs(&self) -> Vec<f32> {
        to_f32(&(self.z_cV.gather(1, &self.targets_c1, false) - &self.lse_c1))
    }
}

/// Log-probabilities of `targets` after hidden states `h_RD` (final norm applied), nats at `temperature`, R of them.
#[must_use]
pub fn logprobs(decoder: &Decoder, h_RD: &Tensor, targets: &[TokenId], temperature: f64) -> Vec<f32> {
    tch::no_grad(|| {
        let mut out = Vec::with_capacity(targets.len());
        for (start, targets) in chunks(decoder, targets) {
            let h_cD = h_RD.narrow(0, start as i64, targets.len() as i64);
            out.extend(Chunk::new(decoder, &h_cD, targets, temperature).logprobs());
        }
        out
    })
}

/// What a backward pass through the head gives.
#[derive(Debug)]
pub struct HeadBackward {
    /// Gradient with respect to the hidden states, in their kind, [R, D].
    pub dh_RD: Tensor,
    /// Entropies of the R distributions, nats.
    pub entropies: Vec<f32>,
}

/// The backward pass. `slope(row, logprob)` gives dLoss/dlogprob of each row, called in row order as the chunks
/// become known; the output matrix' gradient is added to `dhead_VD` (f32).
pub fn backward<E>(
    decoder: &Decoder,
    h_RD: &Tensor,
    targets: &[TokenId],
    temperature: f64,
    dhead_VD: &mut Tensor,
    mut slope: impl FnMut(usize, f32) -> Result<f32, E>,
) -> Result<HeadBackward, E> {
    tch::no_grad(|| {
        let dh_RD = h_RD.zeros_like();
        let mut entropies = Vec::with_capacity(targets.len());
        for (start, targets) in chunks(decoder, targets) {
            let h_cD = h_RD.narrow(0, start as i64, targets.len() as i64);
            let chunk = Chunk::new(decoder, &h_cD, targets, temperature);
            let mut slopes = Vec::with_capacity(targets.len());
            for (index, logprob) in chunk.logprobs().into_iter().enumerate() {
                slopes.push(slope(start + index, logprob)?);
            }
            let Chunk { z_cV, lse_c1, targets_c1 } = chunk;
            let mut dz_cV = (&z_cV - &lse_c1).exp_();
            // H = lse − Σ p z.
            let entropy = lse_c1.squeeze_dim(1)
                - (&dz_cV * &z_cV).sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
            entropies.extend(to_f32(&entropy));
            // d logprob / dz = onehot − p, over the temperature.
            let scaled: Vec<f32> = slopes.iter().map(|s| s / temperature as f32).collect();
            let scaled_c1 = Tensor::from_slice(&scaled).to_device(dz_cV.device()).unsqueeze(1);
            let _ = dz_cV.g_mul_(&(-&scaled_c1));
            let _ = dz_cV.scatter_add_(1, &targets_c1, &scaled_c1);
            if let Some(cap) = decoder.config.final_logit_softcap {
                // z = cap·tanh(y / cap) / temperature, so dz/dy = 1 − (z·temperature / cap)², over the temperature.
                dz_cV *= 1.0 - (z_cV * (temperature / cap)).square();
            }
            let dz_cV = dz_cV.to_kind(h_cD.kind());
            dh_RD.narrow(0, start as i64, targets.len() as i64).copy_(&dz_cV.matmul(decoder.head_VD()));
            if dhead_VD.kind() == dz_cV.kind() {
                let _ = dhead_VD.addmm_(&dz_cV.tr(), &h_cD);
            } else {
                *dhead_VD += dz_cV.tr().matmul(&h_cD);
            }
        }
        Ok(HeadBackward { dh_RD, entropies })
    })
}

fn chunks<'a>(
    decoder: &Decoder,
    targets: &'a [TokenId],
) -> impl Iterator<Item = (usize, &'a [TokenId])> + use<'a> {
    let rows = chunk_rows(decoder.config.vocab_size);
    targets.chunks(rows).enumerate().map(move |(index, chunk)| (index * rows, chunk))
}
