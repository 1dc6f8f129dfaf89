//! Two lists, line by line.

/// The lines of both, those of one alone marked: `- ` before, `+ ` after, and two spaces for those in common. Keeps as
/// many in common as can be.
pub(crate) fn diff(before: &[String], after: &[String]) -> Vec<String> {
    let common = common_lengths(before, after);
    let (mut lines, mut i, mut j) = (Vec::new(), 0, 0);
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            lines.push(format!("  {}", before[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || i < before.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(format!("- {}", before[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", after[j]));
            j += 1;
        }
    }
    lines
}

/// At `[i][j]`: how many lines `before[i..]` and `after[j..]` have in common, in order.
fn common_lengths(before: &[String], after: &[String]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            lengths[i][j] = if before[i] == after[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_common_are_kept() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        assert_eq!(diff(&lines("abcd"), &lines("acxd")), ["  a", "- b", "  c", "+ x", "  d"]);
        assert_eq!(diff(&lines("ab"), &lines("ba")), ["- a", "  b", "+ a"]);
        assert_eq!(diff(&lines("a"), &[]), ["- a"]);
        assert_eq!(diff(&[], &lines("a")), ["+ a"]);
        assert!(diff(&[], &[]).is_empty());
    }
}
