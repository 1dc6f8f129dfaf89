//! Where an object is stored.

/// The place of an object. Objects of a resource are in the order of etcd's keys, which is the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Group of the resource, as it is stored.
    pub(crate) group: String,
    /// Plural name of the resource.
    pub(crate) resource: String,
    /// `NAMESPACE/NAME`, or `NAME` of what is in no namespace.
    pub(crate) path: String,
}

impl Key {
    pub(crate) fn new(group: &str, resource: &str, namespace: Option<&str>, name: &str) -> Self {
        let path = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"));
        Self { group: group.to_owned(), resource: resource.to_owned(), path }
    }

    /// Whether it is of that resource and, where one is given, in that namespace.
    pub(crate) fn is_in(&self, group: &str, resource: &str, namespace: Option<&str>) -> bool {
        self.group == group
            && self.resource == resource
            && namespace.is_none_or(|namespace| {
                self.path.strip_prefix(namespace).is_some_and(|rest| rest.starts_with('/'))
            })
    }
}
