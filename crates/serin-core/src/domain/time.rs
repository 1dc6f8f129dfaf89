//! Times as Kubernetes writes them.

use jiff::Timestamp;

use crate::api::Time;

/// `time` without fractions of a second, as the fields of an object hold it.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}
