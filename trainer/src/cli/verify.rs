//! `polestar verify`: judges responses by reference answers; the same command as `polestar-verify`, which needs no
//! libtorch.

use clap::Args;
use polestar_verifiers::{VERIFY_ABOUT, VerifyArgs, run_verify, verify_help};

use super::common::CliError;

/// What was typed.
#[derive(Debug, Args)]
#[command(about = VERIFY_ABOUT, after_help = help())]
pub struct VerifyCommand {
    #[command(flatten)]
    args: VerifyArgs,
}

/// The verifiers' own help, under this command's name.
fn help() -> String {
    verify_help().replace("polestar-verify ", "polestar verify ")
}

/// `polestar verify`.
///
/// # Errors
/// The exit code of the verifiers' command, which has said what is wrong.
pub fn run(command: &VerifyCommand) -> Result<(), CliError> {
    match run_verify(&command.args, std::io::stdin(), &mut std::io::stdout()) {
        0 => Ok(()),
        code => Err(CliError::Exit(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_shows_an_example_of_this_command() {
        assert!(help().contains("| polestar verify --verifier math"));
        assert!(!help().contains("polestar-verify"));
    }
}
