//! `picket`: the same stages from a terminal. Here: parse, run, end with a code. What may be asked is in `cli`.

mod approve;
mod assess;
mod audit;
mod benchmark;
mod cli;
mod completions;
mod demo;
mod doctor;
mod exit;
mod explain;
mod failure;
mod fingerprint;
mod fix;
mod holds;
mod inventory;
mod journal;
mod keep;
mod log;
mod pause;
mod policy;
mod posture;
mod quarantine;
mod release;

mod replay;
mod report;
mod rule;
mod scan;
mod session;
mod show;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let session = cli.global.session();
    log::begin(cli.global.verbose);
    match cli.command.run(&session).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            session.show.failure(&failure);
            failure.exit().into()
        }
    }
}
