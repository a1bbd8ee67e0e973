//! One output: 414 bytes that are a function of its opening of 297 bytes.
//!
//! ```text
//! opening = A32 ‖ B32 ‖ bank u32 ‖ anchor16 ‖ v u64 ‖ kind u8 ‖ label u32
//!           ‖ lock32 ‖ expiry u64 ‖ memo160
//! core    = v u64 ‖ kind u8 ‖ label u32 ‖ bank u32 ‖ lock32 ‖ expiry u64
//! r       = Hs("ephemeral", anchor ‖ A ‖ B ‖ core ‖ memo)         R = r·G
//! s       = H("shared", r·A ‖ R ‖ A ‖ B)                          payee: a·R in place of r·A
//! t       = Hs("owner", s)                                        P = B + t·G
//! m       = Hs("mask", s)                                         C = v·H + m·G
//! tag     = H("tag", s)[0]
//! hint    = H("client", A ‖ B)[:8] ⊕ H("hint", r·V_bank)[:8]      bank: x·R in place of r·V_bank
//! audit   = s ⊕ H("audit", r·V_label) if label ≠ 0, else H("audit-pad", s)
//! terms   = H("terms", nonce ‖ kind u8 ‖ label u32 ‖ bank u32 ‖ lock32 ‖ expiry u64)
//! nonce   = H("terms-nonce", s)[:16]
//! sealed  = ChaCha20-Poly1305(key H("seal", s), nonce 0, aad R ‖ P ‖ C,
//!                             anchor ‖ v ‖ kind ‖ label ‖ lock ‖ expiry ‖ memo160)
//! output  = P32 ‖ R32 ‖ tag1 ‖ C32 ‖ hint8 ‖ audit32 ‖ terms32 ‖ sealed245
//! ```
//!
//! The ephemeral r is derived from the whole opening, so who opens an output recomputes every byte
//! of it. s follows from r, and r from everything that is sealed: the key H("seal", s) seals one
//! message only, which makes the zero nonce safe.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use curve25519_dalek::{RistrettoPoint, Scalar};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::group::{Point, times_blinding};
use crate::hashing::{Tag, hash, hash_to_scalar};
use crate::keys::{Mask, SpendKey, ViewKey};
use crate::layout::{Writer, field};
use crate::schnorr::SigningKey;

/// Bytes of every output.
pub const OUTPUT_SIZE: usize = 414;
/// Bytes of an opening.
pub const OPENING_SIZE: usize = 297;

const SEALED_SIZE: usize = 245;
const MEMO_SIZE: usize = 160;
/// What is sealed: the opening without A, B and bank, which the receiver knows.
const PLAIN_SIZE: usize = OPENING_SIZE - 68;

pub(crate) const MISMATCH: Error =
    Error::new(Code::OpeningMismatch, "the output is not what its opening says");

/// The fields of an opening that formulas use one by one.
pub struct Opening<'a> {
    bytes: &'a [u8; OPENING_SIZE],
}

impl<'a> Opening<'a> {
    /// Reads an opening; every byte string of this width is one.
    pub fn new(bytes: &'a [u8; OPENING_SIZE]) -> Self {
        Opening { bytes }
    }

    fn view_public(&self) -> [u8; 32] {
        field::<0, 32, OPENING_SIZE>(self.bytes)
    }

    fn spend_public(&self) -> [u8; 32] {
        field::<32, 32, OPENING_SIZE>(self.bytes)
    }

    fn bank(&self) -> [u8; 4] {
        field::<64, 4, OPENING_SIZE>(self.bytes)
    }

    fn anchor(&self) -> [u8; 16] {
        field::<68, 16, OPENING_SIZE>(self.bytes)
    }

    fn value(&self) -> [u8; 8] {
        field::<84, 8, OPENING_SIZE>(self.bytes)
    }

    /// kind ‖ label, which stand side by side everywhere.
    fn kind_label(&self) -> [u8; 5] {
        field::<92, 5, OPENING_SIZE>(self.bytes)
    }

    /// The number of the label, 0 for none.
    pub fn label(&self) -> u32 {
        u32::from_le_bytes(field::<93, 4, OPENING_SIZE>(self.bytes))
    }

    /// lock ‖ expiry.
    fn lock_expiry(&self) -> [u8; 40] {
        field::<97, 40, OPENING_SIZE>(self.bytes)
    }

    fn memo(&self) -> [u8; MEMO_SIZE] {
        field::<137, MEMO_SIZE, OPENING_SIZE>(self.bytes)
    }

    fn plain(&self) -> Zeroizing<[u8; PLAIN_SIZE]> {
        Zeroizing::new(field::<68, PLAIN_SIZE, OPENING_SIZE>(self.bytes))
    }

    fn ephemeral(&self) -> Zeroizing<Scalar> {
        let fields: [&[u8]; 8] = [
            &self.anchor(),
            &self.view_public(),
            &self.spend_public(),
            &self.value(),
            &self.kind_label(),
            &self.bank(),
            &self.lock_expiry(),
            &self.memo(),
        ];
        hash_to_scalar(Tag::own("ephemeral"), &fields)
    }
}

/// What an opening gives.
pub struct Derived {
    /// The output.
    pub output: [u8; OUTPUT_SIZE],
    /// m.
    pub mask: Mask,
    /// The nonce in the preimage of `terms`.
    pub terms_nonce: [u8; 16],
}

/// s, known to payer, payee and the payee's bank, and what is hashed from it.
pub(crate) struct Shared(Zeroizing<[u8; 32]>);

impl Shared {
    /// From the Diffie-Hellman point r·A = a·R.
    pub(crate) fn new(dh: &RistrettoPoint, r: &[u8; 32], a: &[u8; 32], b: &[u8; 32]) -> Self {
        let dh = Zeroizing::new(dh.compress().to_bytes());
        Shared(Zeroizing::new(hash(Tag::own("shared"), &[&*dh, r, a, b])))
    }

    fn hash(&self, tag: &'static str) -> [u8; 32] {
        hash(Tag::own(tag), &[&*self.0])
    }

    pub(crate) fn tag(&self) -> u8 {
        self.hash("tag")[0]
    }

    /// t.
    pub(crate) fn owner_scalar(&self) -> Zeroizing<Scalar> {
        hash_to_scalar(Tag::own("owner"), &[&*self.0])
    }

    /// P = B + t·G.
    pub(crate) fn owner(&self, spend_public: &Point) -> RistrettoPoint {
        spend_public.as_point() + times_blinding(&self.owner_scalar())
    }

    fn mask(&self) -> Mask {
        Mask(hash_to_scalar(Tag::own("mask"), &[&*self.0]))
    }

    fn terms_nonce(&self) -> [u8; 16] {
        field::<0, 16, 32>(&self.hash("terms-nonce"))
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let key = Zeroizing::new(self.hash("seal"));
        let key: &[u8; 32] = &key;
        ChaCha20Poly1305::new(key.into())
    }
}

/// The fields of an output that a receiver reads.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a>(pub(crate) &'a [u8; OUTPUT_SIZE]);

impl Output<'_> {
    pub(crate) fn owner(&self) -> [u8; 32] {
        field::<0, 32, OUTPUT_SIZE>(self.0)
    }

    pub(crate) fn ephemeral(&self) -> [u8; 32] {
        field::<32, 32, OUTPUT_SIZE>(self.0)
    }

    pub(crate) fn tag(&self) -> u8 {
        self.0[64]
    }

    pub(crate) fn hint(&self) -> [u8; 8] {
        field::<97, 8, OUTPUT_SIZE>(self.0)
    }

    /// Opens `sealed` and puts the whole opening together. It still has to be rebuilt and compared.
    pub(crate) fn open(
        &self,
        shared: &Shared,
        a: &[u8; 32],
        b: &[u8; 32],
        bank: u32,
    ) -> Result<[u8; OPENING_SIZE]> {
        let sealed = field::<169, SEALED_SIZE, OUTPUT_SIZE>(self.0);
        let commitment = field::<65, 32, OUTPUT_SIZE>(self.0);
        let aad = [self.ephemeral(), self.owner(), commitment].concat();
        let payload = Payload { msg: &sealed, aad: &aad };
        let plain = shared.cipher().decrypt(&Nonce::default(), payload).map_err(|_| MISMATCH)?;
        let plain = Zeroizing::new(plain);
        Ok(Writer::new().put(a).put(b).put(&bank.to_le_bytes()).put(&plain).done())
    }
}

/// H("client", A ‖ B)[:8].
pub(crate) fn client_tag(a: &[u8; 32], b: &[u8; 32]) -> [u8; 8] {
    field::<0, 8, 32>(&hash(Tag::own("client"), &[a, b]))
}

/// H("hint", dh)[:8] with dh = r·V_bank = x·R.
pub(crate) fn hint_pad(dh: &RistrettoPoint) -> [u8; 8] {
    field::<0, 8, 32>(&hash(Tag::own("hint"), &[dh.compress().as_bytes()]))
}

pub(crate) fn xor<const N: usize>(a: [u8; N], b: [u8; N]) -> [u8; N] {
    let mut sum = a;
    sum.iter_mut().zip(b).for_each(|(x, y)| *x ^= y);
    sum
}

/// The output of an opening. `audit_key` (V_label) is given if and only if the label is not 0.
pub fn derive(
    opening: &[u8; OPENING_SIZE],
    bank_scan: &Point,
    audit_key: Option<&Point>,
) -> Result<Derived> {
    let opening = Opening::new(opening);
    if audit_key.is_some() != (opening.label() != 0) {
        let message = "an audit key is given if and only if the money is labelled";
        return Err(Error::new(Code::AuditKeyInvalid, message));
    }
    let view_public = Point::decode(&opening.view_public())?;
    let spend_public = Point::decode(&opening.spend_public())?;
    let (a, b) = (view_public.to_bytes(), spend_public.to_bytes());

    let r = opening.ephemeral();
    let ephemeral = Point::new(times_blinding(&r))?.to_bytes();
    let shared = Shared::new(&(view_public.as_point() * *r), &ephemeral, &a, &b);
    let owner = Point::new(shared.owner(&spend_public))?.to_bytes();
    let mask = shared.mask();
    let commitment = mask.commit(u64::from_le_bytes(opening.value()))?.to_bytes();
    let hint = xor(client_tag(&a, &b), hint_pad(&(bank_scan.as_point() * *r)));
    let audit = match audit_key {
        Some(key) => {
            let dh = Zeroizing::new((key.as_point() * *r).compress().to_bytes());
            xor(*shared.0, hash(Tag::own("audit"), &[&*dh]))
        }
        None => shared.hash("audit-pad"),
    };
    let terms_nonce = shared.terms_nonce();
    let terms = hash(
        Tag::own("terms"),
        &[&terms_nonce, &opening.kind_label(), &opening.bank(), &opening.lock_expiry()],
    );
    let aad = [ephemeral, owner, commitment].concat();
    let plain = opening.plain();
    let payload = Payload { msg: plain.as_slice(), aad: &aad };
    let sealed = shared
        .cipher()
        .encrypt(&Nonce::default(), payload)
        .map_err(|_| Error::new(Code::SizeInvalid, "too long to seal"))?;

    let output = Writer::new()
        .put(&owner)
        .put(&ephemeral)
        .put(&[shared.tag()])
        .put(&commitment)
        .put(&hint)
        .put(&audit)
        .put(&terms)
        .put(&sealed)
        .done();
    Ok(Derived { output, mask, terms_nonce })
}

/// The owner's secret b + t of an output, checked against its P.
pub fn owner_key(
    spend_key: &SpendKey,
    view_key: &ViewKey,
    output: &[u8; OUTPUT_SIZE],
) -> Result<SigningKey> {
    let output = Output(output);
    let ephemeral = Point::decode(&output.ephemeral())?;
    let shared = Shared::new(
        &(ephemeral.as_point() * view_key.secret()),
        &ephemeral.to_bytes(),
        &view_key.public().to_bytes(),
        &spend_key.public().to_bytes(),
    );
    let secret = Zeroizing::new(spend_key.secret() + *shared.owner_scalar());
    let key = SigningKey::from_scalar(&secret).map_err(|_| MISMATCH)?;
    if key.public().to_bytes() == output.owner() { Ok(key) } else { Err(MISMATCH) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyTree, ScanKey};

    fn opening(tree: &KeyTree, label: u32) -> [u8; OPENING_SIZE] {
        Writer::new()
            .put(&tree.view_key(0).unwrap().public().to_bytes())
            .put(&tree.spend_key(0).unwrap().public().to_bytes())
            .put(&7u32.to_le_bytes())
            .put(&[3; 16])
            .put(&250u64.to_le_bytes())
            .put(&[1])
            .put(&label.to_le_bytes())
            .put(&[0; 40])
            .put(&[0x6d; 160])
            .done()
    }

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn the_output_is_a_function_of_the_opening() {
        let tree = KeyTree::generate().unwrap();
        let bank = *ScanKey::generate().unwrap().public();
        let opening = opening(&tree, 0);
        let first = derive(&opening, &bank, None).unwrap();
        assert_eq!(first.output, derive(&opening, &bank, None).unwrap().output);
        // Every bit moves R, the memo's too: so no key ever seals two messages. A changed A or B
        // may be no point at all.
        for bit in (0..OPENING_SIZE * 8).step_by(5) {
            let mut other = opening;
            other[bit / 8] ^= 1 << (bit % 8);
            let audit_key = (Opening::new(&other).label() != 0).then_some(&bank);
            if let Ok(derived) = derive(&other, &bank, audit_key) {
                assert_ne!(derived.output[32..64], first.output[32..64], "bit {bit}");
            }
        }
    }

    #[test]
    fn the_owner_can_spend_and_open() {
        let tree = KeyTree::generate().unwrap();
        let (view, spend) = (tree.view_key(0).unwrap(), tree.spend_key(0).unwrap());
        let bank = *ScanKey::generate().unwrap().public();
        let opening = opening(&tree, 0);
        let derived = derive(&opening, &bank, None).unwrap();
        let key = owner_key(&spend, &view, &derived.output).unwrap();
        assert_eq!(key.public().to_bytes(), derived.output[..32]);
        let commitment = derived.mask.commit(250).unwrap().to_bytes();
        assert_eq!(commitment, derived.output[65..97]);

        let output = Output(&derived.output);
        let ephemeral = Point::decode(&output.ephemeral()).unwrap();
        let (a, b) = (view.public().to_bytes(), spend.public().to_bytes());
        let dh = ephemeral.as_point() * view.secret();
        let shared = Shared::new(&dh, &ephemeral.to_bytes(), &a, &b);
        assert_eq!(output.open(&shared, &a, &b, 7), Ok(opening));

        let stranger = KeyTree::generate().unwrap();
        let refused = owner_key(&stranger.spend_key(0).unwrap(), &view, &derived.output);
        assert_eq!(code(refused), Some(Code::OpeningMismatch));
        let refused = owner_key(&spend, &stranger.view_key(0).unwrap(), &derived.output);
        assert_eq!(code(refused), Some(Code::OpeningMismatch));
        let mut no_ephemeral = derived.output;
        no_ephemeral[32..64].fill(0);
        assert_eq!(code(owner_key(&spend, &view, &no_ephemeral)), Some(Code::IdentityPoint));
    }

    #[test]
    fn the_authority_opens_labelled_money_only() {
        let tree = KeyTree::generate().unwrap();
        let bank = *ScanKey::generate().unwrap().public();
        let authority = ScanKey::generate().unwrap();
        let labelled = opening(&tree, 5);
        assert_eq!(code(derive(&labelled, &bank, None)), Some(Code::AuditKeyInvalid));
        let plain = opening(&tree, 0);
        let refused = derive(&plain, &bank, Some(authority.public()));
        assert_eq!(code(refused), Some(Code::AuditKeyInvalid));

        let derived = derive(&labelled, &bank, Some(authority.public())).unwrap();
        let output = Output(&derived.output);
        let ephemeral = Point::decode(&output.ephemeral()).unwrap();
        let dh = (ephemeral.as_point() * authority.secret()).compress().to_bytes();
        let audit = field::<105, 32, OUTPUT_SIZE>(&derived.output);
        let shared = Shared(Zeroizing::new(xor(audit, hash(Tag::own("audit"), &[&dh]))));
        let (a, b) =
            (Opening::new(&labelled).view_public(), Opening::new(&labelled).spend_public());
        assert_eq!(output.open(&shared, &a, &b, 7), Ok(labelled));
    }

    #[test]
    fn addresses_are_checked() {
        let tree = KeyTree::generate().unwrap();
        let bank = *ScanKey::generate().unwrap().public();
        for at in [0, 32] {
            let mut wrong = opening(&tree, 0);
            wrong[at..at + 32].fill(0);
            assert_eq!(code(derive(&wrong, &bank, None)), Some(Code::IdentityPoint));
            wrong[at..at + 32].fill(0xff);
            assert_eq!(code(derive(&wrong, &bank, None)), Some(Code::PointInvalid));
        }
    }
}
