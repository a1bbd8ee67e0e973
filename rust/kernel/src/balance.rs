//! The key that proves a balance.
//!
//! ```text
//! o random (hedged),   k = Σm_out − Σm_in − o,   K = k·G
//! ΣC_out − ΣC_in − supply_change·H = K + o·G
//! ```
//!
//! o comes from a transcript over fresh randomness and all masks, so that it is unguessable, and
//! with it the published transaction id, as long as either of the two is.

use curve25519_dalek::Scalar;
use merlin::Transcript;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::keys::Mask;
use crate::random;
use crate::schnorr::SigningKey;

/// The kernel's key and the offset o of 32 bytes.
pub fn balance_key(out_masks: &[&Mask], in_masks: &[&Mask]) -> Result<(SigningKey, [u8; 32])> {
    let excess = Zeroizing::new(sum(out_masks) - sum(in_masks));
    let offset = draw_offset(out_masks, in_masks)?;
    let key = SigningKey::from_scalar(&Zeroizing::new(*excess - *offset))?;
    Ok((key, offset.to_bytes()))
}

fn sum(masks: &[&Mask]) -> Scalar {
    masks.iter().map(|mask| *mask.0).sum()
}

fn draw_offset(out_masks: &[&Mask], in_masks: &[&Mask]) -> Result<Zeroizing<Scalar>> {
    let mut transcript = Transcript::new(b"specie/v1/balance offset");
    transcript.append_message(b"randomness", random::bytes::<32>()?.as_slice());
    for mask in out_masks {
        transcript.append_message(b"out", mask.0.as_bytes());
    }
    for mask in in_masks {
        transcript.append_message(b"in", mask.0.as_bytes());
    }
    let mut wide = Zeroizing::new([0; 64]);
    transcript.challenge_bytes(b"offset", wide.as_mut_slice());
    Ok(Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::{decode_scalar, times_blinding};

    #[test]
    fn the_key_balances_and_the_offset_is_fresh() {
        let masks: Vec<Mask> = (0..4).map(|_| Mask::generate().unwrap()).collect();
        let (outs, ins) = ([&masks[0], &masks[1]], [&masks[2], &masks[3]]);
        let (key, offset) = balance_key(&outs, &ins).unwrap();
        let excess = sum(&outs) - sum(&ins);
        let offset_scalar = decode_scalar(&offset).unwrap();
        assert_eq!(
            times_blinding(&excess),
            key.public().as_point() + times_blinding(&offset_scalar)
        );
        assert_ne!(balance_key(&outs, &ins).unwrap().1, offset);
    }
}
