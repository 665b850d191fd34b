//! Settings from the environment, read once at start. What is missing or wrong is said with its name.

use picket_model::{AccountId, Mode, Region, Scope};
use picket_pipeline::Settings;

/// The environment of a function or of the terminal.
#[derive(Debug, Clone)]
pub struct Environment {
    variables: std::collections::HashMap<String, String>,
}

/// A variable that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name} {problem}")]
pub struct EnvironmentError {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub problem: String,
}

impl Environment {
    /// The process's environment.
    #[must_use]
    pub fn of_process() -> Self {
        Self { variables: std::env::vars().collect() }
    }

    /// A made-up environment.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
        Self { variables: variables.iter().map(own).collect() }
    }

    /// A variable, empty ones counting as missing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A variable that must be there.
    ///
    /// # Errors
    /// If it is missing or empty.
    pub fn need(&self, name: &str) -> Result<String, EnvironmentError> {
        let missing = || EnvironmentError { name: name.to_owned(), problem: "is not set".to_owned() };
        self.get(name).map(ToOwned::to_owned).ok_or_else(missing)
    }

    /// The stack's settings. A mode that cannot be read is observe, and says so in the log.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let stack = self.get("PICKET_STACK").unwrap_or("picket").to_owned();
        let mode = match self.get("PICKET_MODE").map(str::parse::<Mode>) {
            Some(Ok(mode)) => mode,
            None => Mode::Observe,
            Some(Err(problem)) => {
                tracing::error!(problem, "PICKET_MODE cannot be read; the mode is observe");
                Mode::Observe
            }
        };
        Settings { stack, mode }
    }

    /// Where a function runs: its Region, and its account from the ARN that Lambda gives with each invocation.
    ///
    /// # Errors
    /// If either is not what it should be.
    pub fn scope(&self, function_arn: &str) -> Result<Scope, EnvironmentError> {
        let wrong = |name: &str, problem: String| EnvironmentError { name: name.to_owned(), problem };
        let region =
            Region::parse(self.need("AWS_REGION")?).map_err(|e| wrong("AWS_REGION", format!("is wrong: {e}")))?;
        let account = function_arn.split(':').nth(4).unwrap_or_default();
        let account = AccountId::parse(account).map_err(|e| wrong("the function's ARN", format!("is wrong: {e}")))?;
        Ok(Scope { account, region })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_observe_unless_it_is_said_clearly() {
        for (text, mode) in
            [("enforce", Mode::Enforce), ("observe", Mode::Observe), ("ENFORCE!", Mode::Observe), ("", Mode::Observe)]
        {
            assert_eq!(Environment::of(&[("PICKET_MODE", text)]).settings().mode, mode, "{text}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Environment::of(&[]).need("PICKET_STATE_TABLE").map_err(|e| e.to_string());
        assert_eq!(error, Err("environment variable PICKET_STATE_TABLE is not set".to_owned()));
    }
}
