//! How tokens are spelled: numbers as varints, bytes as lower-case base32.

/// Appends `value` as a varint: seven bits a byte, the lowest first.
pub(super) fn put_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = value.cast_unsigned();
    while rest >= 0x80 {
        bytes.push((rest as u8 & 0x7F) | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// Takes a varint off the front of `bytes`; `None` when it is cut short, too long, or not the shortest form.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7F);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            let shortest = part != 0 || shift == 0;
            return shortest.then_some(value.cast_signed());
        }
    }
    None
}

/// The alphabet of RFC 4648 6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base32 without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for &byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(letter(bits >> held));
        }
    }
    if held > 0 {
        text.push(letter(bits << (5 - held)));
    }
    text
}

fn letter(bits: u32) -> char {
    BASE32.get((bits & 31) as usize).copied().map_or('a', char::from)
}

/// Reads [`base32`] back in either case; `None` for anything that it did not write.
pub(super) fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = BASE32.iter().position(|&known| known == c.to_ascii_lowercase())?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    // What is left over must be fewer bits than a letter holds, all zero: one spelling per value.
    (held < 5 && bits & ((1 << held) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spells_base32_as_rfc_4648_does() {
        for (bytes, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(
                from_base32(&text.to_uppercase()).as_deref(),
                Some(bytes.as_bytes())
            );
        }
        for wrong in ["a", "mz", "mzx", "m1", "my======", "mé"] {
            assert_eq!(from_base32(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn refuses_long_varints() {
        for wrong in [
            &[0x80, 0][..],
            &[0x80],
            &[],
            &[0xFF; 11],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
        ] {
            assert_eq!(take_varint(&mut &wrong[..]), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_and_bytes_come_back(value: i64, bytes: Vec<u8>) {
            let mut written = Vec::new();
            put_varint(&mut written, value);
            let mut rest = written.as_slice();
            prop_assert_eq!(take_varint(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
            prop_assert_eq!(from_base32(&base32(&bytes)), Some(bytes));
        }

        #[test]
        fn a_value_has_one_spelling(text in "[a-z2-7]{0,20}") {
            if let Some(bytes) = from_base32(&text) {
                prop_assert_eq!(base32(&bytes), text);
            }
        }
    }
}
