//! Surge and unavailability limits, resolved from numbers or percentages.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{ceil_share, floor_share, narrow};

/// A limit as a user writes it: a number of pods, or a percentage of the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntOrPercent {
    /// So many pods.
    Count(i32),
    /// So many hundredths of the replicas.
    Percent(i32),
}

impl IntOrPercent {
    /// The default of `maxSurge` and `maxUnavailable`.
    pub const DEFAULT: Self = Self::Percent(25);

    /// Reads a field of either kind. A string is a percentage even without `%`; `None` if it is not a number.
    #[must_use]
    pub fn parse(value: &IntOrString) -> Option<Self> {
        match value {
            IntOrString::Int(count) => Some(Self::Count(*count)),
            IntOrString::String(text) => {
                text.strip_suffix('%').unwrap_or(text).parse().ok().map(Self::Percent)
            }
        }
    }

    /// The limit in pods, a percentage rounded up.
    #[must_use]
    pub fn rounded_up(self, replicas: i32) -> i32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => narrow(ceil_share(replicas.into(), percent.into(), 100)),
        }
    }

    /// The limit in pods, a percentage rounded down.
    #[must_use]
    pub fn rounded_down(self, replicas: i32) -> i32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => narrow(floor_share(replicas.into(), percent.into(), 100)),
        }
    }
}

/// The limits that an update keeps, in pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fenceposts {
    /// So many pods more than the replicas may exist.
    pub surge: i32,
    /// So many pods fewer than the replicas may be available; never more than the replicas.
    pub unavailable: i32,
}

/// The limits of `.spec.strategy.canary.maxSurge` and `maxUnavailable` for so many replicas.
///
/// A missing limit is [`IntOrPercent::DEFAULT`]. If both come out as zero, one pod may be unavailable, so that an
/// update can go on. If one cannot be read, both are zero.
#[must_use]
pub fn fenceposts(
    max_surge: Option<&IntOrString>,
    max_unavailable: Option<&IntOrString>,
    replicas: i32,
) -> Fenceposts {
    let limit = |field: Option<&IntOrString>| field.map_or(Some(IntOrPercent::DEFAULT), IntOrPercent::parse);
    let (Some(surge), Some(unavailable)) = (limit(max_surge), limit(max_unavailable)) else {
        return Fenceposts::default();
    };
    let surge = surge.rounded_up(replicas);
    let unavailable = match unavailable.rounded_down(replicas) {
        0 if surge == 0 => 1,
        pods => pods,
    };
    Fenceposts { surge, unavailable: unavailable.min(replicas) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(count: i32) -> IntOrString {
        IntOrString::Int(count)
    }

    fn text(text: &str) -> IntOrString {
        IntOrString::String(text.to_owned())
    }

    #[test]
    fn a_string_is_a_percentage() {
        for (value, expected) in [
            (int(5), Some(IntOrPercent::Count(5))),
            (text("5"), Some(IntOrPercent::Percent(5))),
            (text("25%"), Some(IntOrPercent::Percent(25))),
            (text("foo"), None),
            (text("2.5%"), None),
            (text(""), None),
        ] {
            assert_eq!(IntOrPercent::parse(&value), expected);
        }
    }

    #[test]
    fn limits() {
        for (surge, unavailable, replicas, expected) in [
            (text("0%"), text("0%"), 0, (0, 0)),
            (text("0%"), text("0%"), 10, (0, 1)),
            (text("39%"), text("39%"), 10, (4, 3)),
            (int(0), text("39%"), 10, (0, 3)),
            (text("39%"), int(0), 10, (4, 0)),
            (int(0), int(0), 10, (0, 1)),
            (text("foo"), int(3), 10, (0, 0)),
            (int(3), text("foo"), 10, (0, 0)),
            (int(1), int(5), 10, (1, 5)),
            (int(1), int(10), 10, (1, 10)),
            (int(1), int(10), 5, (1, 5)),
            (int(1), int(10), 0, (1, 0)),
            (int(1), text("50%"), 10, (1, 5)),
            (int(1), text("100%"), 10, (1, 10)),
        ] {
            let limits = fenceposts(Some(&surge), Some(&unavailable), replicas);
            assert_eq!((limits.surge, limits.unavailable), expected, "{surge:?} {unavailable:?} {replicas}");
        }
    }

    #[test]
    fn missing_limits_are_a_quarter() {
        assert_eq!(fenceposts(None, None, 10), Fenceposts { surge: 3, unavailable: 2 });
        assert_eq!(fenceposts(None, None, 1), Fenceposts { surge: 1, unavailable: 0 });
    }
}
