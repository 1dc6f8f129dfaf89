//! Amounts of resources: `500m`, `1.5Gi`, `2e3`.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// The finest part that an amount has, as a fraction of one.
const PARTS: i128 = 1_000_000_000;

/// What amounts with a binary unit are capped at.
const MOST: i128 = i64::MAX as i128 * PARTS;

/// What a text must match to be one at all.
const FORM: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const UNIT: &str = "unable to parse quantity's suffix";
const NUMBER: &str = "unable to parse numeric part of quantity";

/// Decimal units by the power of ten.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Binary units by the power of two.
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// An amount, in billionths, and in which units it is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Quantity {
    parts: i128,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Exponent,
    Binary,
}

impl Quantity {
    /// A quantity as a client sends it: a text, or a number.
    pub(in crate::api) fn read(sent: &Value) -> Result<Self, String> {
        let text = sent.as_str().map_or_else(|| sent.to_string(), str::to_owned);
        Self::parse(&text).map_err(str::to_owned)
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end =
            unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(unsigned.len());
        let (digits, unit) = unsigned.split_at(end);
        if text.is_empty() || !is_unit_like(unit) || digits.matches('.').count() > 1 {
            return Err(FORM);
        }
        let (scale, format) = scale(unit).ok_or(UNIT)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let number = format!("{whole}{fraction}");
        let number: i128 = if number.is_empty() { 0 } else { number.parse().map_err(|_| NUMBER)? };
        let mut parts = in_parts(number, i32::try_from(fraction.len()).unwrap_or(i32::MAX), scale);
        let mut format = format;
        if format == Format::Binary {
            parts = parts.min(MOST);
            if parts < PARTS {
                format = Format::Decimal;
            }
        }
        Ok(Self { parts: if is_negative { -parts } else { parts }, format })
    }

    /// Whether there is less than none of it.
    pub(in crate::api) const fn is_negative(self) -> bool {
        self.parts < 0
    }

    /// Whether there is no part of one in it.
    pub(in crate::api) const fn is_whole(self) -> bool {
        self.parts % PARTS == 0
    }

    /// Rounded to thousandths, away from none.
    pub(super) const fn in_thousandths(self) -> Self {
        let step = PARTS / 1000;
        let rest = self.parts % step;
        let more = if rest == 0 { 0 } else { step * rest.signum() };
        Self { parts: self.parts - rest + more, ..self }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.parts.partial_cmp(&other.parts)
    }
}

/// Letters of units, then perhaps an exponent.
fn is_unit_like(unit: &str) -> bool {
    let rest = unit.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a unit multiplies by.
#[derive(Clone, Copy)]
enum Scale {
    Ten(i32),
    Two(u32),
}

fn scale(unit: &str) -> Option<(Scale, Format)> {
    if let Some((_, power)) = DECIMAL.iter().find(|(known, _)| *known == unit) {
        return Some((Scale::Ten(*power), Format::Decimal));
    }
    if let Some((_, power)) = BINARY.iter().find(|(known, _)| *known == unit) {
        return Some((Scale::Two(*power), Format::Binary));
    }
    let power: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Scale::Ten(power), Format::Exponent))
}

/// A number with `decimals` behind its point, in billionths, rounded up; what is beyond all bounds is at the bound.
fn in_parts(number: i128, decimals: i32, scale: Scale) -> i128 {
    let (number, power) = match scale {
        Scale::Ten(power) => (number, power.saturating_sub(decimals).saturating_add(9)),
        Scale::Two(power) => (number.saturating_mul(1 << power), 9_i32.saturating_sub(decimals)),
    };
    let factor = 10_i128.checked_pow(power.unsigned_abs()).unwrap_or(i128::MAX);
    if power >= 0 {
        return number.saturating_mul(factor);
    }
    number / factor + i128::from(number % factor != 0)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts == 0 {
            return f.write_str("0");
        }
        let is_whole = self.parts % PARTS == 0;
        let is_small = self.parts.abs() < 1024 * PARTS;
        if self.format == Format::Binary && is_whole && !is_small {
            return binary(f, self.parts / PARTS);
        }
        let (mut number, mut power) = (self.parts, -9);
        while number % 1000 == 0 {
            number /= 1000;
            power += 3;
        }
        match (self.format, power) {
            (Format::Exponent, 0) => write!(f, "{number}"),
            (Format::Exponent, power) => write!(f, "{number}e{power}"),
            (Format::Decimal | Format::Binary, power) => {
                let unit = DECIMAL.iter().find(|(_, known)| *known == power).map_or("", |(unit, _)| unit);
                write!(f, "{number}{unit}")
            }
        }
    }
}

fn binary(f: &mut fmt::Formatter<'_>, mut number: i128) -> fmt::Result {
    let mut unit = "";
    for (next, _) in BINARY {
        if number % 1024 != 0 {
            break;
        }
        number /= 1024;
        unit = next;
    }
    write!(f, "{number}{unit}")
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
            assert_eq!(Quantity::parse(given).unwrap().to_string(), expected, "{given}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (given, why) in
            [("", FORM), ("1 core", FORM), ("one", FORM), ("1KiB", FORM), ("1K", UNIT), ("1.2.3", FORM)]
        {
            assert_eq!(Quantity::parse(given).unwrap_err(), why, "{given}");
        }
    }

    #[test]
    fn thousandths_are_rounded_away_from_none() {
        for (given, expected) in [("0.0005", "1m"), ("1.0001", "1001m"), ("2", "2"), ("-0.0005", "-1m")] {
            assert_eq!(Quantity::parse(given).unwrap().in_thousandths().to_string(), expected, "{given}");
        }
    }
}
