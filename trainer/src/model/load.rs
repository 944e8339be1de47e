//! A Hugging Face folder to a decoder: single and sharded safetensors, checked name by name and shape by shape.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use tch::{Device, Kind, Tensor};

use super::config::{ConfigError, DecoderConfig};
use super::torch::{TorchError, guard};
use super::weights::{self, ModelWeights, WeightSpec};

/// Why a folder does not load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// config.json.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file that should be there.
    #[error("{what} is missing: expected {expected} in {folder}. Is the download complete?")]
    Missing {
        /// What is missing.
        what: String,
        /// Which file or files.
        expected: String,
        /// Where.
        folder: PathBuf,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is damaged.
    #[error(
        "{path} is not a whole safetensors file: {reason}. Download or export it again (its size is {bytes} bytes)"
    )]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// Its size.
        bytes: u64,
    },
    /// The index of a sharded checkpoint is not what it should be.
    #[error("{path}: {reason}")]
    Index {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A weight that the config asks for.
    #[error(
        "{folder}: weight {name} {shape:?} is missing. The config asks for it; the folder's files do not have it: does config.json belong to these weights?"
    )]
    MissingWeight {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<i64>,
        /// Where.
        folder: PathBuf,
    },
    /// A weight of another shape.
    #[error(
        "{path}: weight {name} has shape {found:?}, config.json asks for {expected:?}: does config.json belong to these weights?"
    )]
    Shape {
        /// Its name.
        name: String,
        /// By the config.
        expected: Vec<i64>,
        /// In the file.
        found: Vec<i64>,
        /// Which file.
        path: PathBuf,
    },
    /// A weight of a type that is not supported.
    #[error(
        "{path}: weight {name} is of type {found}; supported are F32, F16 and BF16: convert the checkpoint (quantised ones through their unquantised original)"
    )]
    Dtype {
        /// Its name.
        name: String,
        /// In the file.
        found: String,
        /// Which file.
        path: PathBuf,
    },
    /// Weights that no part of the model uses.
    #[error(
        "{folder}: {count} weights belong to no part of a {family} model, for instance {example}: the model would compute something else without them. Is the architecture in config.json right?"
    )]
    Unused {
        /// How many.
        count: usize,
        /// The first.
        example: String,
        /// The family.
        family: String,
        /// Where.
        folder: PathBuf,
    },
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

/// A model folder's weights, in the kind that the file has them.
#[derive(Debug)]
pub struct Loaded {
    /// The architecture.
    pub config: DecoderConfig,
    /// The weights.
    pub weights: ModelWeights,
    /// The kind of most of the file's weights.
    pub kind: Kind,
}

/// Loads `folder`. With `kind` the weights are converted, otherwise they stay as the file has them.
///
/// # Errors
/// Everything that is wrong with the folder, named; see [`LoadError`].
pub fn load_folder(folder: &Path, device: Device, kind: Option<Kind>) -> Result<Loaded, LoadError> {
    let config = DecoderConfig::from_folder(folder)?;
    let files = Files::open(folder)?;
    let names = files.names()?;
    let mut used = std::collections::BTreeSet::new();
    let mut own_kind = None;
    let weights = ModelWeights::from_source(&config, |spec| {
        let Some((name, file)) = find(&names, spec) else {
            return Err(LoadError::MissingWeight {
                name: spec.name.clone(),
                shape: spec.shape.clone(),
                folder: folder.to_path_buf(),
            });
        };
        used.insert(name.clone());
        let tensor = files.tensor(file, &name, spec)?;
        own_kind.get_or_insert(tensor.kind());
        let kind = kind.unwrap_or(tensor.kind());
        Ok(guard(&format!("loading {name}"), || tensor.to_device(device).to_kind(kind))?)
    })?;
    let unused: Vec<&String> =
        names.keys().filter(|name| !used.contains(*name) && !is_harmless(name, &config)).collect();
    if let Some(example) = unused.first() {
        return Err(LoadError::Unused {
            count: unused.len(),
            example: (*example).clone(),
            family: config.family.model_type().to_string(),
            folder: folder.to_path_buf(),
        });
    }
    Ok(Loaded { config, weights, kind: own_kind.unwrap_or(Kind::Float) })
}

/// The file that holds a weight, and the name it has there. Multimodal checkpoints put a prefix before a text model's names.
fn find(names: &BTreeMap<String, usize>, spec: &WeightSpec) -> Option<(String, usize)> {
    let inside = spec.name.strip_prefix("model.");
    let mut candidates = vec![spec.name.clone(), format!("language_model.{}", spec.name)];
    if let Some(inside) = inside {
        candidates.push(format!("model.language_model.{inside}"));
    }
    candidates.into_iter().find_map(|name| names.get(&name).map(|&file| (name, file)))
}

/// Weights that may be in a file without a use here: caches of constants, a tied output matrix, the parts of a
/// multimodal checkpoint that text does not pass through.
fn is_harmless(name: &str, config: &DecoderConfig) -> bool {
    name.ends_with("rotary_emb.inv_freq")
        || (config.tie_word_embeddings && name.ends_with(weights::HEAD))
        || ["vision_tower.", "model.vision_tower.", "multi_modal_projector.", "model.multi_modal_projector."]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The memory-mapped weight files of a folder.
struct Files {
    maps: Vec<(PathBuf, Mmap)>,
    /// For a sharded checkpoint, the file that the index names for each weight.
    index: Option<BTreeMap<String, usize>>,
}

impl Files {
    fn open(folder: &Path) -> Result<Self, LoadError> {
        let single = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        if index.is_file() && !single.is_file() {
            return Self::open_sharded(folder, &index);
        }
        if !single.is_file() {
            return Err(LoadError::Missing {
                what: "the weights".into(),
                expected: "model.safetensors, or model.safetensors.index.json with its shards".into(),
                folder: folder.to_path_buf(),
            });
        }
        Ok(Self { maps: vec![map(&single)?], index: None })
    }

    fn open_sharded(folder: &Path, path: &Path) -> Result<Self, LoadError> {
        let io = |source| LoadError::Io { path: path.to_path_buf(), source };
        let bad = |reason: String| LoadError::Index { path: path.to_path_buf(), reason };
        let text = std::fs::read_to_string(path).map_err(io)?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| bad(format!("not JSON: {error}")))?;
        let weight_map = value
            .get("weight_map")
            .and_then(|m| m.as_object())
            .ok_or_else(|| bad("expected an object `weight_map` from weight to file, found none".into()))?;
        let mut files: Vec<String> = Vec::new();
        let mut index = BTreeMap::new();
        for (name, file) in weight_map {
            let file = file.as_str().ok_or_else(|| bad(format!("the file of {name} is not a string")))?;
            if file.contains('/') || file.contains('\\') {
                return Err(bad(format!(
                    "the file of {name} is {file:?}; expected a file of the same folder"
                )));
            }
            let position = files.iter().position(|f| f == file).unwrap_or_else(|| {
                files.push(file.to_string());
                files.len() - 1
            });
            index.insert(name.clone(), position);
        }
        let mut maps = Vec::new();
        for file in &files {
            let shard = folder.join(file);
            if !shard.is_file() {
                return Err(LoadError::Missing {
                    what: format!("shard {file}, which model.safetensors.index.json names,"),
                    expected: format!("{} shards", files.len()),
                    folder: folder.to_path_buf(),
                });
            }
            maps.push(map(&shard)?);
        }
        Ok(Self { maps, index: Some(index) })
    }

    /// Every weight's name and file, checked against the index where there is one.
    fn names(&self) -> Result<BTreeMap<String, usize>, LoadError> {
        let mut names = BTreeMap::new();
        for (file, (path, map)) in self.maps.iter().enumerate() {
            for name in parse(path, map)?.names() {
                names.insert(name.to_string(), file);
            }
        }
        for (name, file) in self.index.iter().flatten() {
            if names.get(name) != Some(file) {
                let (path, _) = &self.maps[*file];
                return Err(LoadError::Index {
                    path: path.clone(),
                    reason: format!("the index says that {name} is in this shard; it is not"),
                });
            }
        }
        Ok(names)
    }

    fn tensor(&self, file: usize, name: &str, spec: &WeightSpec) -> Result<Tensor, LoadError> {
        let (path, map) = &self.maps[file];
        let parsed = parse(path, map)?;
        let view = parsed.tensor(name).map_err(|error| corrupt(path, map, &error.to_string()))?;
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => {
                return Err(LoadError::Dtype {
                    name: name.to_string(),
                    found: format!("{other:?}"),
                    path: path.clone(),
                });
            }
        };
        let found: Vec<i64> = view.shape().iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect();
        if found != spec.shape {
            return Err(LoadError::Shape {
                name: name.to_string(),
                expected: spec.shape.clone(),
                found,
                path: path.clone(),
            });
        }
        Ok(guard(&format!("loading {name}"), || Tensor::from_data_size(view.data(), &found, kind))?)
    }
}

fn map(path: &Path) -> Result<(PathBuf, Mmap), LoadError> {
    let io = |source| LoadError::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(io)?;
    // SAFETY: the map is read-only and private to this process. Another process that truncates the file while it is
    // read would raise SIGBUS; checkpoints are written under another name and renamed, never rewritten in place.
    let map = unsafe { Mmap::map(&file) }.map_err(io)?;
    Ok((path.to_path_buf(), map))
}

fn parse<'a>(path: &Path, map: &'a Mmap) -> Result<SafeTensors<'a>, LoadError> {
    SafeTensors::deserialize(map).map_err(|error| corrupt(path, map, &error.to_string()))
}

fn corrupt(path: &Path, map: &Mmap, reason: &str) -> LoadError {
    LoadError::Corrupt { path: path.to_path_buf(), reason: reason.to_string(), bytes: map.len() as u64 }
}
