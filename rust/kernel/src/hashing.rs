//! Hashing with a tag.
//!
//! ```text
//! H(tag, fields)  = SHA-256("specie/v1/" ‖ tag ‖ 0x00 ‖ fields)
//! Hs(tag, fields) = SHA-512("specie/v1/" ‖ tag ‖ 0x00 ‖ fields) mod ℓ
//! ```

use curve25519_dalek::Scalar;
use rayon::prelude::*;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::cores::on_all_cores;
use crate::error::{Code, Error, Result};

const FRAME: &[u8] = b"specie/v1/";
const TAG_LENGTH_MAX: usize = 32;

/// Below this many records a second thread costs more than it saves.
const RECORDS_PER_TASK_MIN: usize = 256;

/// A tag that has been checked: 1 to 32 ASCII characters without 0x00.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a>(&'a str);

impl<'a> Tag<'a> {
    /// A tag from outside.
    pub fn new(tag: &'a str) -> Result<Self> {
        let sized = (1..=TAG_LENGTH_MAX).contains(&tag.len());
        if sized && tag.is_ascii() && !tag.contains('\0') {
            Ok(Tag(tag))
        } else {
            Err(Error::new(
                Code::TagInvalid,
                "a tag is 1 to 32 ASCII characters, none of them 0x00",
            ))
        }
    }

    /// A tag of our own.
    pub(crate) const fn own(tag: &'static str) -> Tag<'static> {
        Tag(tag)
    }

    fn frame<D: Digest>(self) -> D {
        D::new().chain_update(FRAME).chain_update(self.0).chain_update([0])
    }
}

/// `H(tag, fields)`; the fields are joined as they are.
pub fn hash(tag: Tag<'_>, fields: &[&[u8]]) -> [u8; 32] {
    let mut hasher: Sha256 = tag.frame();
    for field in fields {
        hasher.update(field);
    }
    hasher.finalize().into()
}

/// `Hs(tag, fields)`.
pub fn hash_to_scalar(tag: Tag<'_>, fields: &[&[u8]]) -> Zeroizing<Scalar> {
    let wide = hash_wide(tag, fields);
    Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// The 64 bytes before reduction, also what H (the value generator) is made from.
pub(crate) fn hash_wide(tag: Tag<'_>, fields: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut hasher: Sha512 = tag.frame();
    for field in fields {
        hasher.update(field);
    }
    Zeroizing::new(hasher.finalize().into())
}

/// `H(tag, record)` of each record of `width` bytes, on all cores.
pub fn hash_many(tag: Tag<'_>, records: &[u8], width: usize) -> Result<Vec<u8>> {
    if width == 0 || !records.len().is_multiple_of(width) {
        return Err(Error::new(Code::SizeInvalid, "not a whole number of records"));
    }
    let frame: Sha256 = tag.frame();
    let digests: Vec<[u8; 32]> = on_all_cores(|| {
        records
            .par_chunks_exact(width)
            .with_min_len(RECORDS_PER_TASK_MIN)
            .map(|record| frame.clone().chain_update(record).finalize().into())
            .collect()
    })?;
    Ok(digests.into_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_specified() {
        let expected: [u8; 32] = Sha256::digest(b"specie/v1/tx\0abc").into();
        assert_eq!(hash(Tag::own("tx"), &[b"a", b"bc"]), expected);
        let wide: [u8; 64] = Sha512::digest(b"specie/v1/owner\0abc").into();
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        assert_eq!(*hash_to_scalar(Tag::own("owner"), &[b"abc"]), scalar);
    }

    #[test]
    fn many_is_one_by_one() {
        let records: Vec<u8> = (0..3000u16).map(|i| i.to_le_bytes()[0]).collect();
        let tag = Tag::own("output");
        for width in [1, 3, 1000] {
            let one_by_one: Vec<u8> =
                records.chunks(width).flat_map(|record| hash(tag, &[record])).collect();
            assert_eq!(hash_many(tag, &records, width), Ok(one_by_one));
        }
        assert_eq!(hash_many(tag, &[], 7), Ok(vec![]));
        for width in [0, 7, 3001] {
            assert_eq!(
                hash_many(tag, &records, width).map_err(|e| e.code()),
                Err(Code::SizeInvalid)
            );
        }
    }

    #[test]
    fn tags_are_checked() {
        for bad in ["", "a\0b", "é", "123456789012345678901234567890123"] {
            assert_eq!(Tag::new(bad).map(|_| ()).map_err(|e| e.code()), Err(Code::TagInvalid));
        }
        assert!(Tag::new("12345678901234567890123456789012").is_ok());
    }
}
