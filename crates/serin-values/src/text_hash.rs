//! Short hashes of texts, as Kubernetes makes them.

/// The short hash of a text: ten characters at most, each allowed in a label value and a name.
#[must_use]
pub fn text_hash(text: &str) -> String {
    safe_encoded(fnv1a(text.bytes()))
}

/// The short hash of a text after so many collisions; a set count moves the hash, even a zero.
#[must_use]
pub fn text_hash_after(text: &str, collision_count: Option<i32>) -> String {
    // The reference writes the count as a 32-bit number into a zeroed buffer of eight bytes.
    let collision = collision_count.map(|count| u64::from(count.cast_unsigned()).to_le_bytes());
    safe_encoded(fnv1a(text.bytes().chain(collision.into_iter().flatten())))
}

/// FNV-1a, 32 bits wide.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(2_166_136_261, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

/// The decimal digits of `hash`, each replaced by a character that cannot form a word
/// (`SafeEncodeString` of Kubernetes' `util/rand`).
fn safe_encoded(hash: u32) -> String {
    const DIGITS: [char; 10] = ['4', '5', '6', '7', '8', '9', 'b', 'c', 'd', 'f'];
    hash.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect()
}
