//! How many answers came from where.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::AddAssign;

use super::persona::Persona;

/// Where answers come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The host that the requests were for, without a port.
    pub host: String,
    /// Namespace of the pods.
    pub namespace: String,
    /// The Service through which they were reached.
    pub service: String,
    /// Revision of the pods.
    pub revision: String,
    /// Their colour; the image where they have none.
    pub colour: String,
}

impl Origin {
    pub(super) fn new(host: &str, persona: &Persona, service: &str) -> Self {
        Self {
            host: host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned(),
            namespace: persona.namespace.clone(),
            service: service.to_owned(),
            revision: persona.revision.clone(),
            colour: persona.colour.clone().unwrap_or_else(|| persona.image.clone()),
        }
    }
}

/// Answers of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// All answers.
    pub answers: u64,
    /// Those of them with a status of 500 or above.
    pub errors: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, more: Self) {
        self.answers += more.answers;
        self.errors += more.errors;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, count| {
            sum += count;
            sum
        })
    }
}

/// What the ingress proxy has counted since it started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Answers of pods by origin.
    pub origins: BTreeMap<Origin, Count>,
    /// Requests that no pod answered, though a rule was about them: 502, 503 and 504.
    pub unanswered: u64,
    /// Requests that no rule was about: 404.
    pub unruled: u64,
}

impl Tally {
    /// Requests that failed: those that no pod answered, and answers with a status of 500 or above.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.unanswered + self.origins.values().map(|count| count.errors).sum::<u64>()
    }

    /// All requests that a rule was about.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.unanswered + self.origins.values().map(|count| count.answers).sum::<u64>()
    }

    /// What was counted since `earlier`, which is an earlier state of this tally.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |(origin, count): (&Origin, &Count)| {
            let old = earlier.origins.get(origin).copied().unwrap_or_default();
            let count = Count { answers: count.answers - old.answers, errors: count.errors - old.errors };
            (count != Count::default()).then(|| (origin.clone(), count))
        };
        Self {
            origins: self.origins.iter().filter_map(difference).collect(),
            unanswered: self.unanswered - earlier.unanswered,
            unruled: self.unruled - earlier.unruled,
        }
    }

    pub(super) fn answered(&mut self, origin: Origin, is_error: bool) {
        let count = self.origins.entry(origin).or_default();
        count.answers += 1;
        count.errors += u64::from(is_error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_compared_with_an_earlier_one() {
        let origin = |colour: &str| Origin {
            host: "shop.example.com".into(),
            namespace: "shop".into(),
            service: "web".into(),
            revision: "1".into(),
            colour: colour.into(),
        };
        let mut tally = Tally::default();
        tally.answered(origin("blue"), false);
        tally.answered(origin("red"), false);
        let earlier = tally.clone();
        tally.answered(origin("red"), true);
        tally.unanswered += 1;
        let since = tally.since(&earlier);
        assert_eq!(since.origins, BTreeMap::from([(origin("red"), Count { answers: 1, errors: 1 })]));
        assert_eq!((since.failed(), since.total(), tally.total()), (2, 2, 4));
    }
}
