//! The types of built-in kinds, as the API server has them.
//!
//! `types.txt` is made from the types of Kubernetes itself by `hack/control-plane/type-table`, which describes its format.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A type of objects.
#[derive(Debug)]
pub struct Type {
    /// Package, version and name: `apps/v1.ReplicaSetSpec`.
    pub name: &'static str,
    /// In the order of the type.
    pub fields: Vec<Field>,
}

/// A field of a type.
#[derive(Debug)]
pub struct Field {
    /// What tells it from the others in the protobuf form.
    pub number: u32,
    /// Empty for one whose own fields stand in its place.
    pub name: &'static str,
    /// Its name in the programming language of the API server, where it is not [`name`](Self::name) with a capital.
    pub own_name: Option<&'static str>,
    /// Whether it is left out where it is empty. What has fields of its own never is.
    pub omits_empty: bool,
    /// Whether it is left out where it has the zero value.
    pub omits_zero: bool,
    /// Whether an empty value is told from none.
    pub is_pointer: bool,
    /// What it holds.
    pub shape: Shape,
}

/// What a field, an item of a list or a value of a map is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A text; the name of its type, if it has one, is of interest to messages only.
    Text(Option<&'static str>),
    /// True or false.
    Truth,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Float,
    /// Bytes, in base64.
    Bytes,
    /// An amount of a resource, such as `500m`.
    Quantity,
    /// A time to the second.
    Time,
    /// A time to the microsecond.
    MicroTime,
    /// A number, or a text such as `25%`.
    IntOrText,
    /// Any JSON.
    Any,
    /// An object of that type.
    Object(&'static str),
    /// A list; the name of its type, if it has one, is that of a message of its own in the protobuf form.
    List(Option<&'static str>, Box<Shape>),
    /// A map from text.
    Map(Option<&'static str>, Box<Shape>),
}

/// What stands inside a value of a [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside<'s> {
    /// The fields of that type.
    Type(&'static str),
    /// Values of that shape: the items of a list, the values of a map.
    Each(&'s Shape),
    /// Nothing with a type.
    Nothing,
}

impl Type {
    /// The name without its package: `ReplicaSetSpec`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        short(self.name)
    }
}

impl Shape {
    /// What it is made of, if that is of interest to whoever walks through types.
    #[must_use]
    pub fn inside(&self) -> Inside<'_> {
        match self {
            Self::Object(name) => Inside::Type(name),
            Self::List(_, item) | Self::Map(_, item) => Inside::Each(item),
            Self::Text(_)
            | Self::Truth
            | Self::Int32
            | Self::Int64
            | Self::Float
            | Self::Bytes
            | Self::Quantity
            | Self::Time
            | Self::MicroTime
            | Self::IntOrText
            | Self::Any => Inside::Nothing,
        }
    }
}

impl Field {
    /// Its name in the programming language of the API server.
    #[must_use]
    pub fn go_name(&self) -> Cow<'static, str> {
        let capital = || {
            let (first, rest) = self.name.split_at_checked(1).unwrap_or_default();
            Cow::from(first.to_uppercase() + rest)
        };
        self.own_name.map_or_else(capital, Cow::from)
    }
}

fn short(name: &'static str) -> &'static str {
    name.rsplit('.').next().unwrap_or(name)
}

impl Shape {
    /// The name of its type in the programming language of the API server, which messages name.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Text(name) => name.unwrap_or("string").to_owned(),
            Self::Truth => "bool".to_owned(),
            Self::Int32 => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Float => "float64".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Quantity => "resource.Quantity".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::MicroTime => "v1.MicroTime".to_owned(),
            Self::IntOrText => "intstr.IntOrString".to_owned(),
            Self::Any => "v1.FieldsV1".to_owned(),
            Self::Object(name) => name.rsplit('/').next().unwrap_or(name).to_owned(),
            Self::List(Some(name), _) | Self::Map(Some(name), _) => (*name).to_owned(),
            Self::List(None, item) => format!("[]{}", item.type_name()),
            Self::Map(None, value) => format!("map[string]{}", value.type_name()),
        }
    }
}

/// The type of that name, such as `apps/v1.ReplicaSetSpec`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Type> {
    static TYPES: LazyLock<BTreeMap<&'static str, Type>> = LazyLock::new(|| {
        let types = include_str!("types.txt").lines().filter_map(type_of_line);
        types.map(|own| (own.name, own)).collect()
    });
    TYPES.get(name)
}

/// The name of the type of a kind.
#[must_use]
pub fn name(group: &str, version: &str, kind: &str) -> String {
    let package = if group.is_empty() { "core" } else { group.split('.').next().unwrap_or_default() };
    match kind {
        // Every group has it under its own name.
        "DeleteOptions" => "meta/v1.DeleteOptions".to_owned(),
        _ => format!("{package}/{version}.{kind}"),
    }
}

fn type_of_line(line: &'static str) -> Option<Type> {
    let mut words = line.split(' ');
    Some(Type { name: words.next()?, fields: words.filter_map(field_of_word).collect() })
}

fn field_of_word(word: &'static str) -> Option<Field> {
    let (number, rest) = word.split_once(':')?;
    let (marked, shape) = rest.split_once('=')?;
    let named = marked.trim_end_matches(['?', '0', '*']);
    let has = |mark: char| marked[named.len()..].contains(mark);
    let (name, own_name) = named.split_once('@').map_or((named, None), |(name, own)| (name, Some(own)));
    Some(Field {
        number: number.parse().ok()?,
        name,
        own_name,
        omits_empty: has('?'),
        omits_zero: has('0'),
        is_pointer: has('*'),
        shape: shape_of_text(shape)?,
    })
}

fn shape_of_text(text: &'static str) -> Option<Shape> {
    let (letter, rest) = text.split_at_checked(1)?;
    let (name, inner) = match rest.strip_prefix(':').and_then(|rest| rest.split_once(':')) {
        Some((name, inner)) => (Some(name), inner),
        None => (None, rest),
    };
    let inner_shape = || shape_of_text(inner).map(Box::new);
    Some(match letter {
        "s" => Shape::Text(name),
        "b" => Shape::Truth,
        "i" => Shape::Int32,
        "l" => Shape::Int64,
        "f" => Shape::Float,
        "y" => Shape::Bytes,
        "q" => Shape::Quantity,
        "t" => Shape::Time,
        "m" => Shape::MicroTime,
        "x" => Shape::IntOrText,
        "r" => Shape::Any,
        ">" => Shape::Object(rest),
        "[" => Shape::List(name, inner_shape()?),
        "{" => Shape::Map(name, inner_shape()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(of: &str, name: &str) -> &'static Field {
        find(of).unwrap().fields.iter().find(|field| field.name == name).unwrap()
    }

    #[test]
    fn marks_and_shapes_are_read() {
        let replicas = field("apps/v1.ReplicaSetSpec", "replicas");
        assert_eq!((replicas.number, replicas.omits_empty, replicas.is_pointer), (1, true, true));
        assert_eq!(replicas.shape, Shape::Int32);
        assert_eq!(replicas.go_name(), "Replicas");
        assert_eq!(field("core/v1.Probe", "").go_name(), "ProbeHandler");
        assert_eq!(field("core/v1.PodSpec", "dnsPolicy").go_name(), "DNSPolicy");
        let made = field("meta/v1.ObjectMeta", "creationTimestamp");
        assert!(made.omits_zero && made.shape == Shape::Time);
        let containers = field("core/v1.PodSpec", "containers");
        assert!(!containers.omits_empty);
        assert_eq!(containers.shape.type_name(), "[]v1.Container");
        assert_eq!(field("core/v1.ResourceRequirements", "limits").shape.type_name(), "v1.ResourceList");
        assert_eq!(field("core/v1.ServicePort", "protocol").shape, Shape::Text(Some("v1.Protocol")));
        assert_eq!(field("core/v1.Volume", "").shape, Shape::Object("core/v1.VolumeSource"));
    }
}
