//! Sealing at rest.
//!
//! ```text
//! key    = Argon2id(passphrase, salt; memory, passes, lanes), 32 bytes     or 32 random bytes
//! aad'   = "specie/v1/sealed/" ‖ kind ‖ 0x00 ‖ aad
//! sealed = nonce24 ‖ XChaCha20-Poly1305(key, nonce24, aad', plain)
//! ```
//!
//! Keys rotate: K₁ seals, and K₂ … Kₙ, which were before it, open what they have sealed:
//!
//! ```text
//! seal(K₁ … Kₙ) = seal(K₁)        open(K₁ … Kₙ) = the one open(Kᵢ) that succeeds; all are tried
//! ```
//!
//! The kind stands in the authenticated data, so a sealed spend key opens as a spend key and as
//! nothing else: above all not as plain bytes.

use std::slice;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Code, Error, Result};
use crate::random;

/// Bytes that sealing adds: nonce and tag.
pub const OVERHEAD: usize = NONCE_SIZE + 16;

const NONCE_SIZE: usize = 24;
const MEMORY_KIB_MAX: u32 = 4 << 20;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 16;
const SALT_SIZES: std::ops::RangeInclusive<usize> = 8..=64;

const REFUSED: Error = Error::new(Code::SealedInvalid, "this key and context do not open it");
const PARAMETERS: Error =
    Error::new(Code::SealingParametersInvalid, "Argon2id parameters outside the limits");

/// A secret that can be sealed.
pub trait Sealable: Sized {
    /// What it is; part of the authenticated data.
    const KIND: &'static str;

    /// The bytes to seal.
    fn secret_bytes(&self) -> Zeroizing<Vec<u8>>;

    /// The secret again, from opened bytes.
    fn from_secret_bytes(bytes: &[u8]) -> Result<Self>;
}

/// A key for sealing at rest, with those before it.
pub struct SealingKey {
    newest: Zeroizing<[u8; 32]>,
    older: Vec<Zeroizing<[u8; 32]>>,
}

impl SealingKey {
    /// The key of a passphrase, by Argon2id version 1.3.
    pub fn derive(
        passphrase: &[u8],
        salt: &[u8],
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    ) -> Result<Self> {
        let bounded = memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX && lanes <= LANES_MAX;
        if !bounded || !SALT_SIZES.contains(&salt.len()) {
            return Err(PARAMETERS);
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| PARAMETERS)?;
        let mut blocks = take_memory(params.block_count())?;
        let mut key = Zeroizing::new([0; 32]);
        let filled = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, key.as_mut_slice(), &mut blocks);
        blocks.iter_mut().for_each(Zeroize::zeroize);
        filled.map_err(|_| PARAMETERS)?;
        Ok(SealingKey::new(key))
    }

    /// A random key.
    pub fn generate() -> Result<Self> {
        Ok(SealingKey::new(random::bytes()?))
    }

    fn new(newest: Zeroizing<[u8; 32]>) -> Self {
        SealingKey { newest, older: Vec::new() }
    }

    /// Seals as this key, and opens what either has sealed. Sealed itself, it is this key alone.
    pub fn with_older(&self, older: &SealingKey) -> Self {
        let before = [&self.older, slice::from_ref(&older.newest), &older.older].concat();
        SealingKey { newest: self.newest.clone(), older: before }
    }

    /// Seals plain bytes.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>> {
        self.seal_as("bytes", plain, aad)
    }

    /// Opens what [`SealingKey::seal`] made.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.open_as("bytes", sealed, aad)
    }

    /// Seals a secret.
    pub fn seal_secret<S: Sealable>(&self, secret: &S, aad: &[u8]) -> Result<Vec<u8>> {
        self.seal_as(S::KIND, &secret.secret_bytes(), aad)
    }

    /// Opens a secret of one kind.
    pub fn open_secret<S: Sealable>(&self, sealed: &[u8], aad: &[u8]) -> Result<S> {
        S::from_secret_bytes(&self.open_as(S::KIND, sealed, aad)?).map_err(|_| REFUSED)
    }

    fn seal_as(&self, kind: &str, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::bytes::<NONCE_SIZE>()?;
        let payload = Payload { msg: plain, aad: &framed(kind, aad) };
        let sealed = cipher(&self.newest)
            .encrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| Error::new(Code::SizeInvalid, "too long to seal"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_as(&self, kind: &str, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_SIZE>().ok_or(REFUSED)?;
        let framed = framed(kind, aad);
        let open = |key: &Zeroizing<[u8; 32]>| {
            let payload = Payload { msg: sealed, aad: &framed };
            cipher(key).decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
        };
        // all are tried, so that the time does not tell which of them it was
        let plain = open(&self.newest);
        self.older.iter().map(open).fold(plain, Option::or).ok_or(REFUSED)
    }
}

impl Sealable for SealingKey {
    const KIND: &'static str = "sealing-key";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.newest.to_vec())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(SealingKey::new(Zeroizing::new(bytes.try_into().map_err(|_| REFUSED)?)))
    }
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

fn framed(kind: &str, aad: &[u8]) -> Vec<u8> {
    [b"specie/v1/sealed/", kind.as_bytes(), &[0], aad].concat()
}

/// Memory for Argon2id, asked for so that a refusal is an error and not an abort.
fn take_memory(count: usize) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    blocks
        .try_reserve_exact(count)
        .map_err(|_| Error::new(Code::MemoryUnavailable, "not enough memory for Argon2id"))?;
    blocks.resize(count, Block::default());
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn round_trip_and_refusals() {
        let key = SealingKey::generate().unwrap();
        let sealed = key.seal(b"plain", b"context").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(key.open(&sealed, b"context").unwrap().as_slice(), b"plain");
        assert_ne!(sealed, key.seal(b"plain", b"context").unwrap());
        assert_eq!(code(key.open(&sealed, b"other")), Some(Code::SealedInvalid));
        let other = SealingKey::generate().unwrap();
        assert_eq!(code(other.open(&sealed, b"context")), Some(Code::SealedInvalid));
        for length in 0..sealed.len() {
            assert_eq!(code(key.open(&sealed[..length], b"context")), Some(Code::SealedInvalid));
        }
        for bit in 0..sealed.len() * 8 {
            let mut wrong = sealed.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(key.open(&wrong, b"context")), Some(Code::SealedInvalid));
        }
    }

    #[test]
    fn a_sealed_secret_does_not_open_as_bytes() {
        let key = SealingKey::generate().unwrap();
        let inner = SealingKey::generate().unwrap();
        let sealed = key.seal_secret(&inner, b"").unwrap();
        let again: SealingKey = key.open_secret(&sealed, b"").unwrap();
        assert_eq!(again.newest, inner.newest);
        assert_eq!(code(key.open(&sealed, b"")), Some(Code::SealedInvalid));
        let bytes = key.seal(&*inner.newest, b"").unwrap();
        assert_eq!(code(key.open_secret::<SealingKey>(&bytes, b"")), Some(Code::SealedInvalid));
    }

    #[test]
    fn older_keys_open_and_do_not_seal() {
        let keys: Vec<_> = (0..3).map(|_| SealingKey::generate().unwrap()).collect();
        let sealed: Vec<_> = keys.iter().map(|key| key.seal(b"plain", b"").unwrap()).collect();
        let ring = keys[2].with_older(&keys[1].with_older(&keys[0]));
        for one in &sealed {
            assert_eq!(ring.open(one, b"").unwrap().as_slice(), b"plain");
            assert_eq!(code(ring.open(one, b"x")), Some(Code::SealedInvalid));
        }
        let newest = ring.seal(b"plain", b"").unwrap();
        assert_eq!(keys[2].open(&newest, b"").unwrap().as_slice(), b"plain");
        assert_eq!(code(keys[1].open(&newest, b"")), Some(Code::SealedInvalid));
        assert_eq!(
            code(keys[2].with_older(&keys[1]).open(&sealed[0], b"")),
            Some(Code::SealedInvalid)
        );
        let inner: SealingKey =
            ring.open_secret(&ring.seal_secret(&ring, b"").unwrap(), b"").unwrap();
        assert_eq!(inner.newest, keys[2].newest);
        assert_eq!(inner.older.len(), 0);
    }

    #[test]
    fn derived_keys_are_repeatable_and_bounded() {
        let derive = |salt: &[u8], m, t, p| SealingKey::derive(b"words", salt, m, t, p);
        let a = derive(b"saltsalt", 64, 1, 1).unwrap();
        assert_eq!(a.newest, derive(b"saltsalt", 64, 1, 1).unwrap().newest);
        assert_ne!(a.newest, derive(b"saltsalu", 64, 1, 1).unwrap().newest);
        assert_ne!(a.newest, derive(b"saltsalt", 64, 2, 1).unwrap().newest);
        for (salt, m, t, p) in [
            (&b"short"[..], 64, 1, 1),
            (&[0; 65], 64, 1, 1),
            (b"saltsalt", 7, 1, 1),
            (b"saltsalt", 64, 0, 1),
            (b"saltsalt", 64, 1, 0),
            (b"saltsalt", 64, 65, 1),
            (b"saltsalt", 1024, 1, 17),
            (b"saltsalt", u32::MAX, 1, 1),
            (b"saltsalt", 16, 1, 16),
        ] {
            assert_eq!(code(derive(salt, m, t, p)), Some(Code::SealingParametersInvalid));
        }
    }
}
