//! Words that mean something on one machine only.

use crate::Finding;

/// Places of a single machine that `text`, the file at `path`, speaks of.
pub(crate) fn of_one_machine(path: &str, text: &str) -> Vec<Finding> {
    // Put together here, so that this file does not find itself.
    let words = [concat!("/wor", "k/"), concat!(".libr", "ary"), concat!("far", "m-")];
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{path}:{}: `{word}`", index + 1));
        }
    }
    findings
}

#[test]
fn machine_words_are_found() {
    assert_eq!(of_one_machine("a", concat!("x\ncd /wor", "k/there")).len(), 1);
    assert_eq!(of_one_machine("a", concat!("see .libr", "ary and far", "m-1")).len(), 2);
    assert!(of_one_machine("a", "workloads of a farm, in a library").is_empty());
}
