//! Amounts of resources, as clients send them.

use serde_json::Value;

use serin_values::quantity::Quantity;

/// What a text must match to be one at all.
const FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const UNIT: &str = "unable to parse quantity's suffix";
const NUMBER: &str = "unable to parse numeric part of quantity";

/// A quantity as a client sends it: a text, or a number.
pub(in crate::api) fn read(sent: &Value) -> Result<Quantity, String> {
    let text = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
    parse(&text).map_err(str::to_owned)
}

fn parse(text: &str) -> Result<Quantity, &'static str> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
    let end = unsigned.find(|letter| !is_digit(letter)).unwrap_or(unsigned.len());
    let (digits, unit) = unsigned.split_at(end);
    if text.is_empty() || !is_unit_like(unit) || digits.matches('.').count() > 1 {
        return Err(FORM);
    }
    let number = digits.replace('.', "");
    if number.is_empty() {
        // Without any digit it is none of that unit.
        return Quantity::parse_as_stored(&format!("0{unit}")).ok_or(UNIT);
    }
    let quantity = Quantity::parse_as_stored(text).ok_or(UNIT)?;
    number.parse::<i128>().map(|_| quantity).map_err(|_| NUMBER)
}

/// Letters of units, then perhaps an exponent.
fn is_unit_like(unit: &str) -> bool {
    let rest = unit.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_amount_has_one_form() {
        for (given, expected) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1024", "1024"),
            ("2048Ki", "2Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("512Ki", "512Ki"),
            ("1000k", "1M"),
            ("1e3", "1e3"),
            ("10000e0", "10e3"),
            ("12E", "12E"),
            ("0.0005", "500u"),
            ("0.0000000001", "1n"),
            ("-1", "-1"),
            ("+.5", "500m"),
            ("100Ei", "9223372036854775807"),
            ("0", "0"),
            ("00.00Mi", "0"),
        ] {
            assert_eq!(parse(given).unwrap().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (given, why) in
            [("", FORM), ("1 core", FORM), ("one", FORM), ("1KiB", FORM), ("1K", UNIT), ("1.2.3", FORM)]
        {
            assert_eq!(parse(given).unwrap_err(), why, "{given}");
        }
    }

    #[test]
    fn thousandths_are_rounded_away_from_none() {
        for (given, expected) in [("0.0005", "1m"), ("1.0001", "1001m"), ("2", "2"), ("-0.0005", "-1m")] {
            assert_eq!(parse(given).unwrap().rounded_away_to_milli().to_string(), expected, "{given}");
        }
    }
}
