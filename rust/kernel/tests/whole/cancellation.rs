//! Pairs of wrong equations that cancel when the weights are equal, or do not bind s.
//!
//! Each test builds such a pair, shows by direct computation that the unweighted sum is zero, and
//! that the kernel refuses it and names both.

use crate::support::{commit_scalar, named, payment, record};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::traits::{Identity, IsIdentity};
use curve25519_dalek::{RistrettoPoint as Point, Scalar};
use schnorrkel::context::{SigningContext, SigningTranscript};
use specie_kernel::batch::{Part, Refusal, Statement, verify_signatures};
use specie_kernel::group::{blinding_generator, commit, times_blinding, times_value};
use specie_kernel::keys::Mask;
use specie_kernel::range_proof::prove;
use specie_kernel::schnorr::SigningKey;

const MESSAGE: [u8; 32] = [7; 32];

fn scalar(seed: u64) -> Scalar {
    Scalar::from(seed) * Scalar::from(u64::MAX)
}

fn decode(bytes: &[u8]) -> Point {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

fn challenge(message: &[u8; 32], public: &[u8], nonce: &[u8]) -> Scalar {
    let mut transcript = SigningContext::new(b"specie/v1").bytes(message);
    transcript.proto_name(b"Schnorr-sig");
    transcript.commit_point(b"sign:pk", &CompressedRistretto::from_slice(public).unwrap());
    transcript.commit_point(b"sign:R", &CompressedRistretto::from_slice(nonce).unwrap());
    transcript.challenge_scalar(b"sign:c")
}

/// s·G − R − c·P of a record: the identity if the signature holds.
fn residue(record: &[u8]) -> RistrettoPoint {
    let (public, nonce) = (&record[..32], &record[64..96]);
    let mut s: [u8; 32] = record[96..128].try_into().unwrap();
    s[31] &= 0x7f;
    let s = Scalar::from_canonical_bytes(s).unwrap();
    let c = challenge(record[32..64].try_into().unwrap(), public, nonce);
    blinding_generator() * s - decode(nonce) - decode(public) * c
}

fn add_to_s(record: &mut [u8], delta: &Scalar) {
    let mut s: [u8; 32] = record[96..128].try_into().unwrap();
    s[31] &= 0x7f;
    let moved = Scalar::from_canonical_bytes(s).unwrap() + delta;
    record[96..128].copy_from_slice(moved.as_bytes());
    record[127] |= 0x80;
}

#[test]
fn residues_of_right_signatures_are_zero() {
    let record = record(&SigningKey::generate().unwrap(), &MESSAGE);
    assert!(residue(&record).is_identity());
}

#[test]
fn two_signatures_moved_against_each_other() {
    for delta in [Scalar::ONE, scalar(3), -scalar(5)] {
        let mut first = record(&SigningKey::generate().unwrap(), &MESSAGE);
        let mut second = record(&SigningKey::generate().unwrap(), &MESSAGE);
        add_to_s(&mut first, &delta);
        add_to_s(&mut second, &-delta);
        assert!(!residue(&first).is_identity() && !residue(&second).is_identity());
        assert!((residue(&first) + residue(&second)).is_identity(), "equal weights would accept");

        let both = [first.clone(), second.clone()].concat();
        for _ in 0..20 {
            let one = Statement::new(&both, 0, &[], &[], 0, None, vec![]).unwrap();
            let expected = [(0, Part::Signature, 0), (0, Part::Signature, 1)];
            assert_eq!(named(&[&one]), expected);
            let apart = [&first, &second]
                .map(|record| Statement::new(record, 0, &[], &[], 0, None, vec![]).unwrap());
            let expected = [(0, Part::Signature, 0), (1, Part::Signature, 0)];
            assert_eq!(named(&[&apart[0], &apart[1]]), expected);
            let Err(Refusal::Named(failures)) = verify_signatures(&both) else {
                panic!("accepted")
            };
            assert_eq!(failures.len(), 2);
        }
    }
}

#[test]
fn the_same_signature_twice_moved_against_itself() {
    // Same key, nonce and message: a weight that binds those three, but not s, is the same twice.
    let right = record(&SigningKey::generate().unwrap(), &MESSAGE);
    let (mut first, mut second) = (right.clone(), right);
    add_to_s(&mut first, &scalar(2));
    add_to_s(&mut second, &-scalar(2));
    assert!((residue(&first) + residue(&second)).is_identity());
    let both = [first, second].concat();
    let one = Statement::new(&both, 0, &[], &[], 0, None, vec![]).unwrap();
    assert_eq!(named(&[&one]), [(0, Part::Signature, 0), (0, Part::Signature, 1)]);
}

/// K = k·G + x·H and R = r·G + y·H: the kernel's signature equation leaves −(y + c·x)·H, and the
/// balance equation can be made to leave +(y + c·x)·H.
#[test]
fn a_kernel_and_its_nonce_with_parts_of_h() {
    let (k, x, r, y) = (scalar(11), scalar(13), scalar(17), scalar(19));
    let kernel = (times_blinding(&k) + times_value(&x)).compress().to_bytes();
    let nonce = (times_blinding(&r) + times_value(&y)).compress().to_bytes();
    let c = challenge(&MESSAGE, &kernel, &nonce);
    let mut signature = [nonce, (r + c * k).to_bytes()].concat();
    signature[63] |= 0x80;
    let signatures = [&kernel[..], &MESSAGE, &signature].concat();

    let out_mask = Mask::generate().unwrap();
    let out_value = 1_000_000;
    let output = out_mask.commit(out_value).unwrap().to_bytes();
    let offset = scalar(23);
    // The balance leaves (v_out − v_in − x)·H; choose v_in so that this is y + c·x. The G-parts
    // balance if the input's mask is m_out − k − o, but we do not know m_out: take it from the key.
    let v_in = Scalar::from(out_value) - x - (y + c * x);
    let g_part = decode(&output)
        - times_value(&Scalar::from(out_value))
        - times_blinding(&k)
        - times_blinding(&offset);
    let input = (decode(&commit_scalar(&v_in, &Scalar::ZERO)) + g_part).compress().to_bytes();

    let balance = decode(&output) - decode(&input) - decode(&kernel) - times_blinding(&offset);
    assert!(!balance.is_identity() && !residue(&signatures).is_identity());
    assert!((balance + residue(&signatures)).is_identity(), "equal weights would accept");

    let proof = prove(&[out_value], &[&out_mask]).unwrap();
    for _ in 0..20 {
        let proofs = vec![(proof.clone(), 1)];
        let offset = Some(offset.to_bytes());
        let forged = Statement::new(&signatures, 1, &input, &output, 0, offset, proofs).unwrap();
        let expected = [(0, Part::Balance, 0), (0, Part::Kernel, 0)];
        assert_eq!(named(&[&forged]), expected);
    }
}

#[test]
fn two_balances_moved_against_each_other() {
    let mut first = payment(&[5], &[5], 0, true);
    let mut second = payment(&[5], &[5], 0, true);
    for (payment, delta) in [(&mut first, Scalar::ONE), (&mut second, -Scalar::ONE)] {
        let offset = Scalar::from_canonical_bytes(payment.offset.unwrap()).unwrap();
        payment.offset = Some((offset + delta).to_bytes());
    }
    let (one, other) = (first.statement(), second.statement());
    assert_eq!(named(&[&one, &other]), [(0, Part::Balance, 0), (1, Part::Balance, 0)]);

    let (mut first, mut second) = (payment(&[5], &[5], 0, true), payment(&[5], &[5], 0, true));
    (first.value, second.value) = (1, -1);
    let (one, other) = (first.statement(), second.statement());
    assert_eq!(named(&[&one, &other]), [(0, Part::Balance, 0), (1, Part::Balance, 0)]);
}

#[test]
fn a_kernel_plus_h_pays_for_one_unit_but_has_no_signature() {
    let right = payment(&[5], &[5], 1, true);
    let mut forged = right.clone();
    let kernel = decode(&forged.signatures[..32]) + times_value(&Scalar::ONE);
    forged.signatures[..32].copy_from_slice(kernel.compress().as_bytes());
    // One unit is missing in the value; K + H makes the balance hold.
    forged.value -= 1;
    let (right, forged) = (right.statement(), forged.statement());
    assert_eq!(named(&[&right, &forged]), [(1, Part::Kernel, 0)]);
}

#[test]
fn a_negative_output_has_no_proof() {
    // 5 in, 10 and −5 out: it balances, and only the range proof stands against it.
    let right = payment(&[5], &[10, 5], 0, false);
    let mut forged = right.clone();
    let minus_five = decode(&right.outputs[32..]) - times_value(&Scalar::from(10u64));
    forged.outputs[32..].copy_from_slice(minus_five.compress().as_bytes());
    forged.value = 0;
    assert_eq!(named(&[&forged.statement()]), [(0, Part::Proof, 1)]);
    assert!(commit(0, &Scalar::ZERO) == RistrettoPoint::identity());
}
