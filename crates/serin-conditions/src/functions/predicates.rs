//! The functions that apply a predicate to the items of a list. Their arguments are part of the grammar.

/// A function that applies a predicate.
pub(crate) struct Predicate {
    pub(crate) name: &'static str,
    /// The fewest and the most arguments after the list: the predicate, and a plain expression.
    pub(crate) least: usize,
    pub(crate) most: usize,
}

const fn row(name: &'static str, least: usize, most: usize) -> Predicate {
    Predicate { name, least, most }
}

static PREDICATES: [Predicate; 15] = [
    row("all", 1, 1),
    row("none", 1, 1),
    row("any", 1, 1),
    row("one", 1, 1),
    row("filter", 1, 1),
    row("map", 1, 1),
    row("count", 0, 1),
    row("sum", 0, 1),
    row("find", 1, 1),
    row("findIndex", 1, 1),
    row("findLast", 1, 1),
    row("findLastIndex", 1, 1),
    row("groupBy", 1, 1),
    row("sortBy", 1, 2),
    row("reduce", 1, 2),
];

/// The function `name` that applies a predicate.
pub(crate) fn predicate(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|predicate| predicate.name == name)
}
