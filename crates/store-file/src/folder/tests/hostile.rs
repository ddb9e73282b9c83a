//! Folders that somebody made to hurt: errors, and nothing worse.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, FileType, Mode};

use super::*;
use crate::FolderError;
use crate::signature::signature;

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// A file of 1 GiB that takes no room on disk.
fn huge(path: &Path) {
    fs::File::create(path).unwrap().set_len(1 << 30).unwrap();
}

#[test]
fn what_is_no_file_is_an_error_for_each_folder_of_a_run() {
    for folder in ["params", "tags", "metrics", "inputs/x", "outputs/x"] {
        type Make = fn(&Path);
        let makers: [(&str, Make); 5] = [
            ("pipe", fifo),
            ("socket", |path| drop(UnixListener::bind(path).unwrap())),
            ("link out", |path| symlink("/etc/passwd", path).unwrap()),
            ("link to itself", |path| symlink("meta.yaml", path).unwrap()),
            ("huge", huge),
        ];
        for (name, make) in makers {
            let world = World::new();
            fs::create_dir_all(world.path(folder)).unwrap();
            make(&world.path(folder).join("meta.yaml"));
            let error = world.read().unwrap_err();
            assert!(
                matches!(
                    error,
                    FolderError::WrongKind { .. }
                        | FolderError::TooLong { .. }
                        | FolderError::MetricLine { .. }
                ),
                "{folder} {name}: {error:?}"
            );
            assert!(error.to_string().contains(folder), "{error}");
            signature(&world.run.folder).unwrap();
        }
    }
}

#[test]
fn a_meta_that_is_no_file_is_an_error() {
    type Make = fn(&Path);
    let makers: [Make; 7] = [
        fifo,
        |path| fs::create_dir(path).unwrap(),
        |path| symlink("tags/mlflow.runName", path).unwrap(),
        |path| fs::write(path, [0xff, 0xfe, 0, 1]).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| fs::write(path, "a: [").unwrap(),
        huge,
    ];
    for (number, make) in makers.iter().enumerate() {
        let world = World::new();
        fs::remove_file(world.path("meta.yaml")).unwrap();
        assert!(world.read().unwrap_err().is_missing());
        make(&world.path("meta.yaml"));
        let error = world.read().unwrap_err();
        assert!(error.to_string().contains("meta.yaml"), "{number}: {error}");
    }
}

#[test]
fn keys_of_the_wrong_kind_are_named() {
    for (from, to, key) in [
        ("status: 1", "status: 9", "status"),
        ("status: 1", "status: FINISHED", "status"),
        ("start_time: 5", "start_time: soon", "start_time"),
        ("start_time: 5\n", "", "start_time"),
        ("experiment_id: '7'", "experiment_id: '8'", "experiment_id"),
        (
            "lifecycle_stage: active",
            "lifecycle_stage: odd",
            "lifecycle_stage",
        ),
        ("user_id: u", "user_id: [u]", "user_id"),
        ("run_id: ", "run_id: x", "run_id"),
    ] {
        let world = World::new();
        let path = world.path("meta.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        match world.read().unwrap_err() {
            FolderError::Field { key: found, .. } => assert_eq!(found, key),
            error => panic!("{key}: {error:?}"),
        }
    }
}

#[test]
fn names_that_are_not_utf_8_are_errors() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff");
    fs::write(world.path("params").join(name), "x").unwrap();
    assert!(matches!(world.read(), Err(FolderError::NotUtf8 { .. })));
}

#[test]
fn folders_within_folders_end_somewhere() {
    let world = World::new();
    let mut path = world.path("tags");
    for _ in 0..140 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    assert!(matches!(world.read(), Err(FolderError::TooDeep { .. })));
    signature(&world.run.folder).unwrap();
}

#[test]
fn a_broken_line_is_named_with_its_place() {
    let world = World::new();
    fs::write(world.path("metrics/m"), "1 2 3\n1 2 x\n1 2 3\n").unwrap();
    match world.read().unwrap_err() {
        FolderError::MetricLine { path, offset, .. } => {
            assert_eq!(offset, 6);
            assert!(path.ends_with("metrics/m"), "{path}");
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn folders_that_are_links_are_not_entered() {
    let world = World::new();
    let outside = world.directory.path().join("outside");
    fs::create_dir_all(outside.join("tags")).unwrap();
    fs::write(outside.join("tags/secret"), "s").unwrap();
    let experiment = world.directory.path().join("mlruns/7");
    symlink(&outside, experiment.join("linked")).unwrap();
    symlink(&outside, world.directory.path().join("mlruns/9")).unwrap();
    assert_eq!(
        world.run.experiment.run_ids().unwrap(),
        std::slice::from_ref(&world.run.run_id)
    );
    assert!(world.run.experiment.run(&RunId::new("linked")).is_err());
    assert!(world.root.experiment(ExperimentId(9)).is_err());
    assert_eq!(
        world.root.experiment_ids(LifecycleStage::Active).unwrap(),
        [ExperimentId(7)]
    );
    fs::remove_dir_all(world.path("tags")).unwrap();
    symlink(outside.join("tags"), world.path("tags")).unwrap();
    assert!(world.read().is_err());
    let set = keys::set_tags(
        &world.run.folder,
        "tags",
        &[Tag::new("x", "y")],
        Sync::Process,
    );
    assert!(set.is_err());
    assert!(!outside.join("tags/x").exists());
}

#[test]
fn random_bytes_in_any_file_never_panic() {
    use proptest::prelude::*;
    let world = World::new();
    let files = ["meta.yaml", "metrics/m", "params/p", "tags/t"];
    let before = fs::read(world.path("meta.yaml")).unwrap();
    proptest!(ProptestConfig::with_cases(200), |(
        which in 0..files.len(),
        bytes in prop::collection::vec(any::<u8>(), 1..80),
    )| {
        fs::write(world.path(files[which]), bytes).unwrap();
        let _ = world.read();
        fs::write(world.path("meta.yaml"), &before).unwrap();
    });
}
