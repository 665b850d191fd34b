//! Times as people read them: UTC, with units.

use jiff::{SignedDuration, Timestamp};

/// A moment in UTC with milliseconds.
#[must_use]
pub fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// How long something has lasted, in its two largest units.
#[must_use]
pub fn age(of: SignedDuration) -> String {
    let seconds = of.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_units_and_no_false_precision() {
        let cases =
            [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (3_600, "1 h"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h")];
        for (seconds, text) in cases {
            assert_eq!(age(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn moments_show_their_milliseconds() {
        let at: Timestamp = "2026-11-23T10:00:00.5Z".parse().unwrap();
        assert_eq!(millis(at), "2026-11-23 10:00:00.500");
    }
}
