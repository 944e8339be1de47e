//! Which tensor of the file becomes which tensor of the checkpoint, and what was done to it on the way into GGUF that
//! has to be undone.

use std::collections::HashSet;

use super::container::Container;
use super::error::GgufError;
use super::rope::ROPE_FREQS;
use super::shape::{Family, ModelShape};

/// What undoes a converter's change to a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    /// Nothing was changed.
    Keep,
    /// Rows of each head were interleaved; see [`source_row`].
    Deinterleave {
        /// Rows of one head.
        head_dim: usize,
    },
    /// Gemma's norms multiply by w + 1; the checkpoint has w, GGUF has w + 1.
    SubtractOne,
}

/// One tensor of the checkpoint to write.
#[derive(Clone, Debug)]
pub(super) struct PlannedTensor {
    /// Its name in the checkpoint.
    pub(super) name: String,
    /// Its place in the file's table of tensors.
    pub(super) source: usize,
    /// The shape, outermost dimension first; the same on both sides.
    pub(super) shape: Vec<usize>,
    /// What to undo.
    pub(super) transform: Transform,
}

/// The row of the file that becomes row `row` of the checkpoint.
///
/// Hugging Face's Llama rotates dimension j of a head together with j + d/2 (two halves), ggml's `llama` rotates 2j
/// together with 2j + 1 (neighbours). The converter therefore moves row p·d/2 + j of each head to row 2j + p, with
/// p = 0, 1 and j = 0 … d/2 − 1. Only llama's rows are moved: the other families keep two halves in ggml too.
pub(super) fn source_row(transform: Transform, row: usize) -> usize {
    match transform {
        Transform::Deinterleave { head_dim } => {
            let (head, within) = (row / head_dim, row % head_dim);
            let (p, j) = (within / (head_dim / 2), within % (head_dim / 2));
            head * head_dim + 2 * j + p
        }
        Transform::Keep | Transform::SubtractOne => row,
    }
}

/// Plans the whole checkpoint. Every tensor of the file must have its place, and every tensor of the architecture must
/// be in the file with the shape that the metadata asks for.
pub(super) fn plan(file: &Container<'_>, shape: &ModelShape) -> Result<Vec<PlannedTensor>, GgufError> {
    let mut planner = Planner { file, used: HashSet::new(), planned: Vec::new() };
    let norm = norm_transform(shape.family);
    let embedding = vec![shape.vocab_size, shape.hidden_size];
    planner.add("token_embd.weight", "model.embed_tokens.weight", embedding.clone(), Transform::Keep)?;
    let entries = layer_entries(shape);
    for layer in 0..shape.num_layers {
        for entry in &entries {
            let source = format!("blk.{layer}.{}", entry.source);
            let name = format!("model.layers.{layer}.{}", entry.name);
            planner.add(&source, &name, entry.shape.clone(), entry.transform)?;
        }
    }
    planner.add("output_norm.weight", "model.norm.weight", vec![shape.hidden_size], norm)?;
    if !shape.tied {
        planner.add("output.weight", "lm_head.weight", embedding, Transform::Keep)?;
    }
    planner.finish(shape.family)
}

struct Planner<'a, 'f> {
    file: &'a Container<'f>,
    used: HashSet<&'f str>,
    planned: Vec<PlannedTensor>,
}

impl Planner<'_, '_> {
    fn add(
        &mut self,
        source: &str,
        name: &str,
        shape: Vec<usize>,
        transform: Transform,
    ) -> Result<(), GgufError> {
        let position = self.file.position(source);
        let Some((index, tensor)) = position.and_then(|index| Some((index, self.file.tensors.get(index)?)))
        else {
            return Err(GgufError::MissingTensor { tensor: source.to_owned(), shape });
        };
        if tensor.shape != shape {
            let found = tensor.shape.clone();
            return Err(GgufError::TensorShape { tensor: source.to_owned(), expected: shape, found });
        }
        if matches!(transform, Transform::Deinterleave { .. })
            && shape.len() == 1
            && tensor.kind.is_quantised()
        {
            let what = format!("the bias `{source}` stored as {}", tensor.kind.name());
            let why = "its entries have to be moved one by one; expected F32, F16 or BF16".to_owned();
            return Err(GgufError::Unsupported { what, why });
        }
        self.used.insert(tensor.name);
        self.planned.push(PlannedTensor { name: name.to_owned(), source: index, shape, transform });
        Ok(())
    }

    fn finish(self, family: Family) -> Result<Vec<PlannedTensor>, GgufError> {
        let has_place =
            |name: &str| self.used.contains(name) || (family == Family::Llama && name == ROPE_FREQS);
        match self.file.tensors.iter().find(|tensor| !has_place(tensor.name)) {
            None => Ok(self.planned),
            Some(tensor) => Err(GgufError::UnexpectedTensor {
                tensor: tensor.name.to_owned(),
                architecture: family.name().to_owned(),
            }),
        }
    }
}

/// One tensor of each layer: its names without the layer's prefix, its shape, what to undo.
struct LayerEntry {
    source: String,
    name: String,
    shape: Vec<usize>,
    transform: Transform,
}

fn norm_transform(family: Family) -> Transform {
    if family == Family::Gemma3 { Transform::SubtractOne } else { Transform::Keep }
}

/// The tensors of a layer.
fn layer_entries(shape: &ModelShape) -> Vec<LayerEntry> {
    let mut entries = Vec::new();
    let mut add = |source: &str, name: &str, shape: Vec<usize>, transform: Transform| {
        entries.push(LayerEntry { source: source.to_owned(), name: name.to_owned(), shape, transform });
    };
    let hidden = shape.hidden_size;
    // A head count times a head size, both below 2³².
    let q_width = shape.num_heads * shape.head_dim;
    let kv_width = shape.num_kv_heads * shape.head_dim;
    let rotated = match shape.family {
        Family::Llama => Transform::Deinterleave { head_dim: shape.head_dim },
        _ => Transform::Keep,
    };
    let projections = [
        ("attn_q", "self_attn.q_proj", q_width, hidden, rotated),
        ("attn_k", "self_attn.k_proj", kv_width, hidden, rotated),
        ("attn_v", "self_attn.v_proj", kv_width, hidden, Transform::Keep),
        ("attn_output", "self_attn.o_proj", hidden, q_width, Transform::Keep),
        ("ffn_gate", "mlp.gate_proj", shape.intermediate_size, hidden, Transform::Keep),
        ("ffn_up", "mlp.up_proj", shape.intermediate_size, hidden, Transform::Keep),
        ("ffn_down", "mlp.down_proj", hidden, shape.intermediate_size, Transform::Keep),
    ];
    for (source, name, rows, columns, transform) in projections {
        add(&format!("{source}.weight"), &format!("{name}.weight"), vec![rows, columns], transform);
        let has_bias = match source {
            "attn_q" | "attn_k" | "attn_v" => shape.attention_bias || shape.family == Family::Qwen2,
            "attn_output" => shape.attention_bias,
            _ => shape.mlp_bias,
        };
        if has_bias {
            add(&format!("{source}.bias"), &format!("{name}.bias"), vec![rows], transform);
        }
    }
    let norm = norm_transform(shape.family);
    let norms: &[(&str, &str)] = match shape.family {
        Family::Gemma3 => &[
            ("attn_norm", "input_layernorm"),
            ("post_attention_norm", "post_attention_layernorm"),
            ("ffn_norm", "pre_feedforward_layernorm"),
            ("post_ffw_norm", "post_feedforward_layernorm"),
        ],
        _ => &[("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")],
    };
    for (source, name) in norms {
        add(&format!("{source}.weight"), &format!("{name}.weight"), vec![hidden], norm);
    }
    if matches!(shape.family, Family::Qwen3 | Family::Gemma3) {
        for (source, name) in [("attn_q_norm", "q_norm"), ("attn_k_norm", "k_norm")] {
            let name = format!("self_attn.{name}.weight");
            add(&format!("{source}.weight"), &name, vec![shape.head_dim], norm);
        }
    }
    entries
}
