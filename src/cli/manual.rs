//! Documentation of the command line, generated from its definition.

use std::path::Path;

use clap::Command;
use clap_markdown::{MarkdownOptions, help_markdown_command_custom};

use super::cluster::CLUSTER_HEADING;
use super::failure::Failure;
use super::output::print;

/// Writes a man page for each verb of the command line into a directory.
pub(super) fn man_pages(definition: Command, folder: &Path) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::Failed(format!("cannot write to {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(definition, folder).map_err(failed)
}

/// Prints the reference page.
pub(super) fn page(definition: Command) -> Result<(), Failure> {
    print(&reference(definition))
}

/// The reference page of the command line: every verb with its arguments. Shared flags are listed once.
#[must_use]
pub fn reference(definition: Command) -> String {
    let options = MarkdownOptions::new()
        .title("Command line reference".to_owned())
        .show_footer(false)
        .show_table_of_contents(true);
    let shared = definition.find_subcommand("status").cloned().unwrap_or_default();
    let shared = shared.get_arguments().filter(|arg| is_shared(arg) && !arg.is_hide_set()).map(|arg| {
        let long = arg.get_long().unwrap_or_default();
        let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        format!("* {short}`--{long}` — {}\n", arg.get_help().cloned().unwrap_or_default())
    });
    let shared: String = shared.collect();
    let page = help_markdown_command_custom(&without_shared(definition), &options);
    format!("{page}\n\n## Flags of all verbs for Rollouts\n\nThey may also precede the verb.\n\n{shared}")
}

fn is_shared(arg: &clap::Arg) -> bool {
    arg.get_help_heading() == Some(CLUSTER_HEADING)
}

fn without_shared(command: Command) -> Command {
    if command.get_name() == "controller" {
        return command;
    }
    let hidden = command.mut_args(|arg| if is_shared(&arg) { arg.hide(true) } else { arg });
    hidden.mut_subcommands(without_shared)
}
