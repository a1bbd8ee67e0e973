//! A verifiable random function on ristretto255, that of schnorrkel 0.11.
//!
//! ```text
//! t      = merlin("SigningContext"), "" ← "specie/v1/vrf", "sign-bytes" ← message (32 bytes)
//! t      : "vrf-nm-pk" ← P;  h = map(challenge "VRFHash", 64 bytes)
//! γ      = x·h                            one for each key and message, and nobody guesses it
//! d      = merlin("VRF"), "proto-name" ← "DLEQProof", "vrf:h" ← h, "vrf:R=g^r" ← R,
//!          "vrf:h^r" ← R', "vrf:pk" ← P, "vrf:h^sk" ← γ;  c = challenge "prove"
//! verify : R = c·P + s·G, R' = c·γ + s·h, then c is that of the transcript
//! value  = γ32 ‖ c32 ‖ s32
//! ```
//!
//! Who has the key says γ of a message and proves it; who has the public key verifies it; nobody
//! else can tell γ from random bytes, or name a second one for the same message.

use std::sync::LazyLock;

use schnorrkel::PublicKey;
use schnorrkel::context::SigningContext;
use schnorrkel::vrf::{VRFPreOut, VRFProof};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::group::Point;
use crate::layout::{Writer, field};
use crate::schnorr::SigningKey;
use crate::sealing::Sealable;

/// Bytes of γ ‖ proof.
pub const VALUE_SIZE: usize = 96;

static CONTEXT: LazyLock<SigningContext> = LazyLock::new(|| SigningContext::new(b"specie/v1/vrf"));

/// A secret of its own, used for nothing but this function.
pub struct VrfKey(SigningKey);

impl VrfKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self> {
        SigningKey::generate().map(VrfKey)
    }

    /// P.
    pub fn public(&self) -> &Point {
        self.0.public()
    }

    /// γ of a message of 32 bytes, and the proof of it.
    pub fn evaluate(&self, message: &[u8; 32]) -> [u8; VALUE_SIZE] {
        let (both, proof, _) = self.0.pair().vrf_sign(CONTEXT.bytes(message));
        Writer::new().put(both.as_output_bytes()).put(&proof.to_bytes()).done()
    }
}

impl Sealable for VrfKey {
    const KIND: &'static str = "vrf-key";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Sealable::secret_bytes(&self.0)
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        Sealable::from_secret_bytes(bytes).map(VrfKey)
    }
}

/// `proof_invalid` unless the first 32 bytes of the value are γ of this key and message; a key
/// that is no point, or the identity, has the codes of points.
pub fn verify(public: &[u8; 32], message: &[u8; 32], value: &[u8; VALUE_SIZE]) -> Result<()> {
    let refused = Error::new(Code::ProofInvalid, "not the value of this key and message");
    let point = Point::decode(public)?;
    let public = PublicKey::from_point(*point.as_point());
    let output = VRFPreOut(field::<0, 32, VALUE_SIZE>(value));
    let proof = VRFProof::from_bytes(&field::<32, 64, VALUE_SIZE>(value)).map_err(|_| refused)?;
    public.vrf_verify(CONTEXT.bytes(message), &output, &proof).map(|_| ()).map_err(|_| refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::SealingKey;

    fn code(result: Result<()>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn one_value_for_each_key_and_message() {
        let (key, other) = (VrfKey::generate().unwrap(), VrfKey::generate().unwrap());
        let public = key.public().to_bytes();
        let (first, again) = (key.evaluate(&[1; 32]), key.evaluate(&[1; 32]));
        assert_eq!(first[..32], again[..32]);
        assert_ne!(first[32..], again[32..], "the proof is hedged");
        for value in [&first, &again] {
            assert_eq!(verify(&public, &[1; 32], value), Ok(()));
        }
        assert_ne!(first[..32], key.evaluate(&[2; 32])[..32]);
        assert_ne!(first[..32], other.evaluate(&[1; 32])[..32]);
        assert_eq!(code(verify(&public, &[2; 32], &first)), Some(Code::ProofInvalid));
        let wrong = other.public().to_bytes();
        assert_eq!(code(verify(&wrong, &[1; 32], &first)), Some(Code::ProofInvalid));
        assert_eq!(code(verify(&[0; 32], &[1; 32], &first)), Some(Code::IdentityPoint));
        assert_eq!(code(verify(&[0xff; 32], &[1; 32], &first)), Some(Code::PointInvalid));
    }

    #[test]
    fn no_bit_may_change() {
        let key = VrfKey::generate().unwrap();
        let (public, value) = (key.public().to_bytes(), key.evaluate(&[3; 32]));
        for bit in 0..VALUE_SIZE * 8 {
            let mut wrong = value;
            wrong[bit / 8] ^= 1 << (bit % 8);
            let found = code(verify(&public, &[3; 32], &wrong));
            assert_eq!(found, Some(Code::ProofInvalid), "bit {bit}");
        }
    }

    #[test]
    fn it_seals_as_itself_only() {
        let (key, sealing) = (VrfKey::generate().unwrap(), SealingKey::generate().unwrap());
        let sealed = sealing.seal_secret(&key, b"").unwrap();
        let opened: VrfKey = sealing.open_secret(&sealed, b"").unwrap();
        assert_eq!(opened.public().to_bytes(), key.public().to_bytes());
        assert!(sealing.open_secret::<SigningKey>(&sealed, b"").is_err());
    }
}
