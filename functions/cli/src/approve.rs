//! `picket approve` and `picket deny`: answer a question about a fix. Who may invoke the function may answer; who did is
//! in the journal.

use picket_model::{CaseId, Untrusted};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fix;
use crate::session::{self, Session};

/// What `picket approve` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  picket approve case-0123456789ab --reason \"agreed in the change meeting\"

`picket fix list` shows what is asked. It is read and planned anew; if it is no longer what was asked, it is asked anew.")]
pub struct ApproveArgs {
    /// Which fix
    #[arg(value_name = "FIX")]
    pub id: CaseId,
    /// Why; it goes into the journal
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Option<Untrusted>,
}

/// What `picket deny` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  picket deny case-0123456789ab --reason \"team blue needs it until June\"")]
pub struct DenyArgs {
    /// Which fix
    #[arg(value_name = "FIX")]
    pub id: CaseId,
    /// Why; it goes into the journal
    #[arg(long, value_name = "TEXT", value_parser = session::reason)]
    pub reason: Option<Untrusted>,
}

/// Says yes.
///
/// # Errors
/// If AWS cannot be reached or denies it.
pub async fn approve(args: ApproveArgs, session: &Session) -> Result<Exit, Failure> {
    fix::answer(args.id, true, args.reason.unwrap_or_default(), session).await
}

/// Says no.
///
/// # Errors
/// If AWS cannot be reached or denies it.
pub async fn deny(args: DenyArgs, session: &Session) -> Result<Exit, Failure> {
    fix::answer(args.id, false, args.reason.unwrap_or_default(), session).await
}
