//! The bound on the work and the memory of one evaluation.

/// The most steps of one evaluation: operations, and items or characters that they look at.
const STEPS_MAX: u64 = 5_000_000;

/// The most room that values of one evaluation take together: an item of a list is 1, as are 8 bytes of a text.
const ROOM_MAX: u64 = 1_000_000;

/// The longest text of a condition, in bytes.
pub(crate) const TEXT_MAX: usize = 16 * 1024;

/// The steps that the compilation of a regular expression counts for.
pub(crate) const PATTERN_STEPS: u64 = 50_000;

/// What is left of steps and room.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: u64,
    room: u64,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { steps: STEPS_MAX, room: ROOM_MAX }
    }

    /// Takes `steps`. An error if not so many are left.
    pub(crate) fn work(&mut self, steps: u64) -> Result<(), String> {
        self.steps = self.steps.checked_sub(steps).ok_or("the condition takes too many steps")?;
        Ok(())
    }

    /// Takes one step for each of `count` items.
    pub(crate) fn look_at(&mut self, count: usize) -> Result<(), String> {
        self.work(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Takes room for `count` items. An error if not so much is left.
    pub(crate) fn items(&mut self, count: usize) -> Result<(), String> {
        self.look_at(count)?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.room = self.room.checked_sub(count).ok_or("memory budget exceeded")?;
        Ok(())
    }

    /// Takes room for a text of `bytes`.
    pub(crate) fn text(&mut self, bytes: usize) -> Result<(), String> {
        self.items(bytes / 8 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_room_end() {
        let mut budget = Budget::new();
        assert!(budget.work(STEPS_MAX).is_ok());
        assert!(budget.work(1).is_err());
        let mut budget = Budget::new();
        assert!(budget.items(1_000_000).is_ok());
        assert_eq!(budget.text(1), Err("memory budget exceeded".to_owned()));
        assert!(Budget::new().items(usize::MAX).is_err());
    }
}
