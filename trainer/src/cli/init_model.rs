//! `polestar init-model`: a model folder with random weights for an architecture.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tch::Kind;

use super::common::{CliError, new_folder, pretty, print_out, saved_dtype, say};
use crate::complaint::{Complaint, Place};
use crate::model::export::export_config;
use crate::model::init::random_weights;
use crate::model::save::{FileBytes, weight_files};
use crate::model::{DecoderConfig, LoadError, weights};
use crate::run::RunError;
use crate::run::atomic::FolderWriter;
use crate::run::checkpoint::TEXT_FILES;
use crate::run::setup::model_folder;
use crate::text::Tokenizer;
use crate::text::bytes::{BYTE_BOS, BYTE_EOS, BYTE_PAD, BYTE_VOCAB, byte_tokenizer};

/// Makes a model folder with random weights: for training from scratch, tests and benchmarks.
///
/// The same config and seed give the same bytes on every machine. Without --tokenizer the model reads bytes: ids 0 to
/// 255, then bos 256, eos 257 and pad 258.
///
///   polestar init-model --config configs/models/llama-small.json --out models/bytes
///   polestar init-model --config config.json --out models/big --tokenizer models/SmolLM2-135M-Instruct --dtype bf16
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InitModelArgs {
    /// The architecture, a Hugging Face config.json.
    #[arg(long, value_name = "CONFIG.json")]
    config: PathBuf,
    /// The folder to make; it must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The seed.
    #[arg(long, default_value_t = 0, value_name = "S")]
    seed: u64,
    /// `bytes`, or a model folder whose tokenizer and chat template are copied.
    #[arg(long, default_value = "bytes", value_name = "DIR|bytes")]
    tokenizer: String,
    /// The type of the written weights: f32, bf16 or f16.
    #[arg(long, default_value = "f32", value_name = "TYPE", value_parser = saved_dtype)]
    dtype: Kind,
}

/// `polestar init-model`.
///
/// # Errors
/// The config is not understood, config and tokenizer do not fit, or the folder cannot be written.
pub fn run(args: &InitModelArgs) -> Result<(), CliError> {
    new_folder(&args.out)?;
    let file = args.config.display().to_string();
    let mut value = read_config(&args.config)?;
    let source = TextSource::new(&args.tokenizer)?;
    if matches!(source, TextSource::Bytes) {
        take_byte_ids(&mut value, &file);
    }
    let config =
        DecoderConfig::from_json(&value, &file).map_err(|error| RunError::Load(LoadError::from(error)))?;
    for warning in &config.warnings {
        say(&format!("{file}: {warning}"));
    }
    let stop_ids = source.check(&config, &args.config)?;
    write(args, &source, &config, &stop_ids)?;
    let num_parameters: i64 =
        weights::specs(&config).iter().map(|spec| spec.shape.iter().product::<i64>()).sum();
    print_out(&pretty(&json!({
        "out": args.out,
        "model_type": config.family.model_type(),
        "num_parameters": num_parameters,
        "vocab_size": config.vocab_size,
        "seed": args.seed,
        "tokenizer": args.tokenizer,
        "eos_token_ids": stop_ids,
    })))
}

fn read_config(path: &Path) -> Result<Value, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::call(
            format!("{} cannot be read: {error}", path.display()),
            "name a config.json; configs/models has some",
        )
    })?;
    serde_json::from_str(&text).map_err(|error| {
        CliError::call(
            format!("{} is not JSON: {error}", path.display()),
            "correct it at that line and column",
        )
    })
}

/// The special ids of the byte tokenizer in place of the config's own, which are those of another tokenizer.
fn take_byte_ids(value: &mut Value, file: &str) {
    for (key, id) in [("bos_token_id", BYTE_BOS), ("eos_token_id", BYTE_EOS), ("pad_token_id", BYTE_PAD)] {
        let put = |section: &mut Value| {
            let Some(section) = section.as_object_mut() else { return };
            let old = section.insert(key.into(), id.into());
            if let Some(old) = old.filter(|old| !old.is_null() && *old != id) {
                say(&format!("{file}: {key} is {old}; the byte tokenizer's is {id}, which is written"));
            }
        };
        if let Some(text) = value.get_mut("text_config") {
            put(text);
        }
        put(value);
    }
}

/// Where the tokenizer comes from.
enum TextSource {
    Bytes,
    Folder(PathBuf),
}

impl TextSource {
    fn new(name: &str) -> Result<Self, CliError> {
        if name == "bytes" {
            return Ok(Self::Bytes);
        }
        let folder = PathBuf::from(name);
        // A folder may hold a tokenizer and nothing else.
        if folder.join("tokenizer.json").is_file() {
            return Ok(Self::Folder(folder));
        }
        Ok(Self::Folder(model_folder(name)?))
    }

    /// Checks that the model has a row for every token, and gives the ids that end a response.
    fn check(&self, config: &DecoderConfig, path: &Path) -> Result<Vec<u32>, CliError> {
        match self {
            Self::Bytes if config.vocab_size < BYTE_VOCAB => Err(CliError::Complaints(vec![
                Complaint::call("the byte tokenizer does not fit the config")
                    .expected(format!("vocab_size of at least {BYTE_VOCAB}: 256 bytes, bos, eos and pad"))
                    .found(format!("vocab_size = {}", config.vocab_size))
                    .at(Place::File { path: path.to_path_buf(), line: None, key: Some("vocab_size".into()) })
                    .next("raise vocab_size, or name the model's own tokenizer with --tokenizer DIR"),
            ])),
            Self::Bytes => Ok(vec![BYTE_EOS]),
            Self::Folder(folder) => {
                let tokenizer = Tokenizer::load(folder).map_err(RunError::from)?;
                tokenizer.check_vocab(config.vocab_size).map_err(RunError::from)?;
                let mut stop_ids = tokenizer.stop_ids().to_vec();
                for id in &config.eos_token_ids {
                    if !stop_ids.contains(id) {
                        say(&format!(
                            "{}: eos_token_id {id} ends no text of {}; it will end responses, too",
                            path.display(),
                            folder.display()
                        ));
                        stop_ids.push(*id);
                    }
                }
                Ok(stop_ids)
            }
        }
    }

    fn write(&self, writer: &mut FolderWriter, config: &DecoderConfig) -> Result<(), CliError> {
        match self {
            Self::Bytes => {
                for (name, value) in byte_tokenizer(config.max_position_embeddings) {
                    writer.write(name, pretty(&value).as_bytes()).map_err(RunError::from)?;
                }
            }
            Self::Folder(folder) => {
                for name in TEXT_FILES.into_iter().filter(|name| *name != "generation_config.json") {
                    let path = folder.join(name);
                    if path.is_file() {
                        let bytes = std::fs::read(&path).map_err(|error| {
                            CliError::call(format!("{} cannot be read: {error}", path.display()), "check it")
                        })?;
                        writer.write(name, &bytes).map_err(RunError::from)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn write(
    args: &InitModelArgs,
    source: &TextSource,
    config: &DecoderConfig,
    stop_ids: &[u32],
) -> Result<(), CliError> {
    let weights = random_weights(config, args.seed).map_err(RunError::from)?;
    let mut writer = FolderWriter::new(&args.out).map_err(RunError::from)?;
    source.write(&mut writer, config)?;
    let mut generation = json!({ "eos_token_id": stop_ids });
    for (key, id) in [("bos_token_id", config.bos_token_id), ("pad_token_id", config.pad_token_id)] {
        if let Some(id) = id {
            generation[key] = id.into();
        }
    }
    let card = format!(
        "# {}\n\nRandom weights of a {} model, made by Polestar {} from seed {}. Not trained.\n",
        args.out.file_name().unwrap_or_default().to_string_lossy(),
        config.family.model_type(),
        env!("CARGO_PKG_VERSION"),
        args.seed,
    );
    let files = [
        ("config.json", pretty(&export_config(config, args.dtype))),
        ("generation_config.json", pretty(&generation)),
        ("README.md", card),
    ];
    for (name, text) in files {
        writer.write(name, text.as_bytes()).map_err(RunError::from)?;
    }
    weight_files(config, &weights, args.dtype, &mut |FileBytes { name, bytes }| -> Result<(), RunError> {
        writer.write(&name, &bytes).map_err(RunError::from)
    })?;
    // What was written is what every other command will read.
    let tokenizer = Tokenizer::load(writer.path()).map_err(RunError::from)?;
    tokenizer.check_vocab(config.vocab_size).map_err(RunError::from)?;
    writer.commit().map_err(RunError::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::engine::{self, EngineStats, Request, Sampling};
    use crate::model::{Decoder, load_folder};
    use crate::seeds::{Coords, Purpose};

    const CONFIG: &str = r#"{"model_type": "llama", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64, "eos_token_id": 2}"#;

    fn args(folder: &Path, name: &str, config: &str) -> InitModelArgs {
        let path = folder.join("config.json");
        std::fs::write(&path, config).unwrap();
        InitModelArgs {
            config: path,
            out: folder.join(name),
            seed: 3,
            tokenizer: "bytes".into(),
            dtype: Kind::Float,
        }
    }

    #[test]
    fn a_made_model_repeats_to_the_byte_loads_and_generates() {
        let folder = tempfile::tempdir().unwrap();
        let first = args(folder.path(), "new/first", CONFIG);
        run(&first).unwrap();
        let second = args(folder.path(), "second", CONFIG);
        run(&second).unwrap();
        let names: Vec<_> =
            std::fs::read_dir(&first.out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
        for name in names.iter().filter(|name| *name != "README.md") {
            let read = |args: &InitModelArgs| std::fs::read(args.out.join(name)).unwrap();
            assert!(read(&first) == read(&second), "{name:?} differs");
        }
        let loaded = load_folder(&first.out, tch::Device::Cpu, None).unwrap();
        assert_eq!((loaded.config.eos_token_ids.clone(), loaded.config.pad_token_id), (vec![257], Some(258)));
        assert!(loaded.config.raw["rope_parameters"]["rope_theta"].is_number());
        assert!(loaded.config.raw["rope_theta"].is_number());
        let tokenizer = Tokenizer::load(&first.out).unwrap();
        let coords = Coords { seed: 0, step: 0, problem: "p".into(), sample: 0, purpose: Purpose::Generate };
        let request =
            Request { prompt: tokenizer.encode_plain_prompt("2 + 2").unwrap(), samples: vec![coords] };
        let how = Sampling::greedy(4, tokenizer.stop_ids().to_vec(), 1);
        let decoder = Decoder::new(loaded.config, loaded.weights);
        let mut stats = EngineStats::default();
        let made = engine::generate(&decoder, Some(&tokenizer), &[request], &how, &mut (), &mut stats);
        assert!((1..=4).contains(&made.unwrap()[0][0].ids.len()));
    }

    #[test]
    fn another_models_tokenizer_is_copied_and_must_fit() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = args(folder.path(), "bytes", CONFIG);
        run(&bytes).unwrap();
        let mut copy = args(folder.path(), "copy", CONFIG);
        copy.tokenizer = bytes.out.to_str().unwrap().into();
        copy.dtype = Kind::BFloat16;
        run(&copy).unwrap();
        let tokenizer = |args: &InitModelArgs| std::fs::read(args.out.join("tokenizer.json")).unwrap();
        assert_eq!(tokenizer(&copy), tokenizer(&bytes));
        let stops = Tokenizer::load(&copy.out).unwrap().stop_ids().to_vec();
        assert_eq!(stops, [2, 257], "the config's own id and the tokenizer's");
        assert_eq!(load_folder(&copy.out, tch::Device::Cpu, None).unwrap().kind, Kind::BFloat16);
        let mut small = args(folder.path(), "small", &CONFIG.replace("300", "258"));
        small.tokenizer = copy.tokenizer;
        let told = format!("{:?}", run(&small).unwrap_err());
        assert!(told.contains("258") && told.contains("<|pad|>"), "{told}");
    }

    #[test]
    fn what_does_not_fit_is_told_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let small = args(folder.path(), "small", &CONFIG.replace("300", "200"));
        let told = format!("{:?}", run(&small).unwrap_err());
        assert!(told.contains("at least 259") && told.contains("vocab_size = 200"), "{told}");
        assert!(!small.out.exists());
        let broken = args(folder.path(), "broken", "{");
        assert!(format!("{:?}", run(&broken).unwrap_err()).contains("is not JSON"));
        std::fs::create_dir(&broken.out).unwrap();
        std::fs::write(broken.out.join("mine"), "").unwrap();
        assert!(format!("{:?}", run(&broken).unwrap_err()).contains("is there already"));
    }
}
