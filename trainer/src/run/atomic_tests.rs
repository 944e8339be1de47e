//! Tests of crash-safe writing, with disks that are really full: root ignores permissions, so nothing here rests on them.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::*;

/// Runs the named test of this module again in a child process, under `wrapper` (a shell line that ends in
/// `exec "$0" "$@"`), with `POLESTAR_TEST_CHILD` set to `folder`.
fn run_in_child(test: &str, launcher: &[&str], wrapper: &str, folder: &Path) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let output = Command::new(launcher[0])
        .args(&launcher[1..])
        .args(["sh", "-c", wrapper])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env("POLESTAR_TEST_CHILD", folder)
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "the child failed:\n{text}");
}

fn child_folder() -> Option<PathBuf> {
    std::env::var_os("POLESTAR_TEST_CHILD").map(PathBuf::from)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_written_and_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    write_file(&path, b"one").unwrap();
    write_file(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(folder.path()), ["plan.json"]);
}

#[test]
fn a_folder_in_the_way_of_a_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "x").unwrap();
    let error = write_file(&path, b"one").unwrap_err();
    assert_eq!(error.problem, WriteProblem::IsAFolder);
    assert!(
        error.to_string().contains("plan.json (3 bytes): expected a file or nothing, found a folder"),
        "{error}"
    );
    assert_eq!(names(folder.path()), ["plan.json"]);
    assert_eq!(names(&path), ["inside"]);
}

#[test]
fn a_file_in_the_way_of_a_folder_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("step-000001");
    fs::write(&path, "mine").unwrap();
    let mut writer = FolderWriter::new(&path).unwrap();
    writer.write("a", b"1").unwrap();
    let error = writer.commit().unwrap_err();
    assert_eq!(error.problem, WriteProblem::NotAFolder);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    assert_eq!(names(folder.path()), ["step-000001"]);

    let error = FolderWriter::new(&path.join("below")).unwrap_err();
    assert_eq!(error.problem, WriteProblem::NotAFolder);
    let error = write_file(&folder.path().join("none/x"), b"1").unwrap_err();
    assert_eq!(error.problem, WriteProblem::Missing);
}

#[test]
fn a_folder_appears_at_commit_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("step-000001");
    let mut writer = FolderWriter::new(&target).unwrap();
    writer.write("a", b"1").unwrap();
    fs::create_dir(writer.path().join("sub")).unwrap();
    fs::write(writer.path().join("sub/b"), "2").unwrap();
    assert!(!target.exists());
    writer.commit().unwrap();
    assert_eq!(names(folder.path()), ["step-000001"]);
    assert_eq!(names(&target), ["a", "sub"]);
    assert_eq!(fs::read(target.join("sub/b")).unwrap(), b"2");

    drop(FolderWriter::new(&folder.path().join("dropped")).unwrap());
    assert_eq!(names(folder.path()), ["step-000001"]);
}

#[test]
fn a_folder_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("step-000001");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("old"), "old").unwrap();
    let mut writer = FolderWriter::new(&target).unwrap();
    writer.write("new", b"new").unwrap();
    writer.commit().unwrap();
    assert_eq!(names(&target), ["new"]);
    assert_eq!(names(folder.path()), ["step-000001"]);
}

#[test]
fn without_the_exchange_a_folder_is_replaced_by_two_renames_that_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let (new, current) = (folder.path().join("new"), folder.path().join("step"));
    for (path, text) in [(&new, "new"), (&current, "old")] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("x"), text).unwrap();
    }
    let old = replace_by_two_renames(&new, &current).unwrap();
    assert_eq!(fs::read(current.join("x")).unwrap(), b"new");
    assert_eq!(fs::read(old.join("x")).unwrap(), b"old");

    // Killed after both renames: the old one is removed. Killed between them: it is put back.
    assert_eq!(clean_leftovers(folder.path()).unwrap(), std::slice::from_ref(&old));
    fs::rename(&current, &old).unwrap();
    assert_eq!(clean_leftovers(folder.path()).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(fs::read(current.join("x")).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["step"]);

    // The second rename fails: the first is undone.
    assert!(replace_by_two_renames(&new, &current).is_err());
    assert_eq!(fs::read(current.join("x")).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["step"]);
}

#[test]
fn leftovers_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let leftover = folder.path().join("step-000002.tmp-00000001000000ff");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join("half"), "x").unwrap();
    fs::write(folder.path().join("plan.json.tmp-0000000100000100"), "x").unwrap();
    for kept in ["step-000001", "notes.tmp-mine", ".tmp-0000000100000100", "x.tmp-000000010000010g"] {
        fs::write(folder.path().join(kept), "x").unwrap();
    }
    assert_eq!(clean_leftovers(folder.path()).unwrap().len(), 2);
    assert_eq!(
        names(folder.path()),
        [".tmp-0000000100000100", "notes.tmp-mine", "step-000001", "x.tmp-000000010000010g"]
    );
    assert!(clean_leftovers(&folder.path().join("none")).unwrap().is_empty());
}

#[test]
fn latest_moves_from_one_target_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for target in ["step-000001", "step-000002"] {
        fs::create_dir(folder.path().join(target)).unwrap();
        point_latest(folder.path(), target).unwrap();
        assert_eq!(fs::read_link(folder.path().join(LATEST)).unwrap(), Path::new(target));
    }
    let error = point_latest(folder.path(), "step-000003").unwrap_err();
    assert_eq!(error.problem, WriteProblem::Missing);
    assert!(error.to_string().contains("step-000003"), "{error}");
    assert_eq!(fs::read_link(folder.path().join(LATEST)).unwrap(), Path::new("step-000002"));

    fs::remove_file(folder.path().join(LATEST)).unwrap();
    fs::write(folder.path().join(LATEST), "mine").unwrap();
    assert!(point_latest(folder.path(), "step-000001").is_err());
    assert_eq!(fs::read(folder.path().join(LATEST)).unwrap(), b"mine");
}

#[test]
fn a_log_holds_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut log = AppendLog::open(&path).unwrap();
    log.append(b"one\n");
    log.commit().unwrap();
    log.append(b"two\n");
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
    log.commit().unwrap();
    log.append(b"lost\n");
    drop(log);
    let mut log = AppendLog::open(&path).unwrap();
    assert_eq!(log.committed_len(), 8);
    assert!(log.truncate_to(9).is_err());
    log.append(b"dropped\n");
    log.truncate_to(4).unwrap();
    log.append(b"three\n");
    log.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one\nthree\n");
}

#[test]
fn a_full_device_is_named_with_the_bytes_that_were_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut log = AppendLog::open(&path).unwrap();
    log.append(&[b'x'; 100]);
    let error = log.commit().unwrap_err();
    assert_eq!(error.problem, WriteProblem::DiskFull);
    let words = error.to_string();
    for part in
        ["metrics.jsonl", "(100 bytes)", "no space is left", "bytes are free", "run the same command again"]
    {
        assert!(words.contains(part), "{words}");
    }
}

/// The process may write files of 8 KiB at most (512-byte or 1024-byte blocks, by shell).
#[test]
fn a_file_size_limit_destroys_nothing_that_was_there() {
    let Some(folder) = child_folder() else {
        let folder = tempfile::tempdir().unwrap();
        let wrapper = r#"trap '' XFSZ; ulimit -f 8; exec "$0" "$@""#;
        run_in_child("a_file_size_limit_destroys_nothing_that_was_there", &["env"], wrapper, folder.path());
        return;
    };
    refuses_too_much_and_keeps_what_was_there(&folder, &[7; 20_000], WriteProblem::FileTooLarge);
}

/// Runs the named test in a child whose folder is a file system of 64 KiB, in a namespace of its own.
fn run_on_a_small_disk(test: &str) {
    let namespaces = ["unshare", "--user", "--map-root-user", "--mount"];
    let probe = Command::new(namespaces[0])
        .args(&namespaces[1..])
        .args(["sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("skipped: this machine forbids mounting in a user namespace");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let wrapper = r#"mount -t tmpfs -o size=64k tmpfs "$POLESTAR_TEST_CHILD" || exit 9; exec "$0" "$@""#;
    run_in_child(test, &namespaces, wrapper, folder.path());
}

#[test]
fn a_full_disk_destroys_nothing_that_was_there() {
    let Some(folder) = child_folder() else {
        return run_on_a_small_disk("a_full_disk_destroys_nothing_that_was_there");
    };
    refuses_too_much_and_keeps_what_was_there(&folder, &[7; 100_000], WriteProblem::DiskFull);
}

/// The file system becomes read-only (a disk that fails does that) while a checkpoint is being written.
#[test]
fn a_disk_that_becomes_read_only_is_named_and_what_was_there_stays() {
    let Some(folder) = child_folder() else {
        return run_on_a_small_disk("a_disk_that_becomes_read_only_is_named_and_what_was_there_stays");
    };
    let remount = |mode: &str| {
        let options = format!("remount,{mode}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&folder).status().unwrap().success());
    };
    let (file, target) = (folder.join("plan.json"), folder.join("step-000001"));
    write_file(&file, b"old").unwrap();
    let mut writer = FolderWriter::new(&target).unwrap();
    writer.write("weights", b"old").unwrap();
    writer.commit().unwrap();
    let mut writer = FolderWriter::new(&target).unwrap();
    writer.write("weights", b"new").unwrap();
    remount("ro");
    for error in [
        writer.write("more", b"new").unwrap_err(),
        writer.commit().unwrap_err(),
        write_file(&file, b"new").unwrap_err(),
        FolderWriter::new(&folder.join("step-000002")).unwrap_err(),
        point_latest(&folder, "step-000001").unwrap_err(),
        remove_folder(&target).unwrap_err(),
        AppendLog::open(&folder.join("log")).unwrap_err(),
    ] {
        assert_eq!(error.problem, WriteProblem::ReadOnly, "{error}");
        let words = error.to_string();
        assert!(words.contains("read-only") && words.contains("remount this one"), "{words}");
    }
    remount("rw");
    assert_eq!(clean_leftovers(&folder).unwrap().len(), 1, "what was being written");
    assert_eq!(names(&folder), ["plan.json", "step-000001"]);
    assert_eq!(fs::read(&file).unwrap(), b"old");
    assert_eq!(fs::read(target.join("weights")).unwrap(), b"old");
}

/// Writes `too_much` in every way there is, after something that fits, and wants the refusal and the old content.
fn refuses_too_much_and_keeps_what_was_there(folder: &Path, too_much: &[u8], problem: WriteProblem) {
    let file = folder.join("plan.json");
    write_file(&file, b"old").unwrap();
    let error = write_file(&file, too_much).unwrap_err();
    assert_eq!((error.problem, error.needed), (problem, Some(too_much.len() as u64)), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"old");

    let target = folder.join("step-000001");
    let mut writer = FolderWriter::new(&target).unwrap();
    writer.write("weights", b"old").unwrap();
    writer.commit().unwrap();
    let mut writer = FolderWriter::new(&target).unwrap();
    assert_eq!(writer.write("weights", too_much).unwrap_err().problem, problem);
    drop(writer);
    assert_eq!(fs::read(target.join("weights")).unwrap(), b"old");

    let path = folder.join("log");
    let mut log = AppendLog::open(&path).unwrap();
    log.append(b"old");
    log.commit().unwrap();
    log.append(too_much);
    assert_eq!(log.commit().unwrap_err().problem, problem);
    assert_eq!(fs::read(&path).unwrap(), b"old", "a torn end is cut back");
    assert_eq!(log.commit().unwrap_err().problem, problem, "what was appended is kept for another try");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder), ["log", "plan.json", "step-000001"], "no temporary file or folder is left");
}
