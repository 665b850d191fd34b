//! Benchmarks as JUnit XML, for build servers: a suite a benchmark, a case a control. A control that a person has to judge,
//! or that does not apply, is skipped with its reason; one that is unknown is an error, never a pass.

use picket_model::{Assessment, BenchmarkResult, ControlResult, Outcome};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The benchmarks as one JUnit document.
///
/// # Errors
/// If the XML cannot be written.
pub fn benchmarks(assessment: &Assessment) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("picket");
    for benchmark in &assessment.benchmarks {
        report.add_test_suite(suite(benchmark));
    }
    report.to_string()
}

fn suite(benchmark: &BenchmarkResult) -> TestSuite {
    let mut suite = TestSuite::new(benchmark.id.as_str());
    suite.add_test_cases(benchmark.controls.iter().map(|c| case(benchmark, c)));
    suite
}

fn case(benchmark: &BenchmarkResult, control: &ControlResult) -> TestCase {
    let failed = |kind: NonSuccessKind, says: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(says);
        status
    };
    let status = match &control.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Fail => {
            let failing = control.assets.get("fail").copied().unwrap_or(0);
            failed(NonSuccessKind::Failure, format!("{failing} fail: {}", control.findings.join(", ")))
        }
        Outcome::Unknown(why) => failed(NonSuccessKind::Error, why.clone()),
        Outcome::Manual(why) | Outcome::NotApplicable(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("{}: {why}", control.outcome.word()));
            status
        }
    };
    let mut case = TestCase::new(format!("{} {}", control.id, control.title), status);
    case.set_classname(benchmark.id.as_str());
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made;

    #[test]
    fn what_is_unknown_is_an_error_and_no_pass() {
        let xml = benchmarks(&made::assessment("x")).unwrap();
        assert!(xml.contains(r#"tests="5""#), "{xml}");
        assert!(xml.contains(r#"errors="1""#) && xml.contains(r#"failures="1""#), "{xml}");
        assert_eq!(xml.matches("<skipped").count(), 2);
    }

    #[test]
    fn it_is_read_as_junit_again_with_nothing_lost() {
        let read = quick_junit::Report::deserialize_from_str(&benchmarks(&made::assessment("x")).unwrap()).unwrap();
        let cases: Vec<_> = read.test_suites.iter().flat_map(|s| &s.test_cases).collect();
        assert_eq!((read.errors, read.failures, cases.len()), (1, 1, 5));
    }

    #[test]
    fn no_word_of_an_attacker_becomes_markup() {
        let elements = |word: &str| benchmarks(&made::assessment(word)).unwrap().matches('<').count();
        assert_eq!(elements("</testsuite><x>&\"'\u{0}"), elements("harmless"));
    }
}
