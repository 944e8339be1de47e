//! Rotary position embeddings as tensors: cosine and sine tables, grown as positions need them. The frequencies
//! themselves are plain mathematics in `rope`.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

use super::config::DecoderConfig;
use super::rope;

/// Cosines and sines of a batch's positions, for one rope.
#[derive(Debug)]
pub struct Rotary {
    cos_N1h: Tensor,
    sin_N1h: Tensor,
}

impl Rotary {
    /// Rotates the head vectors by their positions. [N, heads, h] -> [N, heads, h].
    pub fn apply(&self, x: &Tensor) -> Tensor {
        let half = x.size()[2] / 2;
        let rotated = Tensor::cat(&[-x.narrow(2, half, half), x.narrow(2, 0, half)], 2);
        x * &self.cos_N1h + rotated * &self.sin_N1h
    }
}

#[derive(Debug)]
struct Table {
    inverse_frequencies: Vec<f32>,
    attention_factor: f64,
    cos_Lh: Tensor,
    sin_Lh: Tensor,
}

/// The tables of all ropes of a model, long enough for the positions seen so far.
#[derive(Debug)]
pub struct RotaryTables {
    tables: RefCell<Vec<Table>>,
    device: Device,
}

const FIRST_LENGTH: i64 = 512;

impl RotaryTables {
    /// Tables for `config`'s ropes on `device`.
    #[must_use]
    pub fn new(config: &DecoderConfig, device: Device) -> Self {
        let tables = config
            .ropes
            .iter()
            .map(|rope| {
                let (frequencies, attention_factor) = rope::inverse_frequencies(rope, config.head_dim);
                // The reference keeps frequencies in f32.
                let inverse_frequencies = frequencies.into_iter().map(|f| f as f32).collect();
                let empty = Tensor::zeros([0, config.head_dim as i64], (Kind::Float, device));
                Table { inverse_frequencies, attention_factor, cos_Lh: empty.shallow_clone(), sin_Lh: empty }
            })
            .collect();
        Self { tables: RefCell::new(tables), device }
    }

    /// For each rope the cosines and sines of `positions_N` (none above `max_position`), in `kind`.
    #[must_use]
    pub fn at(&self, positions_N: &Tensor, max_position: i64, kind: Kind) -> Vec<Rotary> {
        tch::no_grad(|| {
            self.tables
                .borrow_mut()
                .iter_mut()
                .map(|table| {
                    table.grow(max_position + 1, self.device);
                    let pick = |t: &Tensor| t.index_select(0, positions_N).to_kind(kind).unsqueeze(1);
                    Rotary { cos_N1h: pick(&table.cos_Lh), sin_N1h: pick(&table.sin_Lh) }
                })
                .collect()
        })
    }
}

impl Table {
    fn grow(&mut self, length: i64, device: Device) {
        let have = self.cos_Lh.size()[0];
        if length <= have {
            return;
        }
        let length = length.max(have * 2).max(FIRST_LENGTH);
        let frequencies = Tensor::from_slice(&self.inverse_frequencies);
        let positions = Tensor::arange(length, (Kind::Float, Device::Cpu));
        let angles = positions.outer(&frequencies);
        let angles_Lh = Tensor::cat(&[&angles, &angles], 1);
        self.cos_Lh = (angles_Lh.cos() * self.attention_factor).to_device(device);
        self.sin_Lh = (angles_Lh.sin() * self.attention_factor).to_device(device);
    }
}
