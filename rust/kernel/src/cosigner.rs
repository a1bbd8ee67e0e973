//! ML-DSA-44 (FIPS 204): what cosigners say of checkpoints, also against quantum computers.
//!
//! ```text
//! ξ                     32 random bytes: the secret, and the only part of it that is kept
//! ρ, ρ', K            = SHAKE256(ξ ‖ 4 ‖ 4)                                   Algorithm 6
//! A = ExpandA(ρ)      s1, s2 = ExpandS(ρ')      (t1, t0) = Power2Round(A·s1 + s2)
//! public              = ρ32 ‖ t1                                             1312 bytes
//!
//! μ                   = SHAKE256(SHAKE256(public)[:64] ‖ 0 ‖ 0 ‖ message)[:64] Algorithms 2, 7
//! y                   = ExpandMask(SHAKE256(K ‖ rnd ‖ μ)[:64], attempt)
//! c~                  = SHAKE256(μ ‖ HighBits(A·y))[:32]        c = SampleInBall(c~)
//! z                   = y + c·s1        h = hint for A·z - c·t1·2^13; again until all are small
//! signature           = c~32 ‖ z2304 ‖ h84                                    2420 bytes
//!
//! holds               : z small, h canonical, c~ = SHAKE256(μ ‖ UseHint(h, A·z - c·t1·2^13))[:32]
//! ```
//!
//! The "pure" variant, with an empty context: the two zeros before the message. What a message is
//! for, and on which network, stands in the message itself.
//!
//! Signing is FIPS 204's hedged variant: the mask y comes from the secret K, 32 fresh random bytes
//! `rnd` and the message together. Bad randomness alone neither repeats nor reveals a mask.
//!
//! Between signatures only ξ is in memory. Each signature expands it anew and erases what it
//! expanded, which costs a fifth of its time.

use fips204::ml_dsa_44::{KG, PublicKey};
use fips204::traits::{KeyGen, SerDes, Signer, Verifier};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::random;
use crate::sealing::Sealable;

/// Bytes of a public key.
pub const PUBLIC_SIZE: usize = 1312;

/// Bytes of a signature.
pub const SIGNATURE_SIZE: usize = 2420;

const EMPTY_CONTEXT: &[u8] = &[];

/// A cosigner's ML-DSA-44 secret ξ, with its public key.
pub struct CosignerKey {
    seed: Zeroizing<[u8; 32]>,
    public: Box<[u8; PUBLIC_SIZE]>,
}

impl CosignerKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self> {
        random::bytes().map(CosignerKey::from_seed)
    }

    fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        let (public, _) = KG::keygen_from_seed(&seed);
        CosignerKey { seed, public: Box::new(public.into_bytes()) }
    }

    /// The public key.
    pub fn public(&self) -> &[u8; PUBLIC_SIZE] {
        &self.public
    }

    /// Signs a message of any length.
    ///
    /// Fails without randomness and, with a probability of about 2^-256, if none of the attempts
    /// that FIPS 204 allows gives a small enough signature. Other randomness helps in both cases,
    /// so they have one code.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_SIZE]> {
        let fresh = random::bytes::<32>()?;
        let (_, expanded) = KG::keygen_from_seed(&self.seed);
        expanded
            .try_sign_with_seed(&fresh, message, EMPTY_CONTEXT)
            .map_err(|_| Error::new(Code::RandomnessUnavailable, "no attempt gave a signature"))
    }
}

/// Verifies one signature. Every 1312 bytes are somebody's key; what is wrong is the signature.
pub fn verify(
    public: &[u8; PUBLIC_SIZE],
    message: &[u8],
    signature: &[u8; SIGNATURE_SIZE],
) -> Result<()> {
    let public = PublicKey::try_from_bytes(*public).map_err(|_| REFUSED)?;
    if public.verify(message, signature, EMPTY_CONTEXT) { Ok(()) } else { Err(REFUSED) }
}

const REFUSED: Error = Error::new(Code::SignatureInvalid, "the cosignature does not hold");

impl Sealable for CosignerKey {
    const KIND: &'static str = "cosigner-key";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.seed.to_vec())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        let seed = bytes
            .try_into()
            .map_err(|_| Error::new(Code::SizeInvalid, "a secret of the wrong length"))?;
        Ok(CosignerKey::from_seed(Zeroizing::new(seed)))
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::institution::InstitutionKey;
    use crate::sealing::SealingKey;

    /// NIST, ACVP-Server, ML-DSA-keyGen-FIPS204, ML-DSA-44, tests 1 to 3: the seed, and SHA-256 of
    /// the public key. The whole keys are in tests/vectors/cosigner.json.
    const PUBLISHED: [(&str, &str); 3] = [
        (
            "7194b13c95231010afd2c909992bd2003ba6f437c3886bdbe3f6b867a14ba161",
            "838b88b6ac41e2c60698173e08ca173d0b0d2839205806e56a8a3d53195f3a03",
        ),
        (
            "2ebe5a4123398dfbcd5bdf0a42ebdd03112be3bc88a6e9b78d93120ab8d0120e",
            "366cdfa62052438e03a4bb70e8aaa2c31c535584ef83a926b4efa1796605dacb",
        ),
        (
            "2aa7609556919cce9893561bb4120cdd9cff12734267a8ccb4b2d2ca93066e1e",
            "075ff22d7358e8548b4c2b59681b86e790f1ef2ef4a651d977d91264b06cfcc3",
        ),
    ];

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn from_hexadecimal(text: &str) -> [u8; 32] {
        std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
    }

    fn code(result: Result<()>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn published_seeds_give_the_published_keys() {
        for (seed, digest) in PUBLISHED {
            let key = CosignerKey::from_seed(Zeroizing::new(from_hexadecimal(seed)));
            assert_eq!(hexadecimal(&Sha256::digest(key.public())), digest);
        }
    }

    #[test]
    fn signs_and_verifies() {
        let (key, other) = (CosignerKey::generate().unwrap(), CosignerKey::generate().unwrap());
        assert_ne!(key.public(), other.public());
        for message in [&b""[..], b"message", &[7; 100_000]] {
            let signature = key.sign(message).unwrap();
            assert_eq!(verify(key.public(), message, &signature), Ok(()));
            let refused = Some(Code::SignatureInvalid);
            assert_eq!(code(verify(key.public(), b"another", &signature)), refused);
            assert_eq!(code(verify(other.public(), message, &signature)), refused);
        }
    }

    #[test]
    fn a_changed_bit_is_refused_wherever_it_is() {
        let key = CosignerKey::generate().unwrap();
        let signature = key.sign(b"message").unwrap();
        // One bit of every byte, and of the hint, whose encoding has rules of its own, every bit.
        for bit in (0..2336).map(|byte| byte * 8 + byte % 8).chain(2336 * 8..SIGNATURE_SIZE * 8) {
            let mut wrong = signature;
            wrong[bit / 8] ^= 1 << (bit % 8);
            let refused = code(verify(key.public(), b"message", &wrong));
            assert_eq!(refused, Some(Code::SignatureInvalid), "{bit}");
        }
        for byte in 0..PUBLIC_SIZE {
            let mut wrong = *key.public();
            wrong[byte] ^= 1;
            let refused = code(verify(&wrong, b"message", &signature));
            assert_eq!(refused, Some(Code::SignatureInvalid), "{byte}");
        }
    }

    #[test]
    fn signing_is_hedged() {
        let key = CosignerKey::generate().unwrap();
        assert_ne!(key.sign(b"message").unwrap(), key.sign(b"message").unwrap());
        // Other randomness, or another message with the same: another mask, another challenge.
        let (_, expanded) = KG::keygen_from_seed(&key.seed);
        let sign = |rnd: u8, message: &[u8]| {
            expanded.try_sign_with_seed(&[rnd; 32], message, EMPTY_CONTEXT).unwrap()
        };
        assert_eq!(sign(0, b"message"), sign(0, b"message"));
        assert_ne!(sign(0, b"message")[..32], sign(1, b"message")[..32]);
        assert_ne!(sign(0, b"message")[..32], sign(0, b"another")[..32]);
    }

    #[test]
    fn seals_and_opens_as_itself_only() {
        let (sealing, key) = (SealingKey::generate().unwrap(), CosignerKey::generate().unwrap());
        let sealed = sealing.seal_secret(&key, b"aad").unwrap();
        let opened: CosignerKey = sealing.open_secret(&sealed, b"aad").unwrap();
        assert_eq!(opened.public(), key.public());
        assert!(sealing.open_secret::<InstitutionKey>(&sealed, b"aad").is_err());
        assert!(sealing.open_secret::<CosignerKey>(&sealed, b"").is_err());
        assert!(sealing.open(&sealed, b"aad").is_err());
        let institution = InstitutionKey::generate().unwrap();
        let sealed = sealing.seal_secret(&institution, b"aad").unwrap();
        assert!(sealing.open_secret::<CosignerKey>(&sealed, b"aad").is_err());
        assert!(CosignerKey::from_secret_bytes(&[0; 31]).is_err());
    }
}
