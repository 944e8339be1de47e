//! How long a verification may take. The clock starts when the work starts: time spent in a queue is not counted.

use std::time::{Duration, Instant};

/// The longest that one verification may take: a day, in seconds.
pub const MAX_TIMEOUT_S: f64 = 86_400.0;

/// A timeout of `seconds`, which must be above 0 and at most [`MAX_TIMEOUT_S`].
#[must_use]
pub fn timeout(seconds: f64) -> Option<Duration> {
    let timeout = Duration::try_from_secs_f64(seconds).ok()?;
    (!timeout.is_zero() && seconds <= MAX_TIMEOUT_S).then_some(timeout)
}

/// The time that one verification has. A verifier with long loops asks [`Budget::expired`] now and then and gives up
/// by itself; one that does not is abandoned by the supervisor shortly after the deadline.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    started: Instant,
    /// None: so far off that the clock cannot say when.
    deadline: Option<Instant>,
}

impl Budget {
    /// A budget of `limit` whose clock starts now.
    pub fn starting_now(limit: Duration) -> Self {
        let started = Instant::now();
        Self { started, deadline: started.checked_add(limit) }
    }

    /// When the work started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// When the work must be done; none where the limit is beyond what the clock can say.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the time is up. Costs one look at the clock.
    pub fn expired(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// What is left, zero when the time is up.
    pub fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_above_zero_and_at_most_a_day() {
        assert_eq!(timeout(0.5), Some(Duration::from_millis(500)));
        assert_eq!(timeout(86_400.0), Some(Duration::from_secs(86_400)));
        for bad in [0.0, -1.0, 86_400.1, 1e300, 1e-300, f64::INFINITY, f64::NAN] {
            assert_eq!(timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_budget_ends() {
        let none = Budget::starting_now(Duration::ZERO);
        assert!(none.expired());
        assert_eq!(none.remaining(), Duration::ZERO);
        let endless = Budget::starting_now(Duration::MAX);
        assert!(!endless.expired());
        assert_eq!(endless.remaining(), Duration::MAX);
        assert!(!Budget::starting_now(Duration::from_secs(60)).expired());
    }
}
