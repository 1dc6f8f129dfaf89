//! Facts that the embedded API is known not to hold yet, with what it does instead. They are tried all the same: one that
//! holds has to leave the list.

/// Name of the fact, and what the embedded API does instead.
pub(crate) const GAPS: [(&str, &str); 1] =
    [("repeated_fields_are_warned_of", "loses repeated fields before it can warn of them")];
