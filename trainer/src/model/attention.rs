//! Who keeps keys and values: the one thing that differs between training and sampling. A layer computes queries, keys
//! and values and hands them to an [`Attention`]; this file has the one for whole packed sequences (training, scoring,
//! prefill), the engine has the one over its cache. Shape letters: see the parent module.

use tch::{Device, Kind, Tensor};

use super::config::DecoderConfig;

/// Mixes values by the similarity of queries and keys, within each sequence and causally.
pub trait Attention {
    /// `q_NHh`, `k_NKh`, `v_NKh` of the tokens at hand -> [N, H, h]. Called once a layer, in order.
    fn attend(&mut self, layer: usize, q_NHh: &Tensor, k_NKh: &Tensor, v_NKh: &Tensor) -> Tensor;
}

/// What a layer's attention depends on beside its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionSettings {
    /// Multiplies the scores.
    pub scale: f64,
    /// Tokens that a position sees, itself included.
    pub window: Option<i64>,
}

impl AttentionSettings {
    /// The settings of the layer at `index`.
    #[must_use]
    pub fn of(config: &DecoderConfig, index: usize) -> Self {
        Self {
            scale: config.attention_scale,
            window: config.layers[index].window.map(|w| i64::try_from(w).unwrap_or(i64::MAX)),
        }
    }

    /// Softmax over masked scores and the mix of values. `scores` [.., Q, L] unscaled, `mask` additive and
    /// broadcastable to it; the result is in the scores' kind.
    pub fn probabilities(&self, scores: Tensor, mask: &Tensor) -> Tensor {
        let kind = scores.kind();
        let scores = scores * self.scale + mask;
        scores.softmax(-1, Kind::Float).to_kind(kind)
    }
}

/// Additive mask of a causal window. Query i of `queries` stands at position `offset + i`, keys at 0.. -> [Q, L] with
/// 0 where the query sees the key and −∞ elsewhere.
pub fn causal_mask(queries: i64, offset: i64, window: Option<i64>, kind: Kind, device: Device) -> Tensor {
    let length = offset + queries;
    let query = Tensor::arange_start(offset, length, (Kind::Int64, device)).unsqueeze(1);
    let key = Tensor::arange(length, (Kind::Int64, device)).unsqueeze(0);
    let mut hidden = key.gt_tensor(&query);
    if let Some(window) = window {
        hidden = hidden.logical_or(&(&query - &key).ge(window));
    }
    Tensor::zeros([queries, length], (kind, device)).masked_fill(&hidden, f64::NEG_INFINITY)
}

/// Keys and values that all sequences of a batch share as their beginning, one pair a layer, each [K, P, h].
#[derive(Debug)]
pub struct SharedPrefix {
    /// Tokens in the prefix, P.
    pub length: i64,
    /// Keys after rotation, a layer.
    pub keys: Vec<Tensor>,
    /// Values, a layer.
    pub values: Vec<Tensor>,
}

/// Attention over whole sequences that lie packed one after another, optionally behind a shared prefix.
#[derive(Debug)]
pub struct Packed<'a> {
    settings: Vec<AttentionSettings>,
    num_sequences: i64,
    padded: i64,
    /// Rows of the packed tensor for each padded place (0 for padding), or `None` when nothing is padded.
    rows_BT: Option<Tensor>,
    places_N: Option<Tensor>,
    prefix: Option<&'a SharedPrefix>,
    kept: Option<Vec<(Tensor, Tensor)>>,
}

impl<'a> Packed<'a> {
    /// Attention over sequences of the given lengths.
    #[must_use]
    pub fn new(config: &DecoderConfig, lengths: &[usize], device: Device) -> Self {
        let padded = lengths.iter().copied().max().unwrap_or(0);
        let even = lengths.iter().all(|&length| length == padded);
        let (rows_BT, places_N) = if even {
            (None, None)
        } else {
            let mut rows = Vec::with_capacity(lengths.len() * padded);
            let mut places = Vec::with_capacity(lengths.iter().sum());
            let mut start = 0usize;
            for (sequence, &length) in lengths.iter().enumerate() {
                for t in 0..padded {
                    rows.push(if t < length { (start + t) as i64 } else { 0 });
                }
                places.extend((0..length).map(|t| (sequence * padded + t) as i64));
                start += length;
            }
            let place = |v: &[i64]| Tensor::from_slice(v).to_device(device);
            (Some(place(&rows)), Some(place(&places)))
        };
        Self {
            settings: (0..config.num_layers).map(|index| AttentionSettings::of(config, index)).collect(),
            num_sequences: lengths.len() as i64,
            padded: padded as i64,
            rows_BT,
            places_N,
            prefix: None,
            kept: None,
        }
    }

    /// Puts a shared prefix before every sequence: the tokens at hand stand at positions from its length on.
    #[must_use]
    pub fn behind(mut self, prefix: Option<&'a SharedPrefix>) -> Self {
        self.prefix = prefix;
        self
    }

    /// Keeps each layer's packed keys and values, for the caches of what will be sampled after these sequences.
    #[must_use]
    pub fn keeping(mut self) -> Self {
        self.kept = Some(Vec::new());
        self
    }

    /// What was kept: a layer's keys and values, each [N, K, h].
    #[must_use]
    pub fn into_kept(self) -> Vec<(Tensor, Tensor)> {
        self.kept.unwrap_or_default()
    }

    /// [N, X, h] -> [B, X, T, h].
    fn pad(&self, x_NXh: &Tensor) -> Tensor {
        let padded = match &self.rows_BT {
            Some(rows_BT) => x_NXh.index_select(0, rows_BT),
            None => x_NXh.shallow_clone(),
        };
        padded.unflatten(0, [self.num_sequences, self.padded]).transpose(1, 2)
    }

    /// [B, H, T, h] -> [N, H, h].
    fn unpad(&self, x_BHTh: &Tensor) -> Tensor {
        let rows = x_BHTh.transpose(1, 2).flatten(0, 1);
        match &self.places_N {
            Some(places_N) => rows.index_select(0, places_N),
            None => rows,
        }
    }
}

/// Repeats each key/value head for the query heads that share it. [B, K, T, h] -> [B, H, T, h].
fn repeat_heads(x: &Tensor, groups: i64) -> Tensor {
    if groups == 1 {
        return x.shallow_clone();
    }
    let size = x.size();
    x.unsqueeze(2).expand([size[0], size[1], groups, size[2], size[3]], false).flatten(1, 2)
}

impl Attention for Packed<'_> {
    fn attend(&mut self, layer: usize, q_NHh: &Tensor, k_NKh: &Tensor, v_NKh: &Tensor) -> Tensor {
        if let Some(kept) = &mut self.kept {
            kept.push((k_NKh.shallow_clone(), v_NKh.shallow_clone()));
        }
        let settings = self.settings[layer];
        let groups = q_NHh.size()[1] / k_NKh.size()[1];
        let q_BHTh = self.pad(q_NHh);
        let (mut k_BKLh, mut v_BKLh) = (self.pad(k_NKh), self.pad(v_NKh));
        let mut offset = 0;
        if let Some(prefix) = self.prefix {
            let before = |x: &Tensor| x.unsqueeze(0).expand([self.num_sequences, -1, -1, -1], false);
            k_BKLh = Tensor::cat(&[before(&prefix.keys[layer]), k_BKLh], 2);
            v_BKLh = Tensor::cat(&[before(&prefix.values[layer]), v_BKLh], 2);
            offset = prefix.length;
        }
        let (k_BHLh, v_BHLh) = (repeat_heads(&k_BKLh, groups), repeat_heads(&v_BKLh, groups));
        // A window that no sequence outgrows hides nothing.
        let window = settings.window.filter(|&window| window < offset + self.padded);
        let plain = window.is_none() && offset == 0;
        let mask = (!plain).then(|| causal_mask(self.padded, offset, window, q_NHh.kind(), q_NHh.device()));
        let out_BHTh = Tensor::scaled_dot_product_attention(
            &q_BHTh,
            &k_BHLh,
            &v_BHLh,
            mask,
            0.0,
            plain,
            settings.scale,
            false,
        );
        self.unpad(&out_BHTh)
    }
}
