//! One definition of the decoder for sampling and for training: Llama, Mistral, Qwen 2, Qwen 3 and Gemma 3.
//!
//! A family is a reading of `config.json` into a [`DecoderConfig`] ([`config`]); the computation below knows features
//! (biases, q/k norms, windows, soft caps), never families. What differs between sampling and training is only who
//! keeps the keys and values: see [`attention::Attention`].
//!
//! Shape letters, here and in every file that handles tensors:
//!
//! ```text
//! N packed tokens   B sequences    T padded length   S cache slots   L cached length
//! D hidden          H query heads  K key/value heads G = H / K       h head size
//! F feed-forward    V vocabulary   R rows (learned tokens)
//! ```

pub mod attention;
pub mod config;
pub mod device;
pub mod export;
#[cfg(test)]
mod golden_tests;
pub mod init;
pub mod layer;
pub mod load;
pub mod rope;
pub mod rotary;
pub mod save;
pub mod torch;
pub mod weights;

use tch::{Device, Kind, Tensor};

pub use attention::{Attention, Packed};
pub use config::{ConfigError, DecoderConfig};
pub use load::{LoadError, load_folder};
pub use rotary::{Rotary, RotaryTables};
pub use weights::ModelWeights;

/// A decoder: its configuration, its weights and where they lie.
#[derive(Debug)]
pub struct Decoder {
    /// The architecture.
    pub config: DecoderConfig,
    /// The weights it computes with, all of one kind on one device.
    pub weights: ModelWeights,
    tables: RotaryTables,
}

impl Decoder {
    /// A decoder over `weights`.
    #[must_use]
    pub fn new(config: DecoderConfig, weights: ModelWeights) -> Self {
        let tables = RotaryTables::new(&config, weights.embed_VD.device());
        Self { config, weights, tables }
    }

    /// Where the weights lie.
    #[must_use]
    pub fn device(&self) -> Device {
        self.weights.embed_VD.device()
    }

    /// The kind that the decoder computes in.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.weights.embed_VD.kind()
    }

    /// Token embeddings, scaled where the family scales them. `ids_N`: N ids of i64 -> [N, D].
    pub fn embed(&self, ids_N: &Tensor) -> Tensor {
        let x_ND = Tensor::embedding(&self.weights.embed_VD, ids_N, -1, false, false);
        match self.config.embedding_scale {
            // The reference rounds the scale to the type of the weights before it multiplies.
            Some(scale) => &x_ND * Tensor::from(scale).to_kind(x_ND.kind()).to_device(x_ND.device()),
            None => x_ND,
        }
    }

    /// Cosines and sines for the given positions, one pair for each of the config's ropes.
    #[must_use]
    pub fn rotary(&self, positions_N: &Tensor, max_position: i64) -> Vec<Rotary> {
        self.tables.at(positions_N, max_position, self.kind())
    }

    /// One layer. `x_ND` -> [N, D].
    pub fn layer(
        &self,
        index: usize,
        x_ND: &Tensor,
        rotary: &[Rotary],
        attention: &mut dyn Attention,
    ) -> Tensor {
        layer::forward(&self.config, index, &self.weights.layers[index], x_ND, rotary, attention)
    }

    /// The norm after the last layer. [N, D] -> [N, D].
    pub fn final_norm(&self, x_ND: &Tensor) -> Tensor {
        layer::rms_norm(&self.config, x_ND, &self.weights.norm_D)
    }

    /// The matrix that turns hidden states into logits, [V, D]: the embedding where they are tied.
    pub fn head_VD(&self) -> &Tensor {
        self.weights.head_VD.as_ref().unwrap_or(&self.weights.embed_VD)
    }

    /// Logits of hidden states after the final norm, in f32, soft-capped where the family does. [R, D] -> [R, V].
    pub fn logits(&self, h_RD: &Tensor) -> Tensor {
        let z_RV = h_RD.linear(self.head_VD(), None::<&Tensor>).to_kind(Kind::Float);
        match self.config.final_logit_softcap {
            Some(cap) => (z_RV / cap).tanh() * cap,
            None => z_RV,
        }
    }

    /// All layers and the final norm over packed tokens. `ids_N` -> [N, D].
    pub fn hidden(
        &self,
        ids_N: &Tensor,
        positions_N: &Tensor,
        max_position: i64,
        attention: &mut dyn Attention,
    ) -> Tensor {
        let rotary = self.rotary(positions_N, max_position);
        let mut x_ND = self.embed(ids_N);
        for index in 0..self.config.num_layers {
            x_ND = self.layer(index, &x_ND, &rotary, attention);
        }
        self.final_norm(&x_ND)
    }
}
