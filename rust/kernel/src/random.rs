//! The operating system's randomness, and scalars made from it.

use curve25519_dalek::Scalar;
use rand_core::{OsRng, RngCore};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// `N` bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
    let mut drawn = Zeroizing::new([0u8; N]);
    OsRng
        .try_fill_bytes(drawn.as_mut_slice())
        .map_err(|_| Error::new(Code::RandomnessUnavailable, "no randomness available"))?;
    Ok(drawn)
}

/// A uniform scalar, never zero.
pub(crate) fn scalar() -> Result<Zeroizing<Scalar>> {
    loop {
        let wide = bytes::<64>()?;
        let scalar = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
        if *scalar != Scalar::ZERO {
            return Ok(scalar);
        }
    }
}
