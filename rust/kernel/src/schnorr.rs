//! Schnorr signatures on ristretto255, those of schnorrkel 0.11.
//!
//! ```text
//! transcript = merlin("SigningContext"), "" ← "specie/v1", "sign-bytes" ← message (32 bytes)
//! c          = challenge(message, P, R)
//! s·G        = R + c·P          signature = R32 ‖ s32, top bit of the last byte set
//! nonce seed = H("nonce", x ‖ X)
//! ```
//!
//! The library draws its nonce from the transcript, the nonce seed and the operating system
//! together (`sign.rs`, `witness_scalar`): neither bad randomness nor a repeated message leaks x.
//! Its batch functions are never called: their weights do not bind s.

use std::sync::LazyLock;

use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity;
use schnorrkel::context::{SigningContext, SigningTranscript};
use schnorrkel::{Keypair, PublicKey, SecretKey, Signature};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::group::{Point, decode_scalar, times_blinding};
use crate::hashing::{Tag, hash};
use crate::layout::{Writer, field};
use crate::random;

/// Bytes of a signature.
pub const SIGNATURE_SIZE: usize = 64;
/// Bytes of a record `public32 ‖ message32 ‖ signature64`.
pub const RECORD_SIZE: usize = 128;

/// The library marks its signatures with the top bit of s, which a canonical scalar never has.
const MARKER: u8 = 0x80;

static CONTEXT: LazyLock<SigningContext> = LazyLock::new(|| SigningContext::new(b"specie/v1"));

/// A Schnorr secret: attestation keys, one-time owner keys, kernels.
pub struct SigningKey {
    pair: Keypair,
    public: Point,
}

impl SigningKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self> {
        SigningKey::from_scalar(&*random::scalar()?)
    }

    /// The key with this secret scalar; zero is refused because its public key is the identity.
    pub fn from_scalar(x: &Scalar) -> Result<Self> {
        let public = Point::new(times_blinding(x))?;
        let x_bytes = Zeroizing::new(x.to_bytes());
        let seed = Zeroizing::new(hash(Tag::own("nonce"), &[&*x_bytes, &public.to_bytes()]));
        let bytes = Zeroizing::new(Writer::<64>::new().put(&*x_bytes).put(&*seed).done());
        let secret = SecretKey::from_bytes(&*bytes)
            .map_err(|_| Error::new(Code::ScalarInvalid, "not a secret key"))?;
        let pair = Keypair { secret, public: PublicKey::from_point(*public.as_point()) };
        Ok(SigningKey { pair, public })
    }

    /// The library's own, for its other protocols.
    pub(crate) fn pair(&self) -> &Keypair {
        &self.pair
    }

    /// The secret scalar, for sealing.
    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        let both = Zeroizing::new(self.pair.secret.to_bytes());
        Zeroizing::new(field::<0, 32, 64>(&both))
    }

    /// X = x·G.
    pub fn public(&self) -> &Point {
        &self.public
    }

    /// Signs a message of 32 bytes.
    pub fn sign(&self, message: &[u8; 32]) -> [u8; SIGNATURE_SIZE] {
        self.pair.sign(CONTEXT.bytes(message)).to_bytes()
    }
}

/// A signature read from a record, as far as the equation `s·G = R + c·P` needs it.
pub struct Equation {
    /// R.
    pub nonce: Point,
    /// s.
    pub response: Scalar,
    /// c.
    pub challenge: Scalar,
}

/// A record `public32 ‖ message32 ‖ signature64`.
#[derive(Clone, Copy)]
pub struct Record<'a>(pub &'a [u8; RECORD_SIZE]);

impl Record<'_> {
    /// P as bytes, not decoded.
    pub fn public_bytes(&self) -> [u8; 32] {
        field::<0, 32, RECORD_SIZE>(self.0)
    }

    fn message(&self) -> [u8; 32] {
        field::<32, 32, RECORD_SIZE>(self.0)
    }

    fn signature(&self) -> [u8; SIGNATURE_SIZE] {
        field::<64, SIGNATURE_SIZE, RECORD_SIZE>(self.0)
    }

    /// Everything of the equation but P, which the caller decodes.
    pub fn equation(&self) -> Result<Equation> {
        let signature = self.signature();
        let nonce = Point::decode(&field::<0, 32, 64>(&signature))?;
        let mut s = field::<32, 32, 64>(&signature);
        if s[31] & MARKER == 0 {
            return Err(Error::new(Code::SignatureInvalid, "the marker of a signature is missing"));
        }
        s[31] ^= MARKER;
        let response = decode_scalar(&s)?;
        let public = CompressedRistretto(self.public_bytes());
        let challenge = challenge(&self.message(), &public, nonce.as_encoded());
        Ok(Equation { nonce, response, challenge })
    }

    /// Verifies this record alone, by the library's own code.
    pub fn verify(&self) -> Result<()> {
        verify(&self.public_bytes(), &self.message(), &self.signature())
    }
}

/// The challenge as the library computes it, through its own transcript trait.
fn challenge(
    message: &[u8; 32],
    public: &CompressedRistretto,
    nonce: &CompressedRistretto,
) -> Scalar {
    let mut transcript = CONTEXT.bytes(message);
    transcript.proto_name(b"Schnorr-sig");
    transcript.commit_point(b"sign:pk", public);
    transcript.commit_point(b"sign:R", nonce);
    transcript.challenge_scalar(b"sign:c")
}

/// Verifies one signature by the library's own code; refuses the identity as P and as R.
pub fn verify(
    public: &[u8; 32],
    message: &[u8; 32],
    signature: &[u8; SIGNATURE_SIZE],
) -> Result<()> {
    let refused = Error::new(Code::SignatureInvalid, "the signature does not hold");
    let public = PublicKey::from_compressed(CompressedRistretto(*public))
        .map_err(|_| Error::new(Code::PointInvalid, "not the canonical encoding of a point"))?;
    if public.as_point().is_identity() {
        return Err(Error::new(Code::IdentityPoint, "the identity is not a public key"));
    }
    // The library compares the encoding of R, so only the identity needs a check of its own.
    if field::<0, 32, SIGNATURE_SIZE>(signature) == [0; 32] {
        return Err(refused);
    }
    let signature = Signature::from_bytes(signature).map_err(|_| refused)?;
    public.verify(CONTEXT.bytes(message), &signature).map_err(|_| refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::blinding_generator;

    fn signed(message: &[u8; 32]) -> (SigningKey, [u8; RECORD_SIZE]) {
        let key = SigningKey::generate().unwrap();
        let public = key.public().to_bytes();
        let record = Writer::new().put(&public).put(message).put(&key.sign(message)).done();
        (key, record)
    }

    #[test]
    fn the_equation_is_the_librarys() {
        for i in 0..50 {
            let (key, record) = signed(&[i; 32]);
            let Equation { nonce, response, challenge } = Record(&record).equation().unwrap();
            let right = nonce.as_point() + key.public().as_point() * challenge;
            assert_eq!(blinding_generator() * response, right);
            assert_eq!(Record(&record).verify(), Ok(()));
        }
    }

    #[test]
    fn reading_and_the_library_refuse_the_same_bits() {
        let (key, record) = signed(&[1; 32]);
        for bit in 0..RECORD_SIZE * 8 {
            let mut wrong = record;
            wrong[bit / 8] ^= 1 << (bit % 8);
            let holds = Record(&wrong).equation().is_ok_and(|equation| {
                let right =
                    equation.nonce.as_point() + key.public().as_point() * equation.challenge;
                blinding_generator() * equation.response == right && bit >= 256
            });
            assert!(!holds && Record(&wrong).verify().is_err(), "bit {bit}");
        }
    }

    #[test]
    fn second_spellings_are_refused() {
        let (_, record) = signed(&[2; 32]);
        let mut signature = Record(&record).signature();
        // s + ℓ still fits below the marker.
        let mut carry = 0u16;
        let order = {
            let mut bytes = (-Scalar::ONE).to_bytes();
            bytes[0] += 1;
            bytes
        };
        signature[63] ^= MARKER;
        for (s, l) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*s) + u16::from(l) + carry;
            *s = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        signature[63] |= MARKER;
        let record = Writer::new().put(&record[..64]).put(&signature).done();
        assert_eq!(Record(&record).equation().err().map(|e| e.code()), Some(Code::ScalarInvalid));
        let refused = Record(&record).verify().map_err(|e| e.code());
        assert_eq!(refused, Err(Code::SignatureInvalid));
    }

    #[test]
    fn the_identity_is_refused_as_key_and_as_nonce() {
        // With P = 0 and R = s·G the equation holds for every message; so it does for R = 0 and
        // s = c·x. Neither is a signature.
        let s = Scalar::from(5u64);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&times_blinding(&s).compress().to_bytes());
        signature[32..].copy_from_slice(s.as_bytes());
        signature[63] |= MARKER;
        let refused = verify(&[0; 32], &[0; 32], &signature).map_err(|e| e.code());
        assert_eq!(refused, Err(Code::IdentityPoint));

        let x = Scalar::from(7u64);
        let public = times_blinding(&x).compress();
        let nonce = CompressedRistretto([0; 32]);
        let response = challenge(&[0; 32], &public, &nonce) * x;
        let mut signature = [0; 64];
        signature[32..].copy_from_slice(response.as_bytes());
        signature[63] |= MARKER;
        let library = PublicKey::from_compressed(public).unwrap();
        let parsed = Signature::from_bytes(&signature).unwrap();
        assert!(library.verify(CONTEXT.bytes(&[0; 32]), &parsed).is_ok(), "the library accepts it");
        let refused = verify(public.as_bytes(), &[0; 32], &signature).map_err(|e| e.code());
        assert_eq!(refused, Err(Code::SignatureInvalid));
        assert!(SigningKey::from_scalar(&Scalar::ZERO).is_err());
    }

    #[test]
    fn nonces_are_fresh_and_keys_repeatable() {
        let key = SigningKey::from_scalar(&Scalar::from(9u64)).unwrap();
        let again = SigningKey::from_scalar(&Scalar::from(9u64)).unwrap();
        assert_eq!(key.public().to_bytes(), again.public().to_bytes());
        assert_eq!(*key.secret_bytes(), Scalar::from(9u64).to_bytes());
        assert_ne!(key.sign(&[0; 32]), key.sign(&[0; 32]));
    }
}
