//! Names and uids that are random but, for the same seed, the same.

use serin_values::random::Rng;

/// The characters of generated names: Kubernetes leaves out vowels and what looks alike.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Draws names, uids and numbers.
#[derive(Debug, Clone)]
pub(crate) struct Draw(Rng);

impl Draw {
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self(Rng::seeded(seed))
    }

    /// A number below `bound`, which is not zero.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// Five characters that end a generated name.
    pub(crate) fn suffix(&mut self) -> String {
        let length = ALPHABET.len() as u64;
        (0..5)
            .filter_map(|_| usize::try_from(self.below(length)).ok())
            .filter_map(|index| ALPHABET.get(index).copied().map(char::from))
            .collect()
    }

    /// A uid: a random UUID (version 4).
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.0.next(), self.0.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_use_the_alphabet_of_generated_names() {
        let mut rng = Draw::seeded(1);
        for _ in 0..200 {
            let suffix = rng.suffix();
            assert_eq!(suffix.len(), 5);
            assert!(suffix.bytes().all(|byte| ALPHABET.contains(&byte)), "{suffix}");
        }
    }

    #[test]
    fn uids_are_random_uuids() {
        let mut rng = Draw::seeded(7);
        let (first, second) = (rng.uid(), rng.uid());
        assert_ne!(first, second);
        assert_eq!(first.len(), 36);
        assert_eq!(&first[14..15], "4");
        assert!(matches!(&first[19..20], "8" | "9" | "a" | "b"));
    }

    #[test]
    fn the_same_seed_gives_the_same_names() {
        assert_eq!(Draw::seeded(3).suffix(), Draw::seeded(3).suffix());
    }
}
