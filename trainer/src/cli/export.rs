//! `polestar export`: a model as a Hugging Face folder that transformers, vLLM and llama.cpp load.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tch::{Device, Kind};

use super::common::{CliError, new_folder, pretty, print_out, saved_dtype, say};
use crate::complaint::Complaint;
use crate::model::{ModelWeights, device, load_folder};
use crate::run::atomic::FolderWriter;
use crate::run::checkpoint::{self, Export, STATE};
use crate::run::folder::checkpoint_steps;
use crate::run::setup::model_folder;
use crate::run::{RunError, atomic};
use crate::text::Tokenizer;

/// Writes a Hugging Face folder without the optimizer's state, in the type that is asked for.
///
/// Every checkpoint of a run is such a folder already; export leaves out what only resuming needs, and converts. What
/// was written is loaded again and its logits compared before the folder appears.
///
///   polestar export runs/word-problems-quickstart --out models/mine --dtype bf16
///   polestar export runs/word-problems-quickstart --best --out models/best
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ExportArgs {
    /// A run folder (its latest checkpoint), a checkpoint, or a model folder.
    #[arg(value_name = "RUN_OR_CHECKPOINT_OR_MODEL")]
    source: String,
    /// The folder to make; it must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The type of the written weights: bf16, f16 or f32. Left out, the source's own.
    #[arg(long, value_name = "TYPE", value_parser = saved_dtype)]
    dtype: Option<Kind>,
    /// Of a run, the checkpoint with the best evaluation in place of the latest.
    #[arg(long)]
    best: bool,
    /// Adds LoRA weights into the model's own; there are none to add yet.
    #[arg(long)]
    merge_lora: bool,
}

/// `polestar export`.
///
/// # Errors
/// The source does not load, the folder cannot be written, or what was written gives other logits.
pub fn run(args: &ExportArgs) -> Result<(), CliError> {
    if args.merge_lora {
        return Err(CliError::call(
            "--merge-lora: this version trains no LoRA weights, so there are none to merge",
            "leave it out: the exported model is whole",
        ));
    }
    new_folder(&args.out)?;
    let folder = if args.best { best_checkpoint(&args.source)? } else { model_folder(&args.source)? };
    let step = if folder.join(STATE).is_file() { Some(checkpoint::read_state(&folder)?.step) } else { None };
    say(&format!("reading {}", folder.display()));
    let (kind, written) = write(&folder, &args.out, args.dtype)?;
    print_out(&pretty(&json!({
        "out": args.out,
        "source": std::fs::canonicalize(&folder).unwrap_or(folder),
        "step": step,
        "dtype": device::dtype(kind),
        "num_bytes": written,
    })))
}

/// The checkpoint of a run's best evaluation.
fn best_checkpoint(run: &str) -> Result<PathBuf, CliError> {
    let checkpoints = Path::new(run).join("checkpoints");
    let steps = checkpoint_steps(&checkpoints);
    let Some((_, latest)) = steps.last() else {
        return Err(CliError::Complaints(vec![
            Complaint::call(format!("--best: {run} is no run with checkpoints"))
                .expected("a run folder with checkpoints/step-*")
                .next("name a run folder, or leave out --best"),
        ]));
    };
    let Some((best, accuracy)) = checkpoint::read_state(latest)?.best else {
        return Err(CliError::call(
            format!("--best: {run} has not evaluated any step, so none is the best"),
            "leave out --best for the latest checkpoint, or add an evaluation set ([data.eval]) to the recipe",
        ));
    };
    match steps.iter().find(|(step, _)| *step == best) {
        Some((_, path)) => Ok(path.clone()),
        None => {
            let there: Vec<String> = steps.iter().map(|(step, _)| step.to_string()).collect();
            let percent = accuracy * 100.0;
            Err(CliError::Complaints(vec![
                Complaint::call(format!(
                    "--best: step {best} was the best ({percent:.1} %) and its checkpoint is not there any more"
                ))
                .expected(checkpoints.join(format!("step-{best:06}")).display().to_string())
                .found(format!("checkpoints of the steps {}", there.join(", ")))
                .next(format!("put it back, or name one that is there ({})", latest.display())),
            ]))
        }
    }
}

/// Writes the model in `folder` to `out`; gives the written type and the number of bytes.
fn write(folder: &Path, out: &Path, dtype: Option<Kind>) -> Result<(Kind, u64), CliError> {
    let loaded = load_folder(folder, Device::Cpu, None).map_err(RunError::from)?;
    for warning in &loaded.config.warnings {
        say(&format!("{}: {warning}", folder.display()));
    }
    let kind = dtype.unwrap_or(loaded.kind);
    let weights = source_weights(folder, &loaded.config, loaded.weights, kind == loaded.kind)?;
    let tokenizer = Tokenizer::load(folder).map_err(RunError::from)?;
    tokenizer.check_vocab(loaded.config.vocab_size).map_err(RunError::from)?;
    let export = Export {
        base: folder,
        kind,
        stop_ids: tokenizer.stop_ids().to_vec(),
        card: std::fs::read_to_string(folder.join("README.md")).unwrap_or_else(|_| card(out)),
    };
    let mut writer = FolderWriter::new(out).map_err(RunError::from)?;
    checkpoint::write_model(&mut writer, &loaded.config, &weights, &export)?;
    checkpoint::check_reload(writer.path(), out, &loaded.config, &weights, kind)?;
    let num_bytes = size(writer.path());
    atomic::FolderWriter::commit(writer).map_err(RunError::from)?;
    Ok((kind, num_bytes))
}

/// The weights to write: rounded ones must not be rounded again, so another type than the checkpoint's is made from
/// the f32 weights that it keeps for resuming.
fn source_weights(
    folder: &Path,
    config: &crate::model::DecoderConfig,
    saved: ModelWeights,
    same_kind: bool,
) -> Result<ModelWeights, CliError> {
    if same_kind {
        return Ok(saved);
    }
    Ok(checkpoint::masters(folder, config)?.unwrap_or(saved))
}

fn card(out: &Path) -> String {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    format!("# {name}\n\nExported by Polestar {}.\n", env!("CARGO_PKG_VERSION"))
}

/// Bytes of a folder's files.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;
    use tch::Tensor;

    use super::*;
    use crate::model::init::random_weights;
    use crate::model::{Decoder, DecoderConfig};
    use crate::run::checkpoint::RunState;
    use crate::text::bytes::byte_tokenizer;
    use crate::update::Updater;

    fn config() -> DecoderConfig {
        let value = json!({
            "model_type": "llama", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 64, "eos_token_id": 257
        });
        DecoderConfig::from_json(&value, "config.json").unwrap()
    }

    /// A run folder with checkpoints of some steps, saved in bf16.
    fn run_with(steps: &[u64], best: Option<(u64, f64)>) -> tempfile::TempDir {
        let run = tempfile::tempdir().unwrap();
        for (name, value) in byte_tokenizer(64) {
            std::fs::write(run.path().join(name), value.to_string()).unwrap();
        }
        let checkpoints = run.path().join("checkpoints");
        std::fs::create_dir(&checkpoints).unwrap();
        for &step in steps {
            let weights = random_weights(&config(), step).unwrap();
            let masters: Vec<Tensor> = weights.ordered().into_iter().map(Tensor::copy).collect();
            let updater = Updater::new(Decoder::new(config(), weights), masters);
            let state = RunState {
                step,
                update_step: step,
                adam_step: step,
                skipped: 0,
                num_tokens: 0,
                algorithm: Value::Null,
                best,
                unfinished: None,
            };
            let export = Export {
                base: run.path(),
                kind: Kind::BFloat16,
                stop_ids: vec![257],
                card: format!("step {step}"),
            };
            checkpoint::write(&checkpoints, &updater, &state, &export, true).unwrap();
        }
        run
    }

    fn export(run: &Path, best: bool, dtype: Option<Kind>) -> Result<PathBuf, CliError> {
        let out = run.join("exported");
        let source = run.to_str().unwrap().to_owned();
        super::run(&ExportArgs { source, out: out.clone(), dtype, best, merge_lora: false }).map(|()| out)
    }

    fn embedding(folder: &Path) -> Tensor {
        load_folder(folder, Device::Cpu, None).unwrap().weights.embed_VD
    }

    #[test]
    fn the_latest_checkpoint_is_exported_without_what_resuming_needs() {
        let run = run_with(&[1, 2], None);
        let out = export(run.path(), false, None).unwrap();
        let names = |folder: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(folder).unwrap().flatten();
            let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let expected = [
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        assert_eq!(names(&out), expected);
        assert_eq!(std::fs::read_to_string(out.join("README.md")).unwrap(), "step 2");
        assert_eq!(embedding(&out), embedding(&run.path().join("checkpoints/latest")));
        assert!(matches!(export(run.path(), false, None), Err(CliError::Complaints(_))), "not twice");
    }

    #[test]
    fn f32_comes_from_the_masters_and_not_from_rounded_weights() {
        let run = run_with(&[1], None);
        let out = export(run.path(), false, Some(Kind::Float)).unwrap();
        assert_eq!(embedding(&out), random_weights(&config(), 1).unwrap().embed_VD);
    }

    #[test]
    fn the_best_checkpoint_is_found_or_its_absence_told() {
        let run = run_with(&[1, 2, 3], Some((2, 0.5)));
        let out = export(run.path(), true, None).unwrap();
        assert_eq!(std::fs::read_to_string(out.join("README.md")).unwrap(), "step 2");
        let told = |run: &Path| format!("{:?}", best_checkpoint(run.to_str().unwrap()).unwrap_err());
        assert!(told(run_with(&[1, 3], Some((2, 0.5))).path()).contains("checkpoints of the steps 1, 3"));
        assert!(told(run_with(&[1], None).path()).contains("has not evaluated any step"));
        assert!(told(Path::new("no/run")).contains("no run with checkpoints"));
    }
}
