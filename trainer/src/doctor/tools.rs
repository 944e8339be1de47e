//! Programs beside this one, and the Hugging Face cache.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Finding;

/// A program that does not say its version in this time is taken to have none.
const PATIENCE: Duration = Duration::from_secs(10);
/// Succeeds where `python3 -m venv` does, which Debian ships apart.
const PYTHON_PROBE: &str = "import sys, venv, ensurepip; print(sys.version.split()[0])";

pub(super) fn findings() -> Vec<Finding> {
    vec![python(), compiler(), rust(), hub()]
}

/// Bytes that GPU `index`, as libtorch counts them, has free, by the driver's `nvidia-smi`; none where that does not say.
#[must_use]
pub fn free_gpu_memory(index: usize) -> Option<u64> {
    // libtorch counts the visible ones, the driver all.
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok().filter(|list| !list.is_empty());
    let name = match &visible {
        Some(list) => list.split(',').nth(index)?.trim().to_owned(),
        None => index.to_string(),
    };
    let query = ["--query-gpu=memory.free", "--format=csv,noheader,nounits", "-i", &name];
    let mebibytes: u64 = first_line(&which("nvidia-smi")?, &query)?.trim().parse().ok()?;
    Some(mebibytes << 20)
}

fn python() -> Finding {
    const WITHOUT: &str =
        "libtorch cannot be fetched by scripts/quickstart.sh; the built program needs no Python";
    const MEND: &str = "apt-get install python3 python3-venv (Debian, Ubuntu)";
    let Some(path) = which("python3") else {
        return Finding::good("tools", "python3", "not on PATH").absent(WITHOUT, MEND);
    };
    match first_line(&path, &["-c", PYTHON_PROBE]) {
        Some(version) => Finding::good("tools", "python3", format!("{version} with venv"))
            .data(json!({ "version": version, "path": path })),
        None => Finding::good("tools", "python3", format!("{} without venv", path.display()))
            .absent(WITHOUT, MEND),
    }
}

fn compiler() -> Finding {
    let found = ["c++", "g++", "clang++"].into_iter().find_map(|name| {
        let path = which(name)?;
        Some((first_line(&path, &["--version"]).unwrap_or_default(), path))
    });
    match found {
        Some((version, path)) => {
            Finding::good("tools", "C++ compiler", format!("{} ({version})", path.display()))
                .data(json!({ "version": version, "path": path }))
        }
        None => Finding::good("tools", "C++ compiler", "not on PATH")
            .absent("Polestar cannot be built here; it runs without", "apt-get install g++ (Debian, Ubuntu)"),
    }
}

fn rust() -> Finding {
    let version = |name: &str| which(name).and_then(|path| first_line(&path, &["--version"]));
    match (version("rustc"), version("cargo")) {
        (Some(rustc), Some(cargo)) => Finding::good("tools", "Rust", format!("{rustc}; {cargo}"))
            .data(json!({ "rustc": rustc, "cargo": cargo })),
        (rustc, cargo) => {
            let lacks = [("rustc", rustc.is_none()), ("cargo", cargo.is_none())];
            let names: Vec<&str> = lacks.iter().filter(|(_, lacks)| *lacks).map(|(name, _)| *name).collect();
            Finding::good("tools", "Rust", format!("no {} on PATH", names.join(" and no "))).absent(
                "Polestar cannot be built here; it runs without",
                "curl --proto '=https' -sSf https://sh.rustup.rs | sh",
            )
        }
    }
}

fn hub() -> Finding {
    let cache = polestar_data::hub::cache_dir();
    let count = |prefix: &str| {
        let entries = std::fs::read_dir(&cache).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix)).count()
    };
    let (models, datasets) = (count("models--"), count("datasets--"));
    let data = json!({ "folder": cache, "models": models, "datasets": datasets });
    let name = "Hugging Face cache";
    if cache.is_dir() {
        let value = format!("{}: {models} models, {datasets} data sets", cache.display());
        return Finding::good("tools", name, value).data(data);
    }
    Finding::good("tools", name, format!("{} is not there", cache.display())).data(data).absent(
        "hf:owner/name finds nothing; folders and files work",
        "download with `hf download owner/name`, or set HF_HOME to where the cache is",
    )
}

/// A program on PATH.
pub(super) fn which(name: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(is_program)
}

/// The first line that a program prints, if it ends well and in time.
fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    // Elsewhere than here, where a rust-toolchain.toml could make rustup fetch something.
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let start = Instant::now();
    // Such programs print less than a pipe holds, so that waiting before reading is safe.
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if start.elapsed() > PATIENCE => {
                // It may have ended just now; either way it is gone after the wait.
                let _ = child.kill();
                break child.wait().ok()?;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take()?, &mut text).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    (status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_asked() {
        let sh = which("sh").unwrap();
        assert_eq!(first_line(&sh, &["-c", "echo one; echo two"]).as_deref(), Some("one"));
        assert_eq!(first_line(&sh, &["-c", "echo one; exit 3"]), None);
        assert_eq!(first_line(Path::new("/no/such/program"), &[]), None);
        assert_eq!(which("no-such-program-anywhere"), None);
    }
}
