//! Kubernetes quantities: amounts such as `500m`, `2`, `1Gi` or `12e6`.
//!
//! The notation is described in the documentation of Kubernetes' `resource.Quantity`; this module reads it, writes
//! its canonical form and compares amounts whatever their notation.

use std::cmp::Ordering;
use std::fmt;

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// Billionths in a thousandth.
const MILLI: i128 = ONE / 1000;

/// The largest amount, in billionths; greater ones are cut to it.
const MAX: i128 = i64::MAX as i128 * ONE;

/// The family of suffixes that an amount was written with; its canonical form keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// `m`, none, `k`, `M`, ...
    Decimal,
    /// `Ki`, `Mi`, `Gi`, ...
    Binary,
    /// `e3`, `E6`, ...
    Exponent,
}

/// An amount, exact to a billionth (finer ones are rounded away from zero), and the notation it was written in.
///
/// Two quantities are equal when their amounts are, whatever the notation.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nanos: i128,
    notation: Notation,
}

impl Quantity {
    /// Reads a quantity; `None` for a text that is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Parts::split(text)?.quantity(MAX))
    }

    /// As [`Self::parse`], but cuts only binary amounts to the largest one, as the API server does when it stores a
    /// quantity.
    #[must_use]
    pub fn parse_as_stored(text: &str) -> Option<Self> {
        let parts = Parts::split(text)?;
        Some(parts.quantity(if parts.scale.notation == Notation::Binary { MAX } else { i128::MAX }))
    }

    /// The text that Kubernetes' own type writes after it has read `text`: the canonical form, except that a text
    /// which looks canonical at a glance is kept as written (`1.125`, not `1125m`). `None` for a text that is not
    /// a quantity.
    #[must_use]
    pub fn rewritten(text: &str) -> Option<String> {
        let text = text.trim();
        let quantity = Self::parse(text)?;
        let is_kept = Parts::split(text).is_some_and(|parts| parts.look_canonical());
        Some(if is_kept { text.to_owned() } else { quantity.to_string() })
    }

    /// Whether the amount is less than zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether the amount is a whole number.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.nanos % ONE == 0
    }

    /// The amount in thousandths, rounded away from zero.
    #[must_use]
    pub const fn rounded_away_to_milli(self) -> Self {
        let rest = self.nanos % MILLI;
        let more = if rest == 0 { 0 } else { MILLI * rest.signum() };
        Self { nanos: self.nanos - rest + more, ..self }
    }

    /// The smallest amount of thousandths that is not less than this one.
    #[must_use]
    pub fn rounded_up_to_milli(self) -> Self {
        let milli = self.nanos.div_euclid(MILLI) + i128::from(self.nanos.rem_euclid(MILLI) != 0);
        Self { nanos: milli * MILLI, ..self }
    }

    /// The canonical form with decimal suffixes: the same text for every notation of one amount.
    #[must_use]
    pub fn canonical_decimal(self) -> String {
        Self { notation: Notation::Decimal, ..self }.to_string()
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

/// Writes the canonical form: no fraction, and the largest suffix that allows that.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        match self.notation {
            // An amount under 1024 or with a fraction has no binary form.
            Notation::Binary if self.nanos.abs() >= 1024 * ONE && self.nanos % ONE == 0 => {
                const SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
                let (number, power) = without_factors(self.nanos / ONE, 1024, SUFFIXES.len() - 1);
                write!(f, "{number}{}", SUFFIXES[power])
            }
            Notation::Binary | Notation::Decimal => {
                const SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
                let (number, power) = without_factors(self.nanos, 1000, SUFFIXES.len() - 1);
                write!(f, "{number}{}", SUFFIXES[power])
            }
            Notation::Exponent => match without_factors(self.nanos, 1000, usize::MAX) {
                (number, 3) => write!(f, "{number}"),
                (number, power) => {
                    write!(f, "{number}e{}", i128::try_from(power).unwrap_or_default() * 3 - 9)
                }
            },
        }
    }
}

/// Divides `number` by `base` as often as that leaves no rest, at most `limit` times; also says how often.
fn without_factors(mut number: i128, base: i128, limit: usize) -> (i128, usize) {
    let mut power = 0;
    while power < limit && number % base == 0 {
        number /= base;
        power += 1;
    }
    (number, power)
}

/// What a suffix multiplies by: `2^binary * 10^decimal`.
#[derive(Debug, Clone, Copy)]
struct Scale {
    notation: Notation,
    binary: u32,
    decimal: i32,
}

impl Scale {
    fn parse(suffix: &str) -> Option<Self> {
        let decimal = |decimal| Some(Self { notation: Notation::Decimal, binary: 0, decimal });
        let binary = |binary| Some(Self { notation: Notation::Binary, binary, decimal: 0 });
        match suffix {
            "n" => decimal(-9),
            "u" => decimal(-6),
            "m" => decimal(-3),
            "" => decimal(0),
            "k" => decimal(3),
            "M" => decimal(6),
            "G" => decimal(9),
            "T" => decimal(12),
            "P" => decimal(15),
            "E" => decimal(18),
            "Ki" => binary(10),
            "Mi" => binary(20),
            "Gi" => binary(30),
            "Ti" => binary(40),
            "Pi" => binary(50),
            "Ei" => binary(60),
            exponent => {
                let decimal = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
                Some(Self { notation: Notation::Exponent, binary: 0, decimal })
            }
        }
    }
}

/// A quantity taken apart: sign, digits before and after the point, suffix.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    scale: Scale,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let number_length =
            unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        Some(Self { negative, whole, fraction, scale: Scale::parse(suffix)? })
    }

    /// The amount, at most `most` billionths.
    fn quantity(&self, most: i128) -> Quantity {
        let nanos = scaled(self.whole, self.fraction, self.scale, most);
        Quantity { nanos: if self.negative { -nanos } else { nanos }, notation: self.scale.notation }
    }

    /// Whether Kubernetes takes the text for canonical without looking closer. It does so only for numbers that fit
    /// 64 bits and have a suffix of their own at that scale.
    fn look_canonical(&self) -> bool {
        let (whole, fraction) = (self.whole.len(), self.fraction.len());
        match self.scale.notation {
            Notation::Decimal | Notation::Exponent => {
                let exponent = i64::from(self.scale.decimal) - i64::try_from(fraction).unwrap_or(i64::MAX);
                let ends_in_zeros = [self.whole, self.fraction].concat().ends_with("000");
                whole > 0 && whole + fraction <= 18 && exponent >= -9 && exponent % 3 == 0 && !ends_in_zeros
            }
            Notation::Binary => {
                let digits_max = 14 - i64::from(self.scale.binary) * 3 / 10;
                let is_multiple_of_8 = self.whole.parse::<i64>().is_ok_and(|number| number % 8 == 0);
                let fits = i64::try_from(whole).is_ok_and(|digits| digits <= digits_max);
                whole > 0 && fraction == 0 && fits && !is_multiple_of_8
            }
        }
    }
}

/// The unsigned decimal `whole.fraction` times `scale`, in billionths, rounded up and cut to `most`.
fn scaled(whole: &str, fraction: &str, scale: Scale, most: i128) -> i128 {
    let mut digits = Digits::read(whole, fraction, most);
    let Some(mut nanos) = digits.times_power_of_two(scale.binary) else {
        return most;
    };
    // `nanos` holds tenths to the power of `digits.fraction`; billionths have nine.
    let shift = i64::from(scale.decimal) + 9 - i64::from(digits.fraction);
    let mut has_rest = digits.has_rest;
    if nanos == 0 {
        return i128::from(has_rest);
    }
    for _ in 0..shift.unsigned_abs() {
        if shift < 0 {
            has_rest |= nanos % 10 != 0;
            nanos /= 10;
        } else {
            nanos = nanos.saturating_mul(10);
        }
        if nanos == 0 || nanos >= most {
            break;
        }
    }
    nanos.saturating_add(i128::from(has_rest)).min(most)
}

/// A decimal number: `mantissa / 10^fraction`, plus something smaller than its last digit if `has_rest`.
struct Digits {
    mantissa: i128,
    fraction: u32,
    has_rest: bool,
}

impl Digits {
    /// More digits than an amount can need are cut: the whole part saturates, the fraction leaves a rest.
    fn read(whole: &str, fraction: &str, most: i128) -> Self {
        const FRACTION_MAX: usize = 15;
        let add =
            |number: i128, digit: u8| number.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
        let whole = whole.bytes().fold(0, add).min(most);
        let kept = &fraction[..fraction.len().min(FRACTION_MAX)];
        let rest = &fraction[kept.len()..];
        Self {
            mantissa: kept.bytes().fold(whole, add),
            fraction: u32::try_from(kept.len()).unwrap_or(0),
            has_rest: rest.bytes().any(|digit| digit != b'0'),
        }
    }

    /// The mantissa times `2^power`; gives up fraction digits where they would not fit. `None` when it is too large.
    fn times_power_of_two(&mut self, power: u32) -> Option<i128> {
        let factor = 1_i128 << power;
        loop {
            if let Some(product) = self.mantissa.checked_mul(factor) {
                return Some(product);
            }
            self.fraction = self.fraction.checked_sub(1)?;
            self.has_rest |= self.mantissa % 10 != 0;
            self.mantissa /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).map_or_else(|| "invalid".to_owned(), |quantity| quantity.to_string())
    }

    #[test]
    fn canonical_forms() {
        for (text, expected) in [
            ("0", "0"),
            ("0Ki", "0"),
            ("-0", "0"),
            ("2000m", "2"),
            ("0.15", "150m"),
            (".5", "500m"),
            ("5.", "5"),
            ("+3", "3"),
            ("-1500m", "-1500m"),
            ("1024Mi", "1Gi"),
            ("1536Mi", "1536Mi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("0.1Mi", "104857600m"),
            ("1023", "1023"),
            ("1Ki", "1Ki"),
            ("8192M", "8192M"),
            ("1000k", "1M"),
            ("1000000", "1M"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("1e-3", "1e-3"),
            ("1E", "1E"),
            ("0.0000000001", "1n"),
            ("-0.0000000001", "-1n"),
            ("1.0000000000000000000000001", "1000000001n"),
            ("100000000000000000000000", "9223372036854775807"),
            ("16Ei", "9223372036854775807"),
            ("1e2147483647", "9223372036854775807"),
            ("1e-2147483648", "1e-9"),
            ("100u", "100u"),
            ("invalid", "invalid"),
            ("", "invalid"),
            (".", "invalid"),
            ("1.2.3", "invalid"),
            ("1 Gi", "invalid"),
            ("1e", "invalid"),
            ("--1", "invalid"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_that_look_canonical_are_kept() {
        for (text, expected) in [
            ("1.125", "1.125"),
            ("1.500", "1.500"),
            ("1.5", "1500m"),
            ("2.000", "2"),
            ("0.150", "150m"),
            ("+3", "+3"),
            ("007", "007"),
            ("5.", "5."),
            ("1E3", "1E3"),
            ("1E2", "100"),
            ("2000m", "2"),
            ("1025Ki", "1025Ki"),
            ("01Gi", "01Gi"),
            ("08Gi", "8Gi"),
            ("1024Mi", "1Gi"),
            ("1.0Gi", "1Gi"),
            ("1Ei", "1Ei"),
            ("0", "0"),
            ("0.000", "0"),
        ] {
            assert_eq!(Quantity::rewritten(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn amounts_compare_by_value() {
        assert_eq!(Quantity::parse("1Gi"), Quantity::parse("1073741824"));
        assert_eq!(Quantity::parse("1e3"), Quantity::parse("1k"));
        assert!(Quantity::parse("1G") < Quantity::parse("1Gi"));
        assert!(Quantity::parse("-1") < Quantity::parse("1m"));
    }

    #[test]
    fn stored_amounts_are_cut_only_where_they_are_binary() {
        for (text, expected) in [
            ("12E", "12E"),
            ("100Ei", "9223372036854775807"),
            ("10000e0", "10e3"),
            ("1e21", "1e21"),
            ("0.0005", "500u"),
            ("512Ki", "512Ki"),
        ] {
            let stored = Quantity::parse_as_stored(text).map(|quantity| quantity.to_string());
            assert_eq!(stored.as_deref(), Some(expected), "{text}");
        }
        assert!(Quantity::parse_as_stored("1e2147483647") > Quantity::parse("1E"));
    }

    #[test]
    fn rounding_away_from_zero_to_thousandths() {
        for (text, expected) in [("0.0005", "1m"), ("1.0001", "1001m"), ("2", "2"), ("-0.0005", "-1m")] {
            let rounded = Quantity::parse(text).map(|quantity| quantity.rounded_away_to_milli().to_string());
            assert_eq!(rounded.as_deref(), Some(expected));
        }
    }

    #[test]
    fn signs_and_fractions_are_told() {
        let of = |text: &str| Quantity::parse(text).map(|amount| (amount.is_negative(), amount.is_whole()));
        assert_eq!(of("-2"), Some((true, true)));
        assert_eq!(of("1500m"), Some((false, false)));
    }

    #[test]
    fn rounding_up_to_thousandths() {
        for (text, expected) in [("1", "1"), ("100u", "1m"), ("1.0001", "1001m"), ("-100u", "0")] {
            let rounded = Quantity::parse(text).map(Quantity::rounded_up_to_milli);
            assert_eq!(rounded.map(Quantity::canonical_decimal).as_deref(), Some(expected));
        }
    }
}
