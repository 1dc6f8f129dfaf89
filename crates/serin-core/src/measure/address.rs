//! Addresses of servers, and the queries that are appended to them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters of a query that need an escape.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address of a server: `http` or `https`, a host, and perhaps a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a>(&'a str);

impl<'a> Address<'a> {
    /// Returns `None` for any text that is not such an address.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let host = ["http", "https"].iter().find_map(|scheme| after_scheme(text, scheme))?;
        let is_host = !host.is_empty() && !host.starts_with(['/', '?', '#', ':']);
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_host && is_printable).then_some(Self(text))
    }

    /// The URL of `path` below the address, with a query of `pairs`. The address's own query and fragment are dropped.
    pub(super) fn join(self, path: &str, pairs: &[(&str, &str)]) -> String {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        with_query(&format!("{}{path}", self.0[..end].trim_end_matches('/')), pairs)
    }
}

/// The part of `text` after `scheme` and its colon and slashes.
fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    if head.eq_ignore_ascii_case(scheme) { rest.strip_prefix("://") } else { None }
}

/// `url` with a query of `pairs`.
pub(super) fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() { url.to_owned() } else { format!("{url}?{}", form(pairs)) }
}

/// `pairs` as a form, in the order given: `a=1&b=x+y`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A name or value of a form.
pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+")
}

/// A segment of a path.
pub(super) fn escape_segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_host() {
        for (text, joined) in [
            ("http://prometheus:9090", Some("http://prometheus:9090/api?q=a+%26b")),
            ("HTTPS://prometheus/prefix/", Some("HTTPS://prometheus/prefix/api?q=a+%26b")),
            ("https://prometheus/prefix?x=1#y", Some("https://prometheus/prefix/api?q=a+%26b")),
            ("prometheus:9090", None),
            ("ftp://prometheus", None),
            ("http://", None),
            ("http:///path", None),
            ("http://a b", None),
            ("h\u{e9}http://a", None),
            ("", None),
        ] {
            let found = Address::parse(text).map(|address| address.join("/api", &[("q", "a &b")]));
            assert_eq!(found.as_deref(), joined, "{text}");
        }
    }
}
