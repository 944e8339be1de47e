//! Tests of the journal: what is durable comes back, torn ends are cut, and damage is never mistaken for a torn end.

#![allow(clippy::unwrap_used)]

use std::fs::OpenOptions;
use std::io::Write;

use proptest::prelude::*;

use super::*;

/// A folder for tests that sync thousands of times: in memory, where the machine has such a place.
fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn started(step: u64) -> Record {
    Record::StepStarted { step, problems: vec!["a".into(), "ü/\n".into()] }
}

fn rollout(step: u64, sample: u64) -> Record {
    let logprobs = vec![-0.1, -0.0, f32::NEG_INFINITY, f32::MIN_POSITIVE / 3.0];
    let (problem, purpose, finish) = ("a".into(), Purpose::Train, Finish::Stop);
    Record::Rollout {
        step,
        problem,
        sample,
        purpose,
        ids: vec![1, 2, 3, u32::MAX],
        logprobs,
        finish,
        version: 7,
    }
}

fn verdict(step: u64, sample: u64) -> Record {
    let verdict = serde_json::json!({"verdict": "judged", "score": 0.1, "reason": "step {\"x\"}"});
    let (problem, purpose) = ("a".into(), Purpose::Retry);
    Record::Verdict { step, problem, sample, purpose, rollout_sha256: rollout_sha256(&[1, 2]), verdict }
}

fn committed(step: u64) -> Record {
    Record::StepCommitted { step, update_step: step * 2, weights_sha256: format!("hash {step}") }
}

/// A step's records, and where each ends in the segment, synced after each (`each`) or once at the end.
fn write_step(folder: &Path, step: u64, each: bool) -> (Vec<Record>, Vec<u64>) {
    let records = vec![started(step), rollout(step, 0), verdict(step, 0), rollout(step, 1), committed(step)];
    let mut journal = Journal::open(folder).unwrap();
    let mut ends = Vec::new();
    for record in &records {
        journal.append(record).unwrap();
        if each {
            journal.sync().unwrap();
            ends.push(fs::metadata(segment_path(folder, step)).unwrap().len());
        }
    }
    journal.sync().unwrap();
    (records, ends)
}

#[test]
fn records_come_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("journal");
    let (records, _) = write_step(folder, 3, false);
    let journal = Journal::open(folder).unwrap();
    assert_eq!(journal.records(3).unwrap(), records);
    assert_eq!(journal.records(4).unwrap(), []);
    assert!(journal.cuts().is_empty());
    let Record::Rollout { logprobs, .. } = &journal.records(3).unwrap()[1] else { panic!("no rollout") };
    assert_eq!(logprobs[1].to_bits(), (-0.0f32).to_bits());
}

#[test]
fn every_f32_keeps_its_bits() {
    let mut bits: Vec<u32> = (0..1000u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    bits.extend([0x7fc0_0001, 0xffff_ffff, 0x7f80_0000, 1]);
    let logprobs = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
    let (problem, purpose, finish) = ("a".into(), Purpose::Train, Finish::Length);
    let record =
        Record::Rollout { step: 1, problem, sample: 0, purpose, ids: vec![], logprobs, finish, version: 0 };
    let json = serde_json::to_string(&record).unwrap();
    let Record::Rollout { logprobs, .. } = serde_json::from_str(&json).unwrap() else { panic!("no rollout") };
    assert!(logprobs.iter().map(|value| value.to_bits()).eq(bits));
    let broken = json.replace("\"logprobs\":\"", "\"logprobs\":\"é2");
    assert!(serde_json::from_str::<Record>(&broken).is_err());
}

#[test]
fn a_verdict_is_found_by_all_of_its_key() {
    let folder = tempfile::tempdir().unwrap();
    write_step(folder.path(), 3, false);
    let journal = Journal::open(folder.path()).unwrap();
    let hash = rollout_sha256(&[1, 2]);
    let found = journal.verdict(3, "a", 0, Purpose::Retry, &hash).unwrap();
    assert_eq!(found["score"], 0.1);
    let misses = [
        journal.verdict(2, "a", 0, Purpose::Retry, &hash),
        journal.verdict(3, "b", 0, Purpose::Retry, &hash),
        journal.verdict(3, "a", 1, Purpose::Retry, &hash),
        journal.verdict(3, "a", 0, Purpose::Train, &hash),
        journal.verdict(3, "a", 0, Purpose::Retry, &rollout_sha256(&[1, 2, 3])),
    ];
    assert!(misses.iter().all(Option::is_none));
}

/// `printf '\1\0\0\0\2\0\0\0' | sha256sum`
#[test]
fn the_rollout_hash_is_over_little_endian_ids() {
    assert_eq!(rollout_sha256(&[1, 2]), "34fb5c825de7ca4aea6e712f19d439c1da0c92c37b423936c5f618545ca4fa1f");
}

#[test]
fn commits_are_remembered_and_old_segments_go() {
    let folder = tempfile::tempdir().unwrap();
    for step in [3, 4, 5] {
        write_step(folder.path(), step, false);
    }
    let mut journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.committed(4).unwrap().update_step, 8);
    assert_eq!(journal.last_committed().unwrap().weights_sha256, "hash 5");
    journal.append(&started(6)).unwrap();
    assert_eq!(journal.last_committed().unwrap().step, 5);
    journal.retain(5).unwrap();
    assert!(journal.committed(4).is_none());
    journal.append(&committed(6)).unwrap();
    journal.retain(7).unwrap();
    assert_eq!(segments(folder.path()).unwrap().len(), 0);
    journal.append(&started(7)).unwrap();
    journal.sync().unwrap();
    assert_eq!(Journal::open(folder.path()).unwrap().records(7).unwrap(), [started(7)]);
}

#[test]
fn a_segment_cut_anywhere_keeps_the_whole_records_before_and_goes_on() {
    let folder = fast_folder();
    let (records, ends) = write_step(folder.path(), 3, true);
    let path = segment_path(folder.path(), 3);
    let whole = fs::read(&path).unwrap();
    for len in 0..=whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let num_left = ends.iter().filter(|end| **end <= len as u64).count();
        let mut journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.records(3).unwrap(), records[..num_left], "cut at {len}");
        journal.append(&committed(3)).unwrap();
        journal.sync().unwrap();
        let again = Journal::open(folder.path()).unwrap();
        assert_eq!(
            again.records(3).unwrap(),
            [&records[..num_left], &[committed(3)]].concat(),
            "cut at {len}"
        );
        assert!(again.cuts().is_empty());
    }
}

#[test]
fn a_changed_byte_is_damage_where_later_records_prove_it_and_a_torn_end_where_none_do() {
    let folder = fast_folder();
    let (records, ends) = write_step(folder.path(), 3, true);
    let path = segment_path(folder.path(), 3);
    let whole = fs::read(&path).unwrap();
    let last_begins = ends[ends.len() - 2];
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut content = whole.clone();
            content[at] ^= flip;
            fs::write(&path, &content).unwrap();
            match Journal::open(folder.path()) {
                Err(JournalError::Segment(SegmentError::Damaged { offset, path })) => {
                    assert!((at as u64) < last_begins, "byte {at}");
                    assert!(offset <= at as u64 && path.ends_with("step-000003.journal"));
                    assert_eq!(fs::read(&path).unwrap(), content, "a damaged segment is left as it is");
                }
                Ok(journal) => {
                    assert!(at as u64 >= last_begins, "byte {at}");
                    assert_eq!(journal.records(3).unwrap(), records[..records.len() - 1]);
                    assert_eq!(journal.cuts()[0].offset, last_begins);
                }
                Err(error) => panic!("byte {at}: {error}"),
            }
        }
    }
}

#[test]
fn unsynced_records_that_reached_the_disk_out_of_order_are_a_torn_end() {
    let folder = tempfile::tempdir().unwrap();
    write_step(folder.path(), 3, false);
    let path = segment_path(folder.path(), 3);
    let mut content = fs::read(&path).unwrap();
    let (from, to) = (content.len() / 3, content.len() / 2);
    content[from..to].fill(0);
    fs::write(&path, &content).unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.cuts().len(), 1);
    assert!(journal.records(3).unwrap().len() < 5);
}

#[test]
fn a_torn_end_of_an_earlier_segment_is_damage_up_to_what_the_next_one_vouches_for() {
    let folder = tempfile::tempdir().unwrap();
    write_step(folder.path(), 3, false);
    write_step(folder.path(), 4, false);
    // Step 3 is done over and dies while it writes: what was appended is torn, what step 4 vouches for is not.
    let path = segment_path(folder.path(), 3);
    let vouched = fs::metadata(&path).unwrap().len();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"torn").unwrap();
    assert_eq!(Journal::open(folder.path()).unwrap().cuts()[0].offset, vouched);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(vouched - 1).unwrap();
    let error = Journal::open(folder.path()).unwrap_err();
    assert!(matches!(error, JournalError::Segment(SegmentError::Shortened { .. })), "{error}");
    assert!(error.to_string().contains("step-000003.journal"), "{error}");
}

#[test]
fn a_missing_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for step in [3, 4, 5] {
        write_step(folder.path(), step, false);
    }
    fs::remove_file(segment_path(folder.path(), 4)).unwrap();
    let error = Journal::open(folder.path()).unwrap_err();
    assert!(
        matches!(&error, JournalError::Missing { missing, .. } if missing.ends_with("step-000004.journal"))
    );
}

#[test]
fn a_step_done_over_keeps_its_verdicts_and_those_of_later_steps() {
    let folder = tempfile::tempdir().unwrap();
    write_step(folder.path(), 3, false);
    write_step(folder.path(), 4, false);
    let (hash, purpose) = (rollout_sha256(&[1, 2]), Purpose::Retry);
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.append(&started(3)).unwrap();
    journal.sync().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.records(3).unwrap().len(), 6);
    assert!(journal.verdict(3, "a", 0, purpose, &hash).is_some());
    assert!(journal.verdict(4, "a", 0, purpose, &hash).is_some());
}

#[test]
fn going_back_further_than_the_journal_drops_what_would_not_follow() {
    let folder = tempfile::tempdir().unwrap();
    write_step(folder.path(), 4, false);
    write_step(folder.path(), 5, false);
    let mut journal = Journal::open(folder.path()).unwrap();
    journal.append(&started(2)).unwrap();
    journal.sync().unwrap();
    assert!(journal.committed(5).is_none());
    let journal = Journal::open(folder.path()).unwrap();
    assert_eq!(journal.steps.keys().copied().collect::<Vec<_>>(), [2]);
}

#[test]
fn a_record_of_another_version_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ends) = write_step(folder.path(), 3, true);
    let path = segment_path(folder.path(), 3);
    let frame = segment::frame(br#"{"record":"novelty","step":3}"#, ends[4]);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&frame).unwrap();
    let words = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(words.contains(&format!("step-000003.journal: the record at byte {}", ends[4])), "{words}");
    assert!(words.contains("novelty"), "{words}");
}

#[test]
fn a_full_disk_is_an_error_and_other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for other in ["step-x.journal", "step-3.journal", "notes"] {
        fs::write(folder.path().join(other), "mine").unwrap();
    }
    let mut journal = Journal::open(folder.path()).unwrap();
    std::os::unix::fs::symlink("/dev/full", segment_path(folder.path(), 1)).unwrap();
    journal.append(&started(1)).unwrap();
    let error = journal.sync().unwrap_err();
    assert!(matches!(error, JournalError::Write(_)), "{error}");
    assert_eq!(fs::read(folder.path().join("step-3.journal")).unwrap(), b"mine");
}

proptest! {
    /// Whatever a segment turns into, opening it gives a prefix of what was written, or an error: never a panic,
    /// never a record that was not written.
    #[test]
    fn any_change_gives_a_prefix_or_an_error(
        each: bool, from in 0usize..2000, len in 0usize..200, noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = fast_folder();
        let (records, _) = write_step(folder.path(), 3, each);
        let path = segment_path(folder.path(), 3);
        let mut content = fs::read(&path).unwrap();
        let from = from % (content.len() + 1);
        let to = (from + len).min(content.len());
        content.splice(from..to, noise);
        fs::write(&path, &content).unwrap();
        if let Ok(journal) = Journal::open(folder.path()) {
            let found = journal.records(3).unwrap();
            prop_assert_eq!(&found[..], &records[..found.len()]);
        }
    }
}
