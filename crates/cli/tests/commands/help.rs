//! The help of every command.

use std::fmt::Write as _;
use std::process::Command;

use super::snapshot;

fn help(path: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_runledger"))
        .args(path)
        .arg("--help")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{path:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names below `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| {
        let is_name = line.starts_with("  ") && !line.starts_with("   ");
        is_name.then(|| line.split_whitespace().next())?
    });
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_help_of_every_command_is_as_recorded() {
    let mut all = String::new();
    let mut ahead: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = ahead.pop() {
        let text = help(&path);
        let title = format!("runledger {} --help", path.join(" "));
        let _ = writeln!(all, "$ {}\n{text}", title.replace("  ", " "));
        let below = commands(&text);
        ahead.extend(below.into_iter().rev().map(|name| {
            let mut path = path.clone();
            path.push(name);
            path
        }));
    }
    assert!(all.contains("$ runledger runs compare --help"), "{all}");
    snapshot::assert("help", &all);
}
