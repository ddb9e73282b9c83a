//! Other programs: started visibly, and their failures said in words.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache;

/// The cargo that runs this task, in the root of the repository.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(cache::repository())
        .stdin(Stdio::null());
    command
}

/// Runs a command with its output shown; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| not_started(command, error))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed; an exit code other than 0 is an error with its last lines.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, error))?;
    if !status.success() {
        bail!(
            "`{}` failed: {status}\n{}",
            shown(command),
            last_lines(&String::from_utf8_lossy(&stderr), 20)
        );
    }
    String::from_utf8(stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", shown(command)))
}

/// Whether a program is there and answers `--version`.
pub(crate) fn available(command: &mut Command) -> bool {
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as one would type it, the program by its name alone.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// The last lines of a text, for messages that must not be long.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn not_started(command: &Command, error: std::io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy().into_owned();
    if error.kind() == ErrorKind::NotFound {
        anyhow::anyhow!("`{program}` is not installed, or not on the PATH")
    } else {
        anyhow::Error::new(error).context(format!("cannot start `{program}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("runledger-no-such-program")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`runledger-no-such-program` is not installed")
        );
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
    }
}
