//! How a command ends, for scripts. `picket --help` prints the same table.

use std::process::ExitCode;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; also where there was nothing to do.
    Done = 0,
    /// It found something wrong, or it was refused.
    Found = 1,
    /// Wrong usage, or an input that cannot be used.
    Usage = 2,
    /// AWS could not be reached, denied it, or failed.
    Aws = 3,
}

/// The table at the end of `picket --help`.
pub const HELP: &str = "\
Exit codes:
  0  done; also where there was nothing left to do
  1  something was found or refused: a broken journal, a release or quarantine that was not carried out
  2  wrong usage, or an input file that cannot be used
  3  AWS could not be reached, denied the call, or failed

Examples:
  picket scan                                        which clusters and instances are there?
  picket replay event.json                           what would Picket make of this event?
  picket holds                                       what is in quarantine?
  picket release case-0123456789ab --reason \"ours\"   put everything back as it was";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
