//! Facts that the embedded API is known not to hold yet, with what it does instead. They are tried all the same: one that
//! holds has to leave the list.

/// Name of the fact, and what the embedded API does instead.
pub(crate) const GAPS: [(&str, &str); 13] = [
    ("an_invalid_object_is_a_whole_status", "takes a negative minAvailable"),
    ("annotations_are_strings", "names the kind in the path, not the struct of the real server"),
    ("micro_times_have_six_digits", "takes times with other numbers of digits"),
    ("percentages_are_checked", "takes percentages without a sign"),
    ("quantities_are_canonical", "keeps quantities below a thousandth"),
    ("quantities_are_checked", "takes quantities with a space in them"),
    ("quantities_are_not_negative", "takes negative quantities"),
    ("repeated_fields_are_warned_of", "loses repeated fields before it can warn of them"),
    ("requests_are_at_most_limits", "takes requests above their limits"),
    ("secrets_are_base64", "takes secrets that are not base64"),
    ("several_faults_are_listed", "takes any key of a ConfigMap"),
    ("times_are_checked", "refuses a wrong time in words of its own"),
    ("types_of_fields_are_checked", "names the kind in the path, not the struct of the real server"),
];
