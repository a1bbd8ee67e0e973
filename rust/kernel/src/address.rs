//! Bech32m (BIP-350) for addresses: `prefix ‖ "1" ‖ data ‖ checksum`.
//!
//! Ours are longer than the 90 characters for which the checksum guarantees its error detection;
//! the payload carries eight hash bytes of its own (page 01). Here is only the text form: one
//! spelling per payload, but for writing it all in upper case.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};

use crate::error::{Code, Error, Result};

const PREFIX_LENGTH_MAX: usize = 16;
/// Longest text the code is defined for.
const TEXT_LENGTH_MAX: usize = 1023;

const REFUSED: Error = Error::new(Code::AddressInvalid, "not a bech32m text of ours");

/// The text of a payload.
pub fn encode(prefix: &str, payload: &[u8]) -> Result<String> {
    let hrp = check_prefix(prefix)?;
    bech32::encode::<Bech32m>(hrp, payload)
        .map_err(|_| Error::new(Code::SizeInvalid, "the payload is too long"))
}

/// The prefix, in lower case, and the payload of a text.
pub fn decode(text: &str) -> Result<(String, Vec<u8>)> {
    if text.len() > TEXT_LENGTH_MAX {
        return Err(REFUSED);
    }
    let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| REFUSED)?;
    let prefix = checked.hrp().to_lowercase();
    let payload: Vec<u8> = checked.byte_iter().collect();
    // Padding bits would give one payload several spellings: only what we would write is read.
    if encode(&prefix, &payload).map_err(|_| REFUSED)? == text.to_ascii_lowercase() {
        Ok((prefix, payload))
    } else {
        Err(REFUSED)
    }
}

fn check_prefix(prefix: &str) -> Result<Hrp> {
    let sized = (1..=PREFIX_LENGTH_MAX).contains(&prefix.len());
    let plain = prefix.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let refused = Error::new(Code::AddressInvalid, "a prefix is 1 to 16 characters a-z, 0-9");
    if sized && plain { Hrp::parse(prefix).map_err(|_| refused) } else { Err(refused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_in_both_cases() {
        for length in [0, 1, 5, 77, 500] {
            let payload: Vec<u8> = (0..length).map(|i: u16| i.to_le_bytes()[0]).collect();
            let text = encode("test", &payload).unwrap();
            assert_eq!(decode(&text), Ok(("test".into(), payload.clone())));
            assert_eq!(decode(&text.to_uppercase()), Ok(("test".into(), payload)));
        }
    }

    #[test]
    fn an_address_of_ours_has_135_characters() {
        assert_eq!(encode("test", &[0; 77]).unwrap().len(), 135);
    }

    #[test]
    fn refusals() {
        let text = encode("test", &[1, 2, 3]).unwrap();
        let mut mixed = text.to_uppercase();
        mixed.replace_range(0..1, "t");
        let classic = bech32::encode::<bech32::Bech32>(Hrp::parse("test").unwrap(), &[1]).unwrap();
        let long = "q".repeat(2000);
        for bad in ["", "1", "test", "test1", &text[1..], &mixed, &classic, &long, "tést1qqqqqqq"]
        {
            assert!(decode(bad).is_err(), "{bad}");
        }
        for bad in ["", "T", "te st", "12345678901234567"] {
            assert!(encode(bad, &[1]).is_err(), "{bad}");
        }
        assert_eq!(encode("test", &[0; 700]).map_err(|e| e.code()), Err(Code::SizeInvalid));
    }

    #[test]
    fn padding_has_one_spelling() {
        use bech32::primitives::gf32::Fe32;
        use bech32::primitives::iter::Fe32IterExt;
        // One byte 0x00 is two symbols with two padding bits; set one of them.
        let hrp = Hrp::parse("test").unwrap();
        let symbols = [Fe32::Q, Fe32::P];
        let text: String = symbols.into_iter().with_checksum::<Bech32m>(&hrp).chars().collect();
        assert!(CheckedHrpstring::new::<Bech32m>(&text).is_ok());
        assert!(decode(&text).is_err());
    }
}
