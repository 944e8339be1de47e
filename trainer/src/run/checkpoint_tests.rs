//! Which checkpoints stay, and what is said of one that does not read back.

#![allow(clippy::unwrap_used)]

use super::super::folder::checkpoint_steps;
use super::*;
use crate::model::testing::config;

/// The steps that are left of `steps`, where every tenth and step 37 are scheduled.
fn left(steps: &[u64], keep: usize, best: Option<u64>) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    for step in steps {
        let path = folder.path().join(format!("step-{step:06}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join(STATE), "").unwrap();
    }
    retain(folder.path(), &|step| step == 37 || step % 10 == 0, keep, best).unwrap();
    checkpoint_steps(folder.path()).into_iter().map(|(step, _)| step).collect()
}

#[test]
fn the_newest_scheduled_ones_and_the_best_stay() {
    assert_eq!(left(&[], 2, None), [0; 0]);
    assert_eq!(left(&[10, 20, 30, 37], 2, None), [30, 37]);
    assert_eq!(left(&[10, 20, 30, 37], 2, Some(10)), [10, 30, 37]);
    assert_eq!(left(&[10, 20, 30, 37], 1, Some(37)), [37]);
    assert_eq!(left(&[10, 20, 30, 37], 0, Some(10)), [10, 20, 30, 37]);
}

#[test]
fn others_stay_until_there_is_a_later_one() {
    // The run was stopped in step 26.
    assert_eq!(left(&[10, 20, 25], 1, None), [20, 25]);
    assert_eq!(left(&[10, 20, 25, 30], 1, None), [30]);
    assert_eq!(left(&[10, 20, 25, 30], 0, None), [10, 20, 30]);
    // Once the best, and best still.
    assert_eq!(left(&[5, 10, 15, 20], 1, Some(15)), [15, 20]);
    assert_eq!(left(&[5, 10, 15, 20], 0, Some(5)), [5, 10, 20]);
}

#[test]
fn what_does_not_read_back_is_gone_as_the_message_says() {
    let config = config(&json!({"model_type": "llama"}));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("step-000001");
    let export = Export { base: folder.path(), kind: Kind::Float, stop_ids: vec![1], card: String::new() };
    let [saved, other] = [1, 2].map(|seed| crate::model::init::random_weights(&config, seed).unwrap());
    let error = {
        let mut writer = FolderWriter::new(&target).unwrap();
        write_model(&mut writer, &config, &saved, &export).unwrap();
        check_reload(writer.path(), &target, &config, &saved, Kind::Float).unwrap();
        check_reload(writer.path(), &target, &config, &other, Kind::Float).unwrap_err()
    };
    assert!(error.to_string().contains("what was written is removed again"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
