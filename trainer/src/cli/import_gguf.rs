//! `polestar import-gguf`: a GGUF file to a Hugging Face folder.

use std::path::PathBuf;

use clap::Args;

use super::common::{CliError, say};
use crate::complaint::Complaint;
use crate::gguf::{OutDtype, import};

/// Turns a GGUF file into a Hugging Face folder: weights, config, tokenizer and chat template.
///
///   polestar import-gguf SmolLM2-135M-Instruct.Q4_1.gguf --out models/SmolLM2-135M-Instruct
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ImportGgufArgs {
    /// The GGUF file.
    file: PathBuf,
    /// The folder to make; it must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The type of the written weights: f32, bf16 or f16. Left out, 16-bit files keep theirs and quantised ones become f32.
    #[arg(long, value_name = "TYPE")]
    dtype: Option<OutDtype>,
}

/// `polestar import-gguf`.
///
/// # Errors
/// The file is no GGUF file that is understood, or the folder cannot be written.
pub fn run(args: &ImportGgufArgs) -> Result<(), CliError> {
    let report = import(&args.file, &args.out, args.dtype)
        .map_err(|error| CliError::Complaints(vec![Complaint::call(error.to_string())]))?;
    for warning in &report.warnings {
        say(warning);
    }
    let text = serde_json::to_string_pretty(&report).map_err(|error| CliError::work(&error))?;
    println!("{text}");
    Ok(())
}
