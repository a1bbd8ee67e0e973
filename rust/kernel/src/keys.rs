//! From the phrase to the keys.
//!
//! ```text
//! seed = BIP-39(phrase, "")                              64 bytes
//! a_i  = Hs("view-key",  seed ‖ i)      A_i = a_i·G
//! b_i  = Hs("spend-key", seed ‖ i)      B_i = b_i·G
//! w_i  = H("wallet-secret", seed ‖ i)
//! anchor = H("anchor", w ‖ 32 random bytes ‖ first input's ref ‖ output index u32)[:16]
//! scan key: x random                    V = x·G
//! ```
//!
//! The branches are hashes of the seed, so knowing one tells nothing of another.

use bip39::{Language, Mnemonic};
use curve25519_dalek::Scalar;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::group::{Point, commit, decode_scalar, times_blinding};
use crate::hashing::{Tag, hash, hash_to_scalar};
use crate::institution::InstitutionKey;
use crate::layout::field;
use crate::random;
use crate::schnorr::{SIGNATURE_SIZE, SigningKey};
use crate::sealing::Sealable;

const SIZE: Error = Error::new(Code::SizeInvalid, "a secret of the wrong length");

/// A secret scalar with its public point: the shape of view, spend and scan keys.
struct SecretScalar {
    secret: Zeroizing<Scalar>,
    public: Point,
}

impl SecretScalar {
    fn new(secret: Zeroizing<Scalar>) -> Result<Self> {
        let public = Point::new(times_blinding(&secret))?;
        Ok(SecretScalar { secret, public })
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.as_bytes().to_vec())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bytes = Zeroizing::new(bytes.try_into().map_err(|_| SIZE)?);
        SecretScalar::new(Zeroizing::new(decode_scalar(&bytes)?))
    }
}

/// A BIP-39 phrase, its seed and the branches of it.
pub struct KeyTree {
    phrase: Mnemonic,
    seed: Zeroizing<[u8; 64]>,
}

impl KeyTree {
    /// A new phrase of 24 words.
    pub fn generate() -> Result<Self> {
        KeyTree::from_secret_bytes(&*random::bytes::<32>()?)
    }

    /// A phrase of 12, 15, 18, 21 or 24 English words.
    pub fn from_phrase(phrase: &str) -> Result<Self> {
        Mnemonic::parse_in(Language::English, phrase).map(KeyTree::new).map_err(|_| {
            Error::new(Code::PhraseInvalid, "not a BIP-39 phrase of 12 to 24 English words")
        })
    }

    fn new(phrase: Mnemonic) -> Self {
        let seed = Zeroizing::new(phrase.to_seed_normalized(""));
        KeyTree { phrase, seed }
    }

    /// The words, for the owner's eyes.
    pub fn phrase(&self) -> Zeroizing<String> {
        Zeroizing::new(self.phrase.to_string())
    }

    /// a_i.
    pub fn view_key(&self, subwallet: u32) -> Result<ViewKey> {
        self.branch("view-key", subwallet).map(ViewKey)
    }

    /// b_i.
    pub fn spend_key(&self, subwallet: u32) -> Result<SpendKey> {
        self.branch("spend-key", subwallet).map(SpendKey)
    }

    /// w_i.
    pub fn wallet_secret(&self, subwallet: u32) -> WalletSecret {
        let fields: [&[u8]; 2] = [&*self.seed, &subwallet.to_le_bytes()];
        WalletSecret(Zeroizing::new(hash(Tag::own("wallet-secret"), &fields)))
    }

    fn branch(&self, tag: &'static str, subwallet: u32) -> Result<SecretScalar> {
        let fields: [&[u8]; 2] = [&*self.seed, &subwallet.to_le_bytes()];
        SecretScalar::new(hash_to_scalar(Tag::own(tag), &fields))
    }
}

impl Sealable for KeyTree {
    const KIND: &'static str = "key-tree";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.phrase.to_entropy())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        Mnemonic::from_entropy_in(Language::English, bytes).map(KeyTree::new).map_err(|_| SIZE)
    }
}

/// a: finds and opens what was paid to an address; cannot spend.
pub struct ViewKey(SecretScalar);

impl ViewKey {
    /// A = a·G.
    pub fn public(&self) -> &Point {
        &self.0.public
    }

    pub(crate) fn secret(&self) -> &Scalar {
        &self.0.secret
    }
}

/// b: spends.
pub struct SpendKey(SecretScalar);

impl SpendKey {
    /// B = b·G.
    pub fn public(&self) -> &Point {
        &self.0.public
    }

    /// Signs a message of 32 bytes with b: that an address is its owner's.
    pub fn sign(&self, message: &[u8; 32]) -> Result<[u8; SIGNATURE_SIZE]> {
        Ok(SigningKey::from_scalar(&self.0.secret)?.sign(message))
    }

    pub(crate) fn secret(&self) -> &Scalar {
        &self.0.secret
    }
}

/// x: a participant's key for finding its clients' outputs.
pub struct ScanKey(SecretScalar);

impl ScanKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self> {
        SecretScalar::new(random::scalar()?).map(ScanKey)
    }

    /// V = x·G.
    pub fn public(&self) -> &Point {
        &self.0.public
    }

    pub(crate) fn secret(&self) -> &Scalar {
        &self.0.secret
    }
}

/// w: hedges the anchors of a wallet's outputs, and nothing else.
pub struct WalletSecret(Zeroizing<[u8; 32]>);

impl WalletSecret {
    /// A fresh anchor, unguessable as long as either w or the randomness is.
    pub fn anchor(&self, first_input: &[u8; 32], index: u32) -> Result<[u8; 16]> {
        let fresh = random::bytes::<32>()?;
        let fields: [&[u8]; 4] = [&*self.0, &*fresh, first_input, &index.to_le_bytes()];
        Ok(field::<0, 16, 32>(&hash(Tag::own("anchor"), &fields)))
    }
}

/// m of one output.
#[derive(Clone)]
pub struct Mask(pub(crate) Zeroizing<Scalar>);

impl Mask {
    /// A random mask.
    pub fn generate() -> Result<Self> {
        random::scalar().map(Mask)
    }

    /// C = v·H + m·G.
    pub fn commit(&self, value: u64) -> Result<Point> {
        Point::new(commit(value, &self.0))
    }
}

macro_rules! sealable_scalar {
    ($($name:ident, $kind:literal;)*) => {$(
        impl Sealable for $name {
            const KIND: &'static str = $kind;

            fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
                self.0.to_bytes()
            }

            fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
                SecretScalar::from_bytes(bytes).map($name)
            }
        }
    )*};
}

sealable_scalar! {
    ViewKey, "view-key";
    SpendKey, "spend-key";
    ScanKey, "scan-key";
}

impl Sealable for WalletSecret {
    const KIND: &'static str = "wallet-secret";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(WalletSecret(Zeroizing::new(bytes.try_into().map_err(|_| SIZE)?)))
    }
}

impl Sealable for SigningKey {
    const KIND: &'static str = "signing-key";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(SigningKey::secret_bytes(self).to_vec())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        SigningKey::from_scalar(&SecretScalar::from_bytes(bytes)?.secret)
    }
}

impl Sealable for InstitutionKey {
    const KIND: &'static str = "institution-key";

    fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.seed().to_vec())
    }

    fn from_secret_bytes(bytes: &[u8]) -> Result<Self> {
        let seed = Zeroizing::new(bytes.try_into().map_err(|_| SIZE)?);
        Ok(InstitutionKey::from_seed(&seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::SealingKey;

    const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank \
                          yellow";

    #[test]
    fn branches_are_repeatable_and_differ() {
        let tree = KeyTree::from_phrase(PHRASE).unwrap();
        let again = KeyTree::from_phrase(&tree.phrase()).unwrap();
        let mut seen = vec![];
        for i in [0, 1, u32::MAX] {
            let (view, spend) = (tree.view_key(i).unwrap(), tree.spend_key(i).unwrap());
            assert_eq!(view.public().to_bytes(), again.view_key(i).unwrap().public().to_bytes());
            assert_eq!(*tree.wallet_secret(i).0, *again.wallet_secret(i).0);
            seen.extend([view.public().to_bytes(), spend.public().to_bytes()]);
            seen.push(*tree.wallet_secret(i).0);
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn the_seed_is_that_of_bip_39() {
        // The list in the standard has the passphrase "TREZOR"; ours is empty, so the seed here is
        // computed by the library, and the phrase and branch formula are checked against it.
        let tree = KeyTree::from_phrase(PHRASE).unwrap();
        let seed = Mnemonic::parse(PHRASE).unwrap().to_seed("");
        let a = hash_to_scalar(Tag::own("view-key"), &[&seed, &3u32.to_le_bytes()]);
        assert_eq!(*tree.view_key(3).unwrap().secret(), *a);
        assert_eq!(tree.phrase().as_str(), PHRASE);
        let words = KeyTree::generate().unwrap().phrase().split(' ').count();
        assert_eq!(words, 24);
    }

    #[test]
    fn phrases_are_checked() {
        let long = ["legal"; 24].join(" ");
        let swapped = PHRASE.replace("yellow", "year");
        for bad in ["", "legal", &long, &swapped, &PHRASE.to_uppercase()] {
            let refused = KeyTree::from_phrase(bad).map(|_| ()).map_err(|e| e.code());
            assert_eq!(refused, Err(Code::PhraseInvalid), "{bad}");
        }
    }

    #[test]
    fn every_kind_of_secret_seals_and_opens_as_itself_only() {
        let key = SealingKey::generate().unwrap();
        let tree = KeyTree::from_phrase(PHRASE).unwrap();
        let view = tree.view_key(0).unwrap();
        let sealed = key.seal_secret(&view, b"aad").unwrap();
        let opened: ViewKey = key.open_secret(&sealed, b"aad").unwrap();
        assert_eq!(opened.public().to_bytes(), view.public().to_bytes());
        assert!(key.open_secret::<SpendKey>(&sealed, b"aad").is_err());
        assert!(key.open_secret::<ScanKey>(&sealed, b"aad").is_err());
        assert!(key.open_secret::<SigningKey>(&sealed, b"aad").is_err());
        assert!(key.open_secret::<ViewKey>(&sealed, b"").is_err());
        assert!(key.open(&sealed, b"aad").is_err());

        let opened: KeyTree = key.open_secret(&key.seal_secret(&tree, b"").unwrap(), b"").unwrap();
        assert_eq!(*opened.phrase(), *tree.phrase());
        let secret = tree.wallet_secret(1);
        let opened: WalletSecret =
            key.open_secret(&key.seal_secret(&secret, b"").unwrap(), b"").unwrap();
        assert_eq!(*opened.0, *secret.0);
        let signing = SigningKey::generate().unwrap();
        let opened: SigningKey =
            key.open_secret(&key.seal_secret(&signing, b"").unwrap(), b"").unwrap();
        assert_eq!(opened.public().to_bytes(), signing.public().to_bytes());
        let institution = InstitutionKey::generate().unwrap();
        let opened: InstitutionKey =
            key.open_secret(&key.seal_secret(&institution, b"").unwrap(), b"").unwrap();
        assert_eq!(opened.public(), institution.public());
    }

    #[test]
    fn anchors_are_fresh() {
        let secret = KeyTree::generate().unwrap().wallet_secret(0);
        assert_ne!(secret.anchor(&[0; 32], 0), secret.anchor(&[0; 32], 0));
    }
}
