//! Files appear whole, once, and where nobody lists them before.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;

use super::append::TORN_AFTER;
use super::*;
use crate::metric_line::MAX_LINE_BYTES;

fn world() -> (tempfile::TempDir, Folder) {
    let world = tempfile::tempdir().unwrap();
    fs::create_dir(world.path().join("root")).unwrap();
    let folder = Folder::ambient(&world.path().join("root")).unwrap();
    (world, folder)
}

fn names(world: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(world.path().join("root"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_replaced_file_leaves_nothing_else_behind() {
    let (world, folder) = world();
    for sync in [Sync::Process, Sync::Power] {
        for text in ["one", "", "three"] {
            replace(&folder, "a/b/c", text.as_bytes(), sync).unwrap();
            assert_eq!(folder.read_text("a/b/c", 100).unwrap(), text);
        }
    }
    assert_eq!(names(&world), ["a"]);
    // A folder is not replaced.
    assert!(replace(&folder, "a/b", b"x", Sync::Process).is_err());
    assert_eq!(names(&world), ["a"]);
}

#[test]
fn of_many_creators_one_wins_and_none_sees_a_part() {
    for create in [create_new, create_in_place] {
        let (world, folder) = world();
        let text = |n: usize| n.to_string().repeat(10_000);
        let winners: Vec<usize> = thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|n| {
                    let folder = &folder;
                    scope.spawn(move || {
                        create(folder, "params/p", text(n).as_bytes(), Sync::Process).unwrap()
                    })
                })
                .collect();
            let answers = writers.into_iter().map(|writer| writer.join().unwrap());
            let ours = answers
                .enumerate()
                .filter(|(_, made)| *made == Created::Created);
            ours.map(|(n, _)| n).collect()
        });
        assert_eq!(winners.len(), 1);
        let found = folder.read_text("params/p", 1 << 20).unwrap();
        assert_eq!(found, text(winners[0]));
        assert_eq!(names(&world), ["params"]);
    }
}

#[test]
fn lines_of_many_writers_do_not_mix() {
    let (_world, folder) = world();
    thread::scope(|scope| {
        for n in 0..4 {
            let folder = &folder;
            scope.spawn(move || {
                for _ in 0..100 {
                    let lines = format!("{n} {n} {n}\n{n} {n} {n}\n");
                    append_lines(folder, "m", lines.as_bytes(), Torn::Blanked, Sync::Process)
                        .unwrap();
                }
            });
        }
    });
    let text = folder.read_text("m", 1 << 20).unwrap();
    assert_eq!(text.lines().count(), 800);
    assert!(
        text.lines()
            .all(|line| line.len() == 5 && line[..1] == line[4..])
    );
}

#[test]
fn a_line_that_is_being_written_is_not_torn() {
    let (world, folder) = world();
    let path = world.path().join("root/m");
    fs::write(&path, "1 2 3\n1 2").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(TORN_AFTER / 5);
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(b" 3\n").unwrap();
        });
        append_lines(&folder, "m", b"4 5 6\n", Torn::Blanked, Sync::Process).unwrap();
    });
    let text = folder.read_text("m", 100).unwrap();
    assert_eq!(text, "1 2 3\n1 2 3\n4 5 6\n");
}

#[test]
fn a_torn_line_becomes_no_other() {
    for (before, torn, after) in [
        (
            "1 2 3\n5 0.25 1",
            Torn::Blanked,
            "1 2 3\n        4 5 6\n7 8 9\n",
        ),
        ("5", Torn::Blanked, " 4 5 6\n7 8 9\n"),
        // Of another process that found it at the same time.
        ("1 2 3\n   ", Torn::Blanked, "1 2 3\n   4 5 6\n7 8 9\n"),
        ("{}\n{\"a", Torn::Ended, "{}\n{\"a\n4 5 6\n7 8 9\n"),
    ] {
        for sync in [Sync::Process, Sync::Power] {
            let (world, folder) = world();
            fs::write(world.path().join("root/m"), before).unwrap();
            append_lines(&folder, "m", b"4 5 6\n", torn, sync).unwrap();
            append_lines(&folder, "m", b"7 8 9\n", torn, sync).unwrap();
            assert_eq!(folder.read_text("m", 100).unwrap(), after);
        }
    }
}

#[test]
fn behind_a_long_torn_line_a_new_one_begins() {
    // Made blank, it would leave no room for a line that can be read.
    for length in [MAX_LINE_BYTES / 2 + 1, 1 << 20] {
        let (world, folder) = world();
        let line = "1".repeat(length);
        fs::write(world.path().join("root/m"), &line).unwrap();
        append_lines(&folder, "m", b"4 5 6\n", Torn::Blanked, Sync::Process).unwrap();
        let text = folder.read_text("m", 2 << 20).unwrap();
        assert!(text == format!("{line}\n4 5 6\n"), "{length}");
    }
}

#[test]
fn of_several_who_find_a_torn_line_none_hurts_another() {
    let (world, folder) = world();
    fs::write(world.path().join("root/m"), "1 2 3\n5 0.25 1").unwrap();
    thread::scope(|scope| {
        for n in 0..8 {
            let folder = &folder;
            scope.spawn(move || {
                let line = format!("{n} {n} {n}\n");
                append_lines(folder, "m", line.as_bytes(), Torn::Blanked, Sync::Process).unwrap();
            });
        }
    });
    let text = folder.read_text("m", 100).unwrap();
    let mut lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines.remove(0), "1 2 3");
    lines.sort_unstable();
    assert_eq!(
        lines,
        (0..8).map(|n| format!("{n} {n} {n}")).collect::<Vec<_>>()
    );
}

#[test]
fn what_no_file_can_be_named_is_not_there() {
    let (_world, folder) = world();
    let name = "n".repeat(300);
    assert!(!remove(&folder, &name, Sync::Process).unwrap());
    assert!(folder.open(&name).unwrap_err().is_missing());
    assert!(
        !replace(&folder, &name, b"x", Sync::Process)
            .unwrap_err()
            .is_missing()
    );
}

#[test]
fn no_write_leaves_the_folder() {
    let (world, folder) = world();
    fs::write(world.path().join("outside"), "secret").unwrap();
    let root = world.path().join("root");
    symlink("../outside", root.join("link")).unwrap();
    symlink("..", root.join("up")).unwrap();
    for path in [
        "up/outside",
        "../outside",
        "up/new/x",
        "/tmp/runledger-outside",
    ] {
        let answers = [
            replace(&folder, path, b"x", Sync::Process).is_err(),
            create_new(&folder, path, b"x", Sync::Process).is_err(),
            create_in_place(&folder, path, b"x", Sync::Process).is_err(),
            append_lines(&folder, path, b"x\n", Torn::Blanked, Sync::Process).is_err(),
            write_unseen(&folder, &[(path.to_owned(), "x")], Sync::Process).is_err(),
            remove(&folder, path, Sync::Process).is_err(),
            folder.open(path).is_err(),
        ];
        assert_eq!(answers, [true; 7], "{path}");
    }
    assert!(append_lines(&folder, "link", b"x\n", Torn::Blanked, Sync::Process).is_err());
    assert!(write_unseen(&folder, &[("link".to_owned(), "x")], Sync::Process).is_err());
    assert!(folder.open("link").is_err());
    // The link itself is what is replaced, not its target.
    replace(&folder, "link", b"x", Sync::Process).unwrap();
    assert_eq!(fs::read(world.path().join("outside")).unwrap(), b"secret");
    assert_eq!(names(&world), ["link", "up"]);
}

#[test]
fn nothing_waits_for_the_reader_of_a_pipe() {
    use rustix::fs::{CWD, Mode};
    let (world, folder) = world();
    let pipe = world.path().join("root/p");
    rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let error = append_lines(&folder, "p", b"x\n", Torn::Blanked, Sync::Process).unwrap_err();
    assert!(matches!(error, FolderError::WrongKind { .. }), "{error:?}");
    assert!(write_unseen(&folder, &[("p".to_owned(), "x")], Sync::Process).is_err());
    assert_eq!(
        create_new(&folder, "p", b"x", Sync::Process).unwrap(),
        Created::Exists
    );
    replace(&folder, "p", b"x", Sync::Process).unwrap();
    assert_eq!(folder.read_text("p", 9).unwrap(), "x");
}

#[test]
fn only_old_leftovers_are_swept() {
    let (world, folder) = world();
    let root = world.path().join("root");
    let now = SystemTime::now();
    for (name, minutes) in [(".tmp-old", 61), (".tmp-new", 59), ("old", 61)] {
        let file = fs::File::create(root.join(name)).unwrap();
        file.set_modified(now - Duration::from_mins(minutes))
            .unwrap();
    }
    assert_eq!(sweep(&folder, now).unwrap(), 1);
    assert_eq!(names(&world), [".tmp-new", "old"]);
}
