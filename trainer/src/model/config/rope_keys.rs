//! The spellings of rotary embeddings: `rope_theta` + `rope_scaling`, and `rope_parameters` (flat, or one for each
//! kind of layer in Gemma 3). Where a file has both, they must agree, because readers differ in which one they take.

use serde_json::Value;

use super::super::rope::{RopeConfig, RopeKind, yarn_attention_factor};
use super::ConfigError;
use super::section::Section;

/// The rope of a family with one: llama, mistral, qwen2, qwen3.
pub(super) fn single(
    text: &Section<'_>,
    default_theta: f64,
    max_position: usize,
    warnings: &mut Vec<String>,
) -> Result<RopeConfig, ConfigError> {
    let theta = text.nullable_positive("rope_theta")?;
    let old = old_scaling(text, theta, default_theta, max_position, warnings)?;
    let new = match text.section("rope_parameters")? {
        Some(nested) if nested.has("full_attention") || nested.has("sliding_attention") => {
            let found = text.get("rope_parameters").unwrap_or(&Value::Null);
            return Err(text.unsupported(
                "rope_parameters",
                found,
                "one flat set for all layers; gemma3 has two",
            ));
        }
        Some(flat) => Some(parse(&flat, theta, default_theta, max_position, false, warnings)?),
        None => None,
    };
    agree(text, old, new).map(|rope| {
        rope.unwrap_or(RopeConfig { theta: theta.unwrap_or(default_theta), kind: RopeKind::Default })
    })
}

/// Gemma 3's two ropes: that of full-attention layers, then that of sliding-window layers.
pub(super) fn pair(
    text: &Section<'_>,
    default_theta: f64,
    default_local_theta: f64,
    max_position: usize,
    warnings: &mut Vec<String>,
) -> Result<[RopeConfig; 2], ConfigError> {
    let theta = text.nullable_positive("rope_theta")?;
    let local_theta = text.nullable_positive("rope_local_base_freq")?;
    let old = old_scaling(text, theta, default_theta, max_position, warnings)?;
    let (mut new, mut local) = (None, None);
    if let Some(parameters) = text.section("rope_parameters")? {
        if parameters.has("rope_type") || parameters.has("rope_theta") {
            let found = text.get("rope_parameters").unwrap_or(&Value::Null);
            let supported = "one set under full_attention and one under sliding_attention";
            return Err(text.unsupported("rope_parameters", found, supported));
        }
        if let Some(full) = parameters.section("full_attention")? {
            new = Some(parse(&full, theta, default_theta, max_position, false, warnings)?);
        }
        if let Some(sliding) = parameters.section("sliding_attention")? {
            local = Some(parse(&sliding, local_theta, default_local_theta, max_position, false, warnings)?);
        }
        warn_unread(&parameters, warnings)?;
    }
    let plain = |theta: Option<f64>, default: f64| RopeConfig {
        theta: theta.unwrap_or(default),
        kind: RopeKind::Default,
    };
    let global = agree(text, old, new)?.unwrap_or_else(|| plain(theta, default_theta));
    Ok([global, local.unwrap_or_else(|| plain(local_theta, default_local_theta))])
}

/// `rope_scaling`, where it is there and not null.
fn old_scaling(
    text: &Section<'_>,
    theta: Option<f64>,
    default_theta: f64,
    max_position: usize,
    warnings: &mut Vec<String>,
) -> Result<Option<RopeConfig>, ConfigError> {
    match text.section("rope_scaling")? {
        Some(scaling) => parse(&scaling, theta, default_theta, max_position, true, warnings).map(Some),
        None => Ok(None),
    }
}

/// The one of two spellings that is there; both must say the same.
fn agree(
    text: &Section<'_>,
    old: Option<RopeConfig>,
    new: Option<RopeConfig>,
) -> Result<Option<RopeConfig>, ConfigError> {
    match (old, new) {
        (Some(a), Some(b)) if a != b => Err(text.inconsistent(format!(
            "`{}` ({a:?}) and `{}` ({b:?}) disagree; keep one of them",
            text.name("rope_scaling"),
            text.name("rope_parameters")
        ))),
        (old, new) => Ok(new.or(old)),
    }
}

/// One rope dictionary. `outer_theta` is the theta beside it, `needs_type` whether the type must be spelled out.
fn parse(
    rope: &Section<'_>,
    outer_theta: Option<f64>,
    default_theta: f64,
    max_position: usize,
    needs_type: bool,
    warnings: &mut Vec<String>,
) -> Result<RopeConfig, ConfigError> {
    let inner_theta = rope.nullable_positive("rope_theta")?;
    if let (Some(inner), Some(outer)) = (inner_theta, outer_theta)
        && inner != outer
    {
        return Err(rope.inconsistent(format!(
            "`{}` is {inner} and the theta outside of it is {outer}; keep one of them",
            rope.name("rope_theta")
        )));
    }
    let theta = inner_theta.or(outer_theta).unwrap_or(default_theta);
    let original_max = |rope: &Section<'_>| -> Result<f64, ConfigError> {
        rope.count("original_max_position_embeddings", Some(max_position)).map(|n| n as f64)
    };
    let kind = match rope_type(rope, needs_type)? {
        "default" => RopeKind::Default,
        "linear" => RopeKind::Linear { factor: rope.positive("factor", None)? },
        "llama3" => llama3(rope)?,
        "yarn" => yarn(rope, original_max(rope)?)?,
        _ => {
            let key = if rope.has("rope_type") { "rope_type" } else { "type" };
            let found = rope.get(key).unwrap_or(&Value::Null);
            return Err(rope.unsupported(key, found, "default, linear, llama3, yarn"));
        }
    };
    warn_unread(rope, warnings)?;
    Ok(RopeConfig { theta, kind })
}

/// The rope's type, under either of its keys.
fn rope_type<'a>(rope: &Section<'a>, needed: bool) -> Result<&'a str, ConfigError> {
    match (rope.text("rope_type")?, rope.text("type")?) {
        (Some(a), Some(b)) if a != b => Err(rope.inconsistent(format!(
            "`{}` is {a:?} and `{}` is {b:?}; keep one of them",
            rope.name("rope_type"),
            rope.name("type")
        ))),
        (Some(kind), _) | (None, Some(kind)) => Ok(kind),
        (None, None) if needed => Err(ConfigError::Missing {
            file: rope.file().into(),
            key: rope.name("rope_type"),
            expected: "default, linear, llama3 or yarn",
        }),
        (None, None) => Ok("default"),
    }
}

fn llama3(rope: &Section<'_>) -> Result<RopeKind, ConfigError> {
    let low_freq_factor = rope.positive("low_freq_factor", None)?;
    let high_freq_factor = rope.positive("high_freq_factor", None)?;
    if high_freq_factor <= low_freq_factor {
        return Err(rope.inconsistent(format!(
            "`{}` = {high_freq_factor} must be above low_freq_factor = {low_freq_factor}",
            rope.name("high_freq_factor")
        )));
    }
    Ok(RopeKind::Llama3 {
        factor: rope.positive("factor", None)?,
        low_freq_factor,
        high_freq_factor,
        original_max: rope.count("original_max_position_embeddings", None)? as f64,
    })
}

fn yarn(rope: &Section<'_>, original_max: f64) -> Result<RopeKind, ConfigError> {
    let factor = rope.positive("factor", None)?;
    let mscale = rope.nullable_number("mscale")?;
    let mscale_all_dim = rope.nullable_number("mscale_all_dim")?;
    let attention_factor = match rope.nullable_positive("attention_factor")? {
        Some(given) => given,
        None => yarn_attention_factor(factor, mscale, mscale_all_dim),
    };
    Ok(RopeKind::Yarn {
        factor,
        beta_fast: rope.positive("beta_fast", Some(32.0))?,
        beta_slow: rope.positive("beta_slow", Some(1.0))?,
        attention_factor,
        original_max,
        truncate: rope.flag("truncate", true)?,
    })
}

/// Keys of a rope dictionary that its type does not use.
fn warn_unread(rope: &Section<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    for (key, value) in rope.unread() {
        match key {
            "partial_rotary_factor" if value.as_f64() == Some(1.0) || value.is_null() => {}
            "partial_rotary_factor" | "mrope_section" | "mrope_interleaved" => {
                return Err(rope.unsupported(
                    key,
                    value,
                    "every dimension of a head rotates, one position a token",
                ));
            }
            _ => warnings.push(format!("`{}` = {value} is not used by this type of rope", rope.name(key))),
        }
    }
    Ok(())
}
