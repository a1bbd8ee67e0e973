//! Ed25519 (RFC 8032): what institutions say. Always `verify_strict`, never in batches, because
//! single and batch verification accept different sets of signatures.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::random;

/// An institution's Ed25519 secret.
pub struct InstitutionKey(SigningKey);

impl InstitutionKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self> {
        Ok(InstitutionKey::from_seed(&*random::bytes::<32>()?))
    }

    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        InstitutionKey(SigningKey::from_bytes(seed))
    }

    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs a message of any length.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Verifies one signature, strictly: small-order keys and nonces are refused.
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<()> {
    let public = VerifyingKey::from_bytes(public)
        .map_err(|_| Error::new(Code::PointInvalid, "not an Ed25519 public key"))?;
    public
        .verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| Error::new(Code::SignatureInvalid, "the signature does not hold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_verifies() {
        let key = InstitutionKey::generate().unwrap();
        let signature = key.sign(b"message");
        assert_eq!(verify(&key.public(), b"message", &signature), Ok(()));
        let code = |r: Result<()>| r.map_err(|e| e.code());
        assert_eq!(code(verify(&key.public(), b"other", &signature)), Err(Code::SignatureInvalid));
        for bit in 0..512 {
            let mut wrong = signature;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&key.public(), b"message", &wrong).is_err());
        }
    }

    #[test]
    fn small_order_keys_are_refused() {
        // The identity as key and nonce with s = 0 holds under the lax equation for every message.
        let mut identity = [0u8; 32];
        identity[0] = 1;
        let mut signature = [0u8; 64];
        signature[0] = 1;
        assert!(verify(&identity, b"anything", &signature).is_err());
    }
}
