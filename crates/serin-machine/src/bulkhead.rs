//! A panic of a decision ends where the decision was asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic in it ends there and becomes its message.
pub fn bulkhead<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_bulkhead() {
        assert_eq!(bulkhead(|| 1), Ok(1));
        assert_eq!(bulkhead(|| -> u8 { panic!("no {}", "way") }), Err("no way".to_owned()));
        assert_eq!(bulkhead(|| -> u8 { panic!("no") }), Err("no".to_owned()));
    }
}
