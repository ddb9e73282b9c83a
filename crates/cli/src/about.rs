//! `runledger completions` and `runledger man`: made from the flags themselves.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::command::CommandError;
use crate::report;
use crate::term::Out;

/// The name of the program.
const NAME: &str = "runledger";

/// Writes the script of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    let mut out = Out::new();
    out.write_all(&script)?;
    Ok(out.flush()?)
}

/// Writes one page, or all of them into a folder.
pub(crate) fn man(args: &ManArgs) -> Result<(), CommandError> {
    let mut command = Cli::command().disable_help_subcommand(true);
    // So that each command knows the names of those above it.
    command.build();
    let Some(directory) = &args.directory else {
        let mut out = Out::new();
        Man::new(command).render(&mut out)?;
        return Ok(out.flush()?);
    };
    fs::create_dir_all(directory).map_err(CommandError::file(directory))?;
    let count = pages(command, directory)?;
    report::line(&format!("{count} pages are in {}.", directory.display()));
    Ok(())
}

/// Writes the page of a command and those below it; says how many there are.
fn pages(command: clap::Command, directory: &Path) -> Result<usize, CommandError> {
    let mut count = 1;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        count += pages(below.clone(), directory)?;
    }
    let page = Man::new(command);
    let path = directory.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(&path, text).map_err(CommandError::file(&path))?;
    Ok(count)
}
