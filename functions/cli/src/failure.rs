//! Why a command could not do its work: what was being done, to what, why not, and what to do next.

use std::error::Error;
use std::fmt::Display;

use picket_pipeline::{Kind, PortError};

use crate::exit::Exit;

/// A failure, printed once by `main` with its whole chain of causes.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Failure {
    doing: String,
    #[source]
    cause: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    exit: Exit,
}

impl Failure {
    fn new(doing: impl Display, exit: Exit) -> Self {
        Self { doing: doing.to_string(), cause: None, hint: None, exit }
    }

    /// The command was used wrongly, or its input cannot be used.
    #[must_use]
    pub fn usage(doing: impl Display) -> Self {
        Self::new(doing, Exit::Usage)
    }

    /// Something was refused, or is not as it should be.
    #[must_use]
    pub fn refused(doing: impl Display) -> Self {
        Self::new(doing, Exit::Found)
    }

    /// The cause, which is printed after it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// What to do next, if it is known.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// With which code to end.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What was being done, and all causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.doing.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let hint = match error.kind {
            Kind::Denied => "ask for that permission, or choose other credentials with `--profile`",
            Kind::NotFound => "is Picket deployed here? `--stack` names its stack, `--region` its Region",
            Kind::Transient => "try again; the same command goes on where this one stopped",
            Kind::Conflict => "somebody else was faster; look again, then try again",
            Kind::Other => "check credentials and Region; `aws sts get-caller-identity` must work",
        };
        Self::new(error, Exit::Aws).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_the_whole_chain_once_and_what_to_do_next() {
        let failure = Failure::usage("reading `x.json`").because("no such file").hint("name a file");
        assert_eq!(failure.chain(), "reading `x.json`: no such file");
        assert_eq!(failure.next_step(), Some("name a file"));
    }

    #[test]
    fn every_failure_of_aws_ends_with_the_same_code_and_a_next_step() {
        for kind in [Kind::Denied, Kind::NotFound, Kind::Transient, Kind::Conflict, Kind::Other] {
            let failure = Failure::from(PortError::new("reading", "it", kind, "no"));
            assert_eq!(failure.exit(), Exit::Aws);
            assert!(failure.next_step().is_some());
        }
    }
}
