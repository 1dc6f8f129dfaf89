//! Values that are kept as text: most objects in the caches are looked at once in minutes, and a JSON value takes ten times
//! the memory of its text.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A `T`, as JSON text.
pub struct Packed<T> {
    text: Box<str>,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// Packs `value`. A value that JSON cannot hold becomes empty text.
    #[must_use]
    pub fn new(value: &T) -> Self {
        let text = serde_json::to_string(value).unwrap_or_default().into_boxed_str();
        Self { text, of: PhantomData }
    }

    /// The value; `None` where the text is not one of `T`.
    #[must_use]
    pub fn get(&self) -> Option<T> {
        serde_json::from_str(&self.text).ok()
    }
}

impl<T> PartialEq for Packed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Clone for Packed<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}

impl<T> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let value = json!({"a": [1, null, {"b": "c"}], "d": 1.5});
        let packed = Packed::<Value>::new(&value);
        assert_eq!(packed.get(), Some(value.clone()));
        assert!(packed == Packed::new(&value) && packed != Packed::new(&Value::Null));
    }
}
