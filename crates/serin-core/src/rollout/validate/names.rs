//! The forms that Kubernetes demands of names, label keys and label values.
//!
//! Each check returns what would be right when the text is not.

use super::error::{Findings, Path};

pub(super) type Verdict = Result<(), &'static str>;

/// `web-1`: the form of container and volume names (RFC 1123 label).
pub(super) fn dns_label(text: &str) -> Verdict {
    let ok = text.len() <= 63 && is_framed(text, is_lower_alnum, |c| is_lower_alnum(c) || c == '-');
    ok.then_some(()).ok_or(
        "must be at most 63 lower case letters, digits and -, and start and end with a letter or digit (RFC 1123 label)",
    )
}

/// `web.example`: the form of the names of most objects (RFC 1123 subdomain).
pub(super) fn dns_subdomain(text: &str) -> Verdict {
    is_dns_subdomain(text).then_some(()).ok_or(
        "must be at most 253 lower case letters, digits, - and ., and start and end with a letter or digit \
         (RFC 1123 subdomain)",
    )
}

/// `example.com/name` or `name`: the form of label and annotation keys.
pub(super) fn qualified_name(text: &str) -> Verdict {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if !is_label_text(name) {
        return Err(
            "the name must be 1 to 63 letters, digits, - _ and ., and start and end with a letter or digit",
        );
    }
    match prefix {
        Some(prefix) if !is_dns_subdomain(prefix) => {
            Err("the prefix before the slash must be a DNS name in lower case, such as example.com")
        }
        Some(_) | None => Ok(()),
    }
}

/// The form of label values: empty, or as the name part of a key.
pub(super) fn label_value(text: &str) -> Verdict {
    if text.is_empty() || is_label_text(text) {
        return Ok(());
    }
    Err("must be at most 63 letters, digits, - _ and ., and start and end with a letter or digit")
}

/// `http-2`: the form of port names (RFC 6335 service name).
pub(super) fn port_name(text: &str) -> Verdict {
    let ok = text.len() <= 15
        && is_framed(text, is_lower_alnum, |c| is_lower_alnum(c) || c == '-')
        && !text.contains("--")
        && text.contains(|c: char| c.is_ascii_lowercase());
    ok.then_some(())
        .ok_or("must be at most 15 lower case letters, digits and single -, with at least one letter")
}

/// Checks the name of a Service, if there is one. No Service can have another, so that it is misspelt and not missing.
pub(super) fn check_service(name: Option<&str>, path: &Path, found: &mut Findings) {
    let name = name.unwrap_or_default();
    if let Err(problem) = dns_label(name)
        && !name.is_empty()
    {
        found.invalid(path, name, format!("is not a name that a Service can have: it {problem}"));
    }
}

fn is_dns_subdomain(text: &str) -> bool {
    let is_part = |part: &str| is_framed(part, is_lower_alnum, |c| is_lower_alnum(c) || c == '-');
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_label_text(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.len() <= 63 && is_framed(text, |c| c.is_ascii_alphanumeric(), inner)
}

/// Not empty, its ends of one set of characters and everything between of another.
fn is_framed(text: &str, end: fn(char) -> bool, inner: fn(char) -> bool) -> bool {
    text.starts_with(end) && text.ends_with(end) && text.chars().all(inner)
}

fn is_lower_alnum(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: fn(&str) -> Verdict, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(form(text), Ok(()), "{text:?}");
        }
        for text in bad {
            assert!(form(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_take_the_forms_of_kubernetes() {
        let long = "a".repeat(64);
        check(dns_label, &["a", "web-1", "1a"], &["", "-a", "a-", "A", "a.b", "a_b", &long, "é"]);
        check(label_value, &["", "demo", "v1.2_3", "A"], &["bad label!", "-a", "a.", &long]);
        check(port_name, &["http", "h2", "a-b"], &["", "80", "a--b", "-a", "Http", "sixteen-letters-x"]);
        let keys = ["app", "app.kubernetes.io/name", "A_b.c", "x.y/Z"];
        check(
            qualified_name,
            &keys,
            &["", "/a", "a/", "a/b/c", "Example.com/a", "a b", "-a", "x..y/a", &long],
        );
    }
}
