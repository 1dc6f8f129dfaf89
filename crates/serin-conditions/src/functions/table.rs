//! The table of functions. Those that apply a predicate are part of the grammar instead.

use super::signature::{Context, Function, Kind, Outcome, Overload, Scope, Signature};
use super::{convert, dates, lists, maps, numbers, strings};
use crate::types::Type;
use crate::value::{Items, Value};

use Kind::{Any, Bool, Duration, Float, Int, Int64, String as Text, Zone};

const ANYS: Kind = Kind::List(Items::Any);
const INTS: Kind = Kind::List(Items::Int);
const FLOATS: Kind = Kind::List(Items::Float);
const TEXTS: Kind = Kind::List(Items::String);

type Run = fn(&[Value], &mut Context<'_>) -> Outcome;

const fn typed(name: &'static str, overloads: &'static [Overload], run: Run) -> Function {
    Function { name, scope: Scope::Language, signature: Signature::Overloads(overloads), run }
}

const fn ruled(name: &'static str, rule: fn(&[Type]) -> Result<Type, String>, run: Run) -> Function {
    Function { name, scope: Scope::Language, signature: Signature::Rule(rule), run }
}

const fn added(name: &'static str, scope: Scope, overloads: &'static [Overload], run: Run) -> Function {
    Function { name, scope, signature: Signature::Overloads(overloads), run }
}

/// Functions of numbers, and between types.
const NUMBERS: [Function; 30] = [
    added("asInt", Scope::Conditions, &[(&[Any], Int64)], numbers::as_int),
    added("asFloat", Scope::Conditions, &[(&[Any], Float)], numbers::as_float),
    added("isNaN", Scope::Added, &[(&[Float], Bool)], numbers::is_nan),
    added("isInf", Scope::Added, &[(&[Float], Bool)], numbers::is_inf),
    added("isNil", Scope::Conditions, &[(&[Any], Bool)], convert::is_nil),
    added("default", Scope::Conditions, &[(&[Any, Any], Any)], convert::default),
    ruled("abs", numbers::check_abs, numbers::abs),
    ruled("ceil", numbers::check_ceil, numbers::ceil),
    ruled("floor", numbers::check_floor, numbers::floor),
    ruled("round", numbers::check_round, numbers::round),
    ruled("int", numbers::check_int, numbers::int),
    ruled("float", numbers::check_float, numbers::float),
    ruled("max", numbers::check_max, numbers::max),
    ruled("min", numbers::check_min, numbers::min),
    ruled("mean", numbers::check_mean, numbers::mean),
    ruled("median", numbers::check_median, numbers::median),
    typed("bitand", &[(&[Int, Int], Int)], numbers::bit_and),
    typed("bitor", &[(&[Int, Int], Int)], numbers::bit_or),
    typed("bitxor", &[(&[Int, Int], Int)], numbers::bit_xor),
    typed("bitnand", &[(&[Int, Int], Int)], numbers::bit_nand),
    typed("bitnot", &[(&[Int], Int)], numbers::bit_not),
    typed("bitshl", &[(&[Int, Int], Int)], numbers::bit_shl),
    typed("bitshr", &[(&[Int, Int], Int)], numbers::bit_shr),
    typed("bitushr", &[(&[Int, Int], Int)], numbers::bit_ushr),
    typed("type", &[(&[Any], Text)], convert::type_of),
    typed("string", &[(&[Any], Text)], convert::string),
    typed("toJSON", &[(&[Any], Text)], convert::to_json),
    typed("fromJSON", &[(&[Text], Any)], convert::from_json),
    typed("toBase64", &[(&[Text], Text)], convert::to_base64),
    typed("fromBase64", &[(&[Text], Text)], convert::from_base64),
];

/// Functions of texts and times. Of several overloads the last one is named when none fits.
const TEXT: [Function; 19] = [
    typed("trim", &[(&[Text], Text), (&[Text, Text], Text)], strings::trim),
    typed("trimPrefix", &[(&[Text, Text], Text), (&[Text], Text)], strings::trim_prefix),
    typed("trimSuffix", &[(&[Text, Text], Text), (&[Text], Text)], strings::trim_suffix),
    typed("upper", &[(&[Text], Text)], strings::upper),
    typed("lower", &[(&[Text], Text)], strings::lower),
    typed("split", &[(&[Text, Text], TEXTS), (&[Text, Text, Int], TEXTS)], strings::split),
    typed("splitAfter", &[(&[Text, Text], TEXTS), (&[Text, Text, Int], TEXTS)], strings::split_after),
    typed("replace", &[(&[Text, Text, Text, Int], Text), (&[Text, Text, Text], Text)], strings::replace),
    typed("repeat", &[(&[Text, Int], Text)], strings::repeat),
    typed(
        "join",
        &[(&[ANYS, Text], Text), (&[ANYS], Text), (&[TEXTS, Text], Text), (&[TEXTS], Text)],
        strings::join,
    ),
    typed("indexOf", &[(&[Text, Text], Int)], strings::index_of),
    typed("lastIndexOf", &[(&[Text, Text], Int)], strings::last_index_of),
    typed("hasPrefix", &[(&[Text, Text], Bool)], strings::has_prefix),
    typed("hasSuffix", &[(&[Text, Text], Bool)], strings::has_suffix),
    ruled("now", dates::check_now, dates::now),
    ruled("date", dates::check_date, dates::date),
    typed("duration", &[(&[Text], Duration)], dates::duration),
    typed("timezone", &[(&[Text], Zone)], dates::timezone),
    ruled("len", lists::check_len, lists::len),
];

/// Functions of lists and maps.
const LISTS: [Function; 13] = [
    ruled("first", lists::check_first, lists::first),
    ruled("last", lists::check_last, lists::last),
    ruled("get", lists::check_get, lists::get),
    ruled("take", lists::check_take, lists::take),
    ruled("reverse", lists::check_reverse, lists::reverse),
    ruled("uniq", lists::check_uniq, lists::uniq),
    ruled("concat", lists::check_concat, lists::concat),
    ruled("flatten", lists::check_flatten, lists::flatten),
    typed(
        "sort",
        &[
            (&[ANYS, Text], ANYS),
            (&[INTS, Text], ANYS),
            (&[FLOATS, Text], ANYS),
            (&[TEXTS, Text], ANYS),
            (&[ANYS], ANYS),
            (&[FLOATS], ANYS),
            (&[TEXTS], ANYS),
            (&[INTS], ANYS),
        ],
        lists::sort,
    ),
    ruled("keys", maps::check_keys, maps::keys),
    ruled("values", maps::check_values, maps::values),
    ruled("toPairs", maps::check_to_pairs, maps::to_pairs),
    ruled("fromPairs", maps::check_from_pairs, maps::from_pairs),
];

static TABLES: [&[Function]; 3] = [&NUMBERS, &TEXT, &LISTS];

/// The function `name`.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    TABLES.iter().flat_map(|table| table.iter()).find(|function| function.name == name)
}
