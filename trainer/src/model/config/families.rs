//! How each family's configuration is read, with the defaults of transformers' configuration classes.

use serde_json::Value;

use super::section::Section;
use super::{Activation, ConfigError, DecoderConfig, Family, LayerKind, WeightDtype, keys, rope_keys};

/// What an absent key means in a family.
struct Defaults {
    /// vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads. Only Gemma 3's released
    /// files leave these out; elsewhere an absent size is more likely a broken file than a 7B model.
    sizes: Option<[usize; 5]>,
    /// None: as many as query heads.
    num_kv_heads: Option<usize>,
    /// None: hidden_size / num_attention_heads.
    head_dim: Option<usize>,
    max_position_embeddings: usize,
    rope_theta: f64,
    tie_word_embeddings: bool,
    bos: &'static [u32],
    eos: &'static [u32],
    pad: &'static [u32],
}

/// The epsilon of all five families.
const RMS_NORM_EPS: f64 = 1e-6;
/// The window of Mistral, Qwen and Gemma 3 files that name none.
const SLIDING_WINDOW: usize = 4096;
/// The first layer with a window in Qwen files that name none.
const MAX_WINDOW_LAYERS: usize = 28;
/// Gemma 3: every so many layers one has full attention.
const SLIDING_WINDOW_PATTERN: usize = 6;
/// Gemma 3's theta in sliding-window layers.
const ROPE_LOCAL_BASE_FREQ: f64 = 10_000.0;
/// Gemma 3's attention scale is this to the power of −1/2.
const QUERY_PRE_ATTN_SCALAR: f64 = 256.0;

fn defaults(family: Family) -> Defaults {
    let base = Defaults {
        sizes: None,
        num_kv_heads: None,
        head_dim: None,
        max_position_embeddings: 2048,
        rope_theta: 10_000.0,
        tie_word_embeddings: false,
        bos: &[],
        eos: &[],
        pad: &[],
    };
    match family {
        Family::Llama => Defaults { bos: &[1], eos: &[2], ..base },
        Family::Mistral => {
            Defaults { num_kv_heads: Some(8), max_position_embeddings: 131_072, bos: &[1], eos: &[2], ..base }
        }
        Family::Qwen2 => Defaults { num_kv_heads: Some(32), max_position_embeddings: 32_768, ..base },
        Family::Qwen3 => {
            Defaults { num_kv_heads: Some(32), head_dim: Some(128), max_position_embeddings: 32_768, ..base }
        }
        Family::Gemma3 => Defaults {
            sizes: Some([262_208, 2304, 9216, 26, 8]),
            num_kv_heads: Some(4),
            head_dim: Some(256),
            max_position_embeddings: 131_072,
            rope_theta: 1_000_000.0,
            tie_word_embeddings: true,
            bos: &[2],
            eos: &[1],
            pad: &[0],
        },
    }
}

/// See [`DecoderConfig::from_json`].
pub(super) fn read(value: &Value, file: &str) -> Result<DecoderConfig, ConfigError> {
    let top = Section::new(file, String::new(), value)?;
    let (family, wrapped) = architecture(&top)?;
    let mut warnings = Vec::new();
    let mut config = if wrapped {
        let text = top.section("text_config")?.ok_or_else(|| ConfigError::Missing {
            file: file.into(),
            key: "text_config".into(),
            expected: "the text decoder's configuration",
        })?;
        check_text_type(&text)?;
        let config = decoder(&text, &top, family, wrapped, &mut warnings)?;
        keys::check_unread(&text, &mut warnings)?;
        config
    } else {
        decoder(&top, &top, family, wrapped, &mut warnings)?
    };
    keys::check_unread(&top, &mut warnings)?;
    config.warnings = warnings;
    config.raw = value.clone();
    Ok(config)
}

/// The family, and whether its configuration is in a `text_config`.
fn architecture(top: &Section<'_>) -> Result<(Family, bool), ConfigError> {
    let wrapper = ("gemma3", "Gemma3ForConditionalGeneration");
    let names: Vec<(&str, &str, Family, bool)> = Family::ALL
        .iter()
        .map(|family| (family.model_type(), family.architecture(), *family, false))
        .chain([(wrapper.0, wrapper.1, Family::Gemma3, true)])
        .collect();
    let unknown = |key: &str, found: String, supported: Vec<&str>| ConfigError::UnknownArchitecture {
        file: top.file().into(),
        key: top.name(key),
        found,
        supported: supported.join(", "),
    };
    let class = top.texts("architectures")?.and_then(|list| list.first().copied());
    match (top.text("model_type")?, class) {
        (Some(kind), class) => {
            let &(_, expected, family, wrapped) =
                names.iter().find(|name| name.0 == kind).ok_or_else(|| {
                    unknown("model_type", format!("{kind:?}"), names.iter().map(|name| name.0).collect())
                })?;
            match class {
                Some(class) if class != expected => Err(unknown(
                    "architectures",
                    format!("{class:?} with model_type {kind:?}"),
                    vec![expected],
                )),
                _ => Ok((family, wrapped)),
            }
        }
        (None, Some(class)) => match names.iter().find(|name| name.1 == class) {
            Some(&(_, _, family, wrapped)) => Ok((family, wrapped)),
            None => {
                Err(unknown("architectures", format!("{class:?}"), names.iter().map(|name| name.1).collect()))
            }
        },
        (None, None) => {
            Err(unknown("model_type", "missing".into(), names.iter().map(|name| name.0).collect()))
        }
    }
}

/// The `text_config` of a Gemma 3 wrapper must be Gemma 3's.
fn check_text_type(text: &Section<'_>) -> Result<(), ConfigError> {
    match text.text("model_type")? {
        Some(kind) if kind != Family::Gemma3.model_type() => Err(ConfigError::UnknownArchitecture {
            file: text.file().into(),
            key: text.name("model_type"),
            found: format!("{kind:?}"),
            supported: Family::Gemma3.model_type().into(),
        }),
        _ => Ok(()),
    }
}

/// Everything about the decoder. `outer` is the whole file: a wrapper keeps special ids, types and tying there.
fn decoder(
    text: &Section<'_>,
    outer: &Section<'_>,
    family: Family,
    wrapped: bool,
    warnings: &mut Vec<String>,
) -> Result<DecoderConfig, ConfigError> {
    let defaults = defaults(family);
    let size = |index: usize| defaults.sizes.map(|sizes| sizes[index]);
    let vocab_size = text.count("vocab_size", size(0))?;
    let hidden_size = text.count("hidden_size", size(1))?;
    let intermediate_size = text.count("intermediate_size", size(2))?;
    let num_layers = text.count("num_hidden_layers", size(3))?;
    let num_heads = text.count("num_attention_heads", size(4))?;
    let num_kv_heads =
        text.nullable_count("num_key_value_heads", defaults.num_kv_heads)?.unwrap_or(num_heads);
    let head_dim = head_dim(text, hidden_size, num_heads, defaults.head_dim)?;
    if !num_heads.is_multiple_of(num_kv_heads) {
        return Err(text.inconsistent(format!(
            "`{}` = {num_heads} is not a multiple of num_key_value_heads = {num_kv_heads}",
            text.name("num_attention_heads")
        )));
    }
    let max_position_embeddings =
        text.count("max_position_embeddings", Some(defaults.max_position_embeddings))?;
    let gemma = family == Family::Gemma3;
    let ropes = if gemma {
        let (theta, local) = (defaults.rope_theta, ROPE_LOCAL_BASE_FREQ);
        rope_keys::pair(text, theta, local, max_position_embeddings, warnings)?.to_vec()
    } else {
        vec![rope_keys::single(text, defaults.rope_theta, max_position_embeddings, warnings)?]
    };
    let attention_bias = match family {
        Family::Llama | Family::Qwen3 | Family::Gemma3 => text.flag("attention_bias", false)?,
        Family::Mistral | Family::Qwen2 => false,
    };
    warn_ignored(text, family, wrapped, warnings);
    Ok(DecoderConfig {
        family,
        wrapped,
        vocab_size,
        hidden_size,
        intermediate_size,
        num_layers,
        num_heads,
        num_kv_heads,
        head_dim,
        rms_norm_eps: text.positive("rms_norm_eps", Some(RMS_NORM_EPS))?,
        tie_word_embeddings: tied(text, outer, defaults.tie_word_embeddings)?,
        max_position_embeddings,
        qkv_bias: attention_bias || family == Family::Qwen2,
        output_bias: attention_bias,
        mlp_bias: family == Family::Llama && text.flag("mlp_bias", false)?,
        qk_norm: matches!(family, Family::Qwen3 | Family::Gemma3),
        norm_offset: gemma,
        embedding_scale: gemma.then(|| (hidden_size as f64).sqrt()),
        activation: activation(text, family)?,
        post_norms: gemma,
        attention_scale: if gemma {
            text.positive("query_pre_attn_scalar", Some(QUERY_PRE_ATTN_SCALAR))?.powf(-0.5)
        } else {
            (head_dim as f64).powf(-0.5)
        },
        final_logit_softcap: if gemma && !wrapped {
            text.nullable_positive("final_logit_softcapping")?
        } else {
            None
        },
        layers: layers(text, family, num_layers)?,
        ropes,
        eos_token_ids: special(text, outer, "eos_token_id", defaults.eos)?,
        bos_token_id: special(text, outer, "bos_token_id", defaults.bos)?.first().copied(),
        pad_token_id: special(text, outer, "pad_token_id", defaults.pad)?.first().copied(),
        dtype: dtype(text, outer)?,
        warnings: Vec::new(),
        raw: Value::Null,
    })
}

/// Keys that transformers reads in a family and never acts on.
fn warn_ignored(text: &Section<'_>, family: Family, wrapped: bool, warnings: &mut Vec<String>) {
    let ignored: &[(&'static str, &str)] = match family {
        Family::Qwen2 => &[("attention_bias", "qwen2 always has q, k and v biases and no other")],
        Family::Gemma3 if wrapped => &[
            ("attn_logit_softcapping", "transformers does not apply it in Gemma 3 either"),
            ("final_logit_softcapping", "transformers does not apply it inside a multimodal model either"),
        ],
        Family::Gemma3 => &[("attn_logit_softcapping", "transformers does not apply it in Gemma 3 either")],
        Family::Llama | Family::Mistral | Family::Qwen3 => &[],
    };
    for (key, why) in ignored {
        if text.get(key).is_some() {
            warnings.push(format!("`{}` is ignored: {why}", text.name(key)));
        }
    }
}

/// The width of a head: the key, the family's default, or the hidden size shared among the heads.
fn head_dim(
    text: &Section<'_>,
    hidden_size: usize,
    num_heads: usize,
    default: Option<usize>,
) -> Result<usize, ConfigError> {
    let head_dim = match text.nullable_count("head_dim", default)? {
        Some(given) => given,
        None if hidden_size.is_multiple_of(num_heads) => hidden_size / num_heads,
        None => {
            return Err(text.inconsistent(format!(
                "`{}` = {hidden_size} is not a multiple of num_attention_heads = {num_heads}; give head_dim",
                text.name("hidden_size")
            )));
        }
    };
    if head_dim % 2 == 1 {
        return Err(text.inconsistent(format!(
            "`{}` is {head_dim}; rotary embeddings need an even number",
            text.name("head_dim")
        )));
    }
    Ok(head_dim)
}

fn tied(text: &Section<'_>, outer: &Section<'_>, default: bool) -> Result<bool, ConfigError> {
    let inner = text.flag("tie_word_embeddings", default)?;
    // transformers 4 takes the text configuration's word, transformers 5 the wrapper's.
    let whole = outer.flag("tie_word_embeddings", inner)?;
    if inner != whole {
        return Err(outer.inconsistent(format!(
            "`tie_word_embeddings` is {whole} and `{}` is {inner}; make them the same",
            text.name("tie_word_embeddings")
        )));
    }
    Ok(inner)
}

fn activation(text: &Section<'_>, family: Family) -> Result<Activation, ConfigError> {
    let (key, default) = match family {
        Family::Gemma3 => ("hidden_activation", Activation::GeluTanh),
        _ => ("hidden_act", Activation::Silu),
    };
    match text.text(key)? {
        None => Ok(default),
        Some("silu" | "swish") => Ok(Activation::Silu),
        Some("gelu_pytorch_tanh") => Ok(Activation::GeluTanh),
        Some(other) => Err(text.unsupported(key, &Value::from(other), "silu, gelu_pytorch_tanh")),
    }
}

/// Which layers have a window, and which rope each has.
fn layers(text: &Section<'_>, family: Family, num_layers: usize) -> Result<Vec<LayerKind>, ConfigError> {
    let (window, slides): (Option<usize>, Vec<bool>) = match family {
        Family::Llama => (None, uniform(text, num_layers, false)?),
        Family::Mistral => {
            let window = text.nullable_count("sliding_window", Some(SLIDING_WINDOW))?;
            (window, uniform(text, num_layers, window.is_some())?)
        }
        Family::Qwen2 | Family::Qwen3 => {
            let window = text.nullable_count("sliding_window", Some(SLIDING_WINDOW))?;
            let window = if text.flag("use_sliding_window", false)? { window } else { None };
            let first = match text.get("max_window_layers") {
                None => MAX_WINDOW_LAYERS,
                Some(value) => value
                    .as_u64()
                    .and_then(|n| usize::try_from(n).ok())
                    .ok_or_else(|| text.bad("max_window_layers", value, "a whole number"))?,
            };
            let slides = (0..num_layers).map(|layer| window.is_some() && layer >= first).collect();
            (window, listed(text, num_layers)?.unwrap_or(slides))
        }
        Family::Gemma3 => {
            let window = text.nullable_count("sliding_window", Some(SLIDING_WINDOW))?;
            let pattern = text.count("sliding_window_pattern", Some(SLIDING_WINDOW_PATTERN))?;
            let saved = text.count("_sliding_window_pattern", Some(pattern))?;
            let listed = listed(text, num_layers)?;
            if listed.is_none() && saved != pattern {
                return Err(text.inconsistent(format!(
                    "`{}` is {saved} and `{}` is {pattern}; give layer_types",
                    text.name("_sliding_window_pattern"),
                    text.name("sliding_window_pattern")
                )));
            }
            (window, listed.unwrap_or((1..=num_layers).map(|layer| layer % pattern != 0).collect()))
        }
    };
    if window.is_none() && slides.contains(&true) {
        return Err(text.inconsistent(format!(
            "some layers are sliding_attention but no window is in force; set `{}`{}",
            text.name("sliding_window"),
            if family == Family::Gemma3 { "" } else { " and use_sliding_window" }
        )));
    }
    let kind = |slide: &bool| LayerKind {
        window: window.filter(|_| *slide),
        rope: usize::from(family == Family::Gemma3 && *slide),
    };
    Ok(slides.iter().map(kind).collect())
}

/// `layer_types` as "does it slide", where the key is there.
fn listed(text: &Section<'_>, num_layers: usize) -> Result<Option<Vec<bool>>, ConfigError> {
    let Some(types) = text.texts("layer_types")? else { return Ok(None) };
    if types.len() != num_layers {
        return Err(text.inconsistent(format!(
            "`{}` has {} entries and num_hidden_layers is {num_layers}",
            text.name("layer_types"),
            types.len()
        )));
    }
    let slide = |kind: &str| match kind {
        "sliding_attention" => Ok(true),
        "full_attention" => Ok(false),
        other => {
            Err(text.unsupported("layer_types", &Value::from(other), "full_attention, sliding_attention"))
        }
    };
    types.into_iter().map(slide).collect::<Result<_, _>>().map(Some)
}

/// The layers of a family in which all are alike; a `layer_types` that says otherwise is refused.
fn uniform(text: &Section<'_>, num_layers: usize, slides: bool) -> Result<Vec<bool>, ConfigError> {
    let expected = vec![slides; num_layers];
    match listed(text, num_layers)? {
        Some(listed) if listed != expected => {
            let found = text.get("layer_types").unwrap_or(&Value::Null);
            let same = if slides { "sliding_attention" } else { "full_attention" };
            Err(text.unsupported("layer_types", found, &format!("{same} in every layer, in this family")))
        }
        _ => Ok(expected),
    }
}

/// A special token: the wrapper's word counts before the text configuration's.
fn special(
    text: &Section<'_>,
    outer: &Section<'_>,
    key: &'static str,
    absent: &[u32],
) -> Result<Vec<u32>, ConfigError> {
    let inner = text.token_ids(key, absent)?;
    if outer.has(key) { outer.token_ids(key, absent) } else { Ok(inner) }
}

fn dtype(text: &Section<'_>, outer: &Section<'_>) -> Result<Option<WeightDtype>, ConfigError> {
    for section in [outer, text] {
        for key in ["dtype", "torch_dtype"] {
            match section.text(key)? {
                None => {}
                Some("float32") => return Ok(Some(WeightDtype::F32)),
                Some("float16") => return Ok(Some(WeightDtype::F16)),
                Some("bfloat16") => return Ok(Some(WeightDtype::Bf16)),
                Some(other) => {
                    return Err(section.unsupported(key, &Value::from(other), "float32, float16, bfloat16"));
                }
            }
        }
    }
    Ok(None)
}
