//! Keys and values of the sequences being sampled. Active sequences always fill the first slots, so that a decode step
//! reads a plain slice of the cache; a prefix that all prompts share (worked examples) is kept once for all slots.

use tch::{Kind, Tensor};

use crate::model::attention::{AttentionSettings, SharedPrefix};
use crate::model::{Attention, Decoder};

/// Lengths are rounded up to this many tokens, so that the kernels see few different shapes.
const LENGTH_STEP: i64 = 32;

/// The cache: for each layer keys and values of every slot.
#[derive(Debug)]
pub struct KvCache {
    keys_SKLh: Vec<Tensor>,
    values_SKLh: Vec<Tensor>,
    settings: Vec<AttentionSettings>,
    capacity: i64,
}

impl KvCache {
    /// Room for `slots` sequences of `length` tokens (behind the shared prefix, if there is one).
    #[must_use]
    pub fn new(decoder: &Decoder, slots: usize, length: usize) -> Self {
        let config = &decoder.config;
        let capacity = round_up(length as i64);
        let shape = [slots as i64, config.num_kv_heads as i64, capacity, config.head_dim as i64];
        let make = || -> Vec<Tensor> {
            (0..config.num_layers).map(|_| Tensor::zeros(shape, (decoder.kind(), decoder.device()))).collect()
        };
        Self {
            keys_SKLh: make(),
            values_SKLh: make(),
            settings: (0..config.num_layers).map(|index| AttentionSettings::of(config, index)).collect(),
            capacity,
        }
    }

    /// Bytes that such a cache takes.
    #[must_use]
    pub fn bytes(decoder: &Decoder, slots: usize, length: usize) -> u64 {
        let config = &decoder.config;
        let per_token = 2 * config.num_layers * config.num_kv_heads * config.head_dim;
        (slots * per_token) as u64
            * round_up(length as i64) as u64
            * decoder.kind().elt_size_in_bytes() as u64
    }

    /// Copies a prompt's keys and values (a layer's [P, K, h] each) to the beginning of a slot.
    pub fn fill(&mut self, slot: usize, prompt: &[(Tensor, Tensor)]) {
        for (layer, (k_PKh, v_PKh)) in prompt.iter().enumerate() {
            let length = k_PKh.size()[0];
            let write = |cache: &Tensor, x: &Tensor| {
                cache.get(slot as i64).narrow(1, 0, length).copy_(&x.transpose(0, 1));
            };
            write(&self.keys_SKLh[layer], k_PKh);
            write(&self.values_SKLh[layer], v_PKh);
        }
    }

    /// Moves the first `length` tokens of a slot to another.
    pub fn relocate(&mut self, from: usize, to: usize, length: usize) {
        for cache in self.keys_SKLh.iter().chain(&self.values_SKLh) {
            let part = |slot: usize| cache.get(slot as i64).narrow(1, 0, length as i64);
            part(to).copy_(&part(from));
        }
    }
}

fn round_up(length: i64) -> i64 {
    (length + LENGTH_STEP - 1) / LENGTH_STEP * LENGTH_STEP
}

/// The attention of one decode step: one new token for each of the first A slots.
#[derive(Debug)]
pub struct DecodeStep<'a> {
    cache: &'a mut KvCache,
    prefix: Option<&'a SharedPrefix>,
    slots_A: Tensor,
    places_A: Tensor,
    num_active: i64,
    length: i64,
    /// Additive masks over the slots' own tokens and over the prefix, for each distinct window.
    masks: Vec<(Option<i64>, Tensor, Option<Tensor>)>,
}

impl<'a> DecodeStep<'a> {
    /// A step in which slot i's new token goes to place `lengths[i]` of its slot.
    #[must_use]
    pub fn new(cache: &'a mut KvCache, prefix: Option<&'a SharedPrefix>, lengths: &[usize]) -> Self {
        let device = cache.keys_SKLh[0].device();
        let kind = cache.keys_SKLh[0].kind();
        let num_active = lengths.len() as i64;
        let places: Vec<i64> = lengths.iter().map(|&l| l as i64).collect();
        let longest = places.iter().copied().max().unwrap_or(0) + 1;
        let length = round_up(longest).min(cache.capacity);
        let places_A = Tensor::from_slice(&places).to_device(device);
        let mut masks: Vec<(Option<i64>, Tensor, Option<Tensor>)> = Vec::new();
        for settings in &cache.settings {
            if masks.iter().any(|(window, ..)| *window == settings.window) {
                continue;
            }
            let own = slot_mask(&places_A, 0, length, settings.window, kind);
            // The prefix stands at positions −P..0 as seen from a slot's own places.
            let behind = prefix
                .filter(|_| settings.window.is_some())
                .map(|prefix| slot_mask(&places_A, -prefix.length, 0, settings.window, kind));
            masks.push((settings.window, own, behind));
        }
        let slots_A = Tensor::arange(num_active, (Kind::Int64, device));
        Self { cache, prefix, slots_A, places_A, num_active, length, masks }
    }
}

/// Additive mask [A, 1, 1, last − first] over keys at places `first..last` for queries at `places_A`.
fn slot_mask(places_A: &Tensor, first: i64, last: i64, window: Option<i64>, kind: Kind) -> Tensor {
    let device = places_A.device();
    let key = Tensor::arange_start(first, last, (Kind::Int64, device)).unsqueeze(0);
    let query = places_A.unsqueeze(1);
    let mut hidden = key.gt_tensor(&query);
    if let Some(window) = window {
        hidden = hidden.logical_or(&(&query - &key).ge(window));
    }
    let mask = Tensor::zeros(hidden.size(), (kind, device)).masked_fill(&hidden, f64::NEG_INFINITY);
    mask.unsqueeze(1).unsqueeze(1)
}

impl Attention for DecodeStep<'_> {
    fn attend(&mut self, layer: usize, q_NHh: &Tensor, k_NKh: &Tensor, v_NKh: &Tensor) -> Tensor {
        let index = [Some(&self.slots_A), None, Some(&self.places_A)];
        let _ = self.cache.keys_SKLh[layer].index_put_(&index, k_NKh, false);
        let _ = self.cache.values_SKLh[layer].index_put_(&index, v_NKh, false);
        let settings = self.cache.settings[layer];
        let view = |cache: &Tensor| cache.narrow(0, 0, self.num_active).narrow(2, 0, self.length);
        let (k_AKLh, v_AKLh) = (view(&self.cache.keys_SKLh[layer]), view(&self.cache.values_SKLh[layer]));
        let groups = q_NHh.size()[1] / k_NKh.size()[1];
        // The query heads that share a key/value head stand where other code has query positions: keys are read once.
        let q_AKGh = q_NHh.unflatten(1, [-1, groups]);
        let mask = self.masks.iter().find(|(window, ..)| *window == settings.window);
        let (own_mask, prefix_mask) = match mask {
            Some((_, own, behind)) => (own, behind.as_ref()),
            None => unreachable!("every layer's window has its mask"),
        };
        let out_AKGh = match self.prefix {
            Some(prefix) => self.behind(prefix, layer, &q_AKGh, &k_AKLh, &v_AKLh, (own_mask, prefix_mask)),
            None => Tensor::scaled_dot_product_attention(
                &q_AKGh,
                &k_AKLh,
                &v_AKLh,
                Some(own_mask),
                0.0,
                false,
                settings.scale,
                false,
            ),
        };
        out_AKGh.flatten(1, 2)
    }
}

impl DecodeStep<'_> {
    /// Attention over the shared prefix and a slot's own tokens under one softmax; the prefix's keys are read once
    /// for all slots.
    fn behind(
        &self,
        prefix: &SharedPrefix,
        layer: usize,
        q_AKGh: &Tensor,
        k_AKLh: &Tensor,
        v_AKLh: &Tensor,
        (own_mask, prefix_mask): (&Tensor, Option<&Tensor>),
    ) -> Tensor {
        let size = q_AKGh.size();
        let (active, groups, head) = (size[0], size[2], size[3]);
        let q_KRh = q_AKGh.transpose(0, 1).reshape([-1, active * groups, head]);
        let spread = |x_KRX: Tensor| x_KRX.unflatten(1, [active, groups]).transpose(0, 1);
        let shared = spread(q_KRh.matmul(&prefix.keys[layer].transpose(1, 2)));
        let own = q_AKGh.matmul(&k_AKLh.transpose(2, 3));
        let prefix_mask = match prefix_mask {
            Some(mask) => mask.shallow_clone(),
            None => Tensor::zeros([active, 1, 1, prefix.length], (own_mask.kind(), own_mask.device())),
        };
        let mask = Tensor::cat(&[&prefix_mask, own_mask], 3);
        let p = self.cache.settings[layer].probabilities(Tensor::cat(&[shared, own], 3), &mask);
        let p_own = p.narrow(3, prefix.length, self.length);
        let p_KRP =
            p.narrow(3, 0, prefix.length).transpose(0, 1).reshape([-1, active * groups, prefix.length]);
        spread(p_KRP.matmul(&prefix.values[layer])) + p_own.matmul(v_AKLh)
    }
}
