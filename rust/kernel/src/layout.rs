//! Fixed-width records: fields are cut out at offsets the compiler checks.

use crate::error::{Code, Error, Result};

/// The `N` bytes of `record` that start at `AT`.
pub(crate) fn field<const AT: usize, const N: usize, const W: usize>(record: &[u8; W]) -> [u8; N] {
    const { assert!(AT + N <= W) };
    #[expect(clippy::indexing_slicing, reason = "bounds are checked at compile time above")]
    core::array::from_fn(|i| record[AT + i])
}

/// A counted list of records of `N` bytes, or `size_invalid` if bytes are left over.
pub(crate) fn records<const N: usize>(bytes: &[u8]) -> Result<&[[u8; N]]> {
    match bytes.as_chunks::<N>() {
        (records, []) => Ok(records),
        _ => Err(Error::new(Code::SizeInvalid, "not a whole number of records")),
    }
}

/// Writes fields one after the other into a fixed-width record.
pub(crate) struct Writer<const W: usize> {
    record: [u8; W],
    at: usize,
}

impl<const W: usize> Writer<W> {
    pub(crate) fn new() -> Self {
        Writer { record: [0; W], at: 0 }
    }

    /// Appends a field. Widths are constants, so a field too many is our own mistake.
    pub(crate) fn put(mut self, bytes: &[u8]) -> Self {
        let end = self.at + bytes.len();
        if let Some(field) = self.record.get_mut(self.at..end) {
            field.copy_from_slice(bytes);
        }
        self.at = end;
        self
    }

    /// The record, which must be full.
    pub(crate) fn done(self) -> [u8; W] {
        assert!(self.at == W, "a fixed-width record was not filled");
        self.record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_records() {
        let record = [1u8, 2, 3, 4, 5];
        assert_eq!(field::<1, 3, 5>(&record), [2, 3, 4]);
        assert_eq!(records::<2>(&record).map_err(|e| e.code()), Err(Code::SizeInvalid));
        assert_eq!(records::<5>(&record).map(<[_]>::len), Ok(1));
        assert_eq!(Writer::<3>::new().put(&[1]).put(&[2, 3]).done(), [1, 2, 3]);
    }
}
