//! Writes that fail: a file-size limit, a full disk, a folder that cannot be written. The error names the file, what was
//! complete stays, and with room again the run ends with the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polestar_tests::command::{binary, clean, finish, run};
use polestar_tests::files::{assert_same_run, golden_model, leftovers, write_jsonl};
use polestar_tests::recipe::{Lab, grpo};
use polestar_tests::skip;
use serde_json::json;

/// Less than optimizer.safetensors of the small model needs, more than all else.
const LIMIT: &str = "--fsize=200000";

/// Why a test that mounts did not run, in the words that scripts/test.sh knows.
const NO_MOUNTS: &str = "this machine forbids mounting in a user namespace";

fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_checkpoint_beyond_the_file_size_limit() {
    if !works(Command::new("prlimit").args([LIMIT, "true"])) {
        return skip("a_checkpoint_beyond_the_file_size_limit", "there is no prlimit");
    }
    let lab = Lab::new(&grpo(4));
    let (whole, root) = (lab.path("whole"), lab.path("run"));
    run(lab.train(&whole)).succeeded();
    for _ in 0..2 {
        let mut limited = Command::new("prlimit");
        limited.arg(LIMIT).arg(binary()).args(lab.train(&root));
        clean(&mut limited);
        let needles = ["optimizer.safetensors", "file-size limit", "ulimit -f unlimited", "bytes"];
        finish(&mut limited).failed(1, &needles);
        assert!(!root.join("checkpoints/latest").exists());
    }
    run(lab.train(&root)).succeeded();
    assert_same_run(&whole, &root);
}

/// Runs a shell script where it may mount file systems, in a namespace of its own.
fn in_namespace(script: &str, args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]).args(args);
    clean(&mut command);
    command
}

#[test]
fn a_full_disk() {
    let lab = Lab::new(&grpo(4));
    let disk = lab.path("disk");
    fs::create_dir(&disk).unwrap();
    let disk_name = disk.to_str().unwrap();
    if !works(&mut in_namespace("mount -t tmpfs -o size=400k none \"$1\"", &[disk_name])) {
        return skip("a_full_disk", NO_MOUNTS);
    }
    let whole = lab.path("whole");
    run(lab.train(&whole)).succeeded();
    // Room for all that lasts beside checkpoints and one and a half of those, so that the second does not fit.
    let checkpoint = num_bytes(&whole.join("checkpoints/step-000002"));
    let others = num_bytes(&whole) - num_bytes(&whole.join("checkpoints"));
    let size = others + checkpoint + checkpoint / 2;
    let [first, second] = ["first", "second"].map(|name| lab.path(name));
    // The disk is gone with its namespace, so that each run folder is copied out of it.
    let script = r#"
        disk=$1 size=$2 first=$3 second=$4; shift 4
        mount -t tmpfs -o "size=$size" none "$disk" || exit 90
        "$@"; [ $? = 1 ] || exit 91
        cp -a "$disk/run" "$first" || exit 92
        mount -o remount,size=64m "$disk" || exit 93
        "$@" || exit 94
        cp -a "$disk/run" "$second" || exit 95
    "#;
    let args = lab.train(&disk.join("run"));
    let (binary, size) = (binary(), size.to_string());
    let mut call = vec![disk_name, &size, first.to_str().unwrap(), second.to_str().unwrap()];
    call.push(binary.to_str().unwrap());
    call.extend(args.iter().map(String::as_str));
    let done = finish(&mut in_namespace(script, &call)).succeeded();
    for needle in ["step-000004", "no space is left", "Free space"] {
        assert!(done.stderr.contains(needle), "{needle}: {}", done.stderr);
    }
    // The first checkpoint is whole, nothing of the second is left, and with room the run ends as one that had it.
    let step = "checkpoints/step-000002";
    assert_eq!(fs::read_link(first.join("checkpoints/latest")).unwrap().to_str(), Some("step-000002"));
    assert!(!first.join("checkpoints/step-000004").exists());
    assert_eq!(leftovers(&first), Vec::<PathBuf>::new());
    for entry in fs::read_dir(whole.join(step)).unwrap() {
        let name = entry.unwrap().file_name();
        let [a, b] = [&whole, &first].map(|root| fs::read(root.join(step).join(&name)).unwrap());
        assert!(a == b, "{name:?}");
    }
    assert_same_run(&whole, &second);
}

/// Bytes of a folder's files, in the pages of a file system in memory.
fn num_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| {
        if path.is_symlink() {
            0
        } else if path.is_dir() {
            num_bytes(&path)
        } else {
            fs::metadata(&path).unwrap().len().next_multiple_of(4096)
        }
    };
    entries.map(of).sum()
}

#[test]
fn a_folder_that_cannot_be_written() {
    let lab = Lab::new(&grpo(1));
    let target = lab.path("locked");
    fs::create_dir(&target).unwrap();
    let root = target.join("run");
    let mut args = vec![binary().to_str().unwrap().to_owned()];
    args.extend(lab.train(&root));
    let locked = target.to_str().unwrap();
    let needles = [locked, "cannot be made", "--run"];
    let mut permissions = fs::metadata(&target).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&target, permissions).unwrap();
    if fs::write(target.join("probe"), "").is_err() {
        finish(Command::new(&args[0]).args(&args[1..])).failed(2, &needles);
    } else if works(&mut in_namespace("mount -t tmpfs -o ro none \"$1\"", &[locked])) {
        // Permissions do not hold root back; a read-only file system does.
        let script = "mount -t tmpfs -o ro none \"$1\" && shift && exec \"$@\"";
        let call: Vec<&str> = std::iter::once(locked).chain(args.iter().map(String::as_str)).collect();
        finish(&mut in_namespace(script, &call)).failed(2, &needles);
    } else {
        skip("a_folder_that_cannot_be_written", NO_MOUNTS);
    }
}

#[test]
fn results_that_cannot_be_written() {
    let lab = Lab::new(&grpo(1));
    let input = lab.path("in.jsonl");
    write_jsonl(&input, [json!({"prompt": "a", "response": "b"})]);
    let model = golden_model("llama-tied");
    let [model, input] = [&model, &input].map(|path| path.to_str().unwrap());
    let missing = lab.path("no/such/folder/out.jsonl");
    let folder = lab.path("folder");
    fs::create_dir(&folder).unwrap();
    for (out, needle) in [(missing.as_path(), "no/such/folder/out.jsonl"), (Path::new(&folder), "folder")] {
        let out = out.to_str().unwrap();
        let short = ["--max-new-tokens", "2"];
        run(["generate", "--model", model, "--prompts", input, "--out", out].iter().chain(&short))
            .failed(1, &[needle]);
        run(["score", "--model", model, "--in", input, "--out", out]).failed(1, &[needle]);
    }
}
