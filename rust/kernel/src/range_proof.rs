//! Range proofs: Bulletproofs+ over 64 bits, by `tari_bulletproofs_plus` 0.4.
//!
//! ```text
//! C_j = v_j·H + m_j·G,  0 ≤ v_j < 2⁶⁴                       for n outputs, 1 ≤ n ≤ 16
//! statement = (C_1 … C_n, identity … identity), p = next power of two
//! transcript "specie/v1/range"; proof: 577 + 64·log₂(p) bytes
//! ```
//!
//! The crate calls the value's base h and the mask's base g, and its defaults are the other way
//! round than ours: both are set here. The padding commits to value 0 with mask 0.
//!
//! **Nonces are hedged.** `RangeProof::prove` draws α, d_L, d_R, r, s, d and η from a merlin
//! `TranscriptRng` that the crate rebuilds after every message: transcript, rekeyed with all values
//! and masks, finished with the operating system's randomness (`transcripts.rs`, `build_rng`). So
//! bad randomness alone reveals nothing. Proving is not constant time in the values (the crate
//! multiplies their bits by `vartime_mixed_multiscalar_mul`): it belongs on the owner's device.
//!
//! **The trap.** `verify_batch` verifies the first 256 proofs of a call and says Ok for the rest.
//! A call here has at most 64 (past that the crate gets slower anyway), and must answer with as
//! many masks as there were proofs.

use std::sync::OnceLock;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use merlin::Transcript;
use tari_bulletproofs_plus::PedersenGens;
use tari_bulletproofs_plus::commitment_opening::CommitmentOpening;
use tari_bulletproofs_plus::generators::pedersen_gens::ExtensionDegree;
use tari_bulletproofs_plus::range_parameters::RangeParameters;
use tari_bulletproofs_plus::range_proof::VerifyAction;
use tari_bulletproofs_plus::range_statement::RangeStatement;
use tari_bulletproofs_plus::range_witness::RangeWitness;
use tari_bulletproofs_plus::ristretto::RistrettoRangeProof;

use crate::error::{Code, Error, Result};
use crate::group::{Point, blinding_generator, commit, value_generator};
use crate::keys::Mask;
use crate::layout::records;

/// Most outputs one proof covers.
pub const COVERS_MAX: usize = 16;
/// Most proofs in one call of the crate.
pub const CALL_MAX: usize = 64;

const BITS: usize = 64;
const LABEL: &[u8] = b"specie/v1/range";
/// The first byte of a proof: one mask per commitment.
const EXTENSION_DEGREE: u8 = 1;

const REFUSED: Error = Error::new(Code::ProofInvalid, "the range proof does not hold");

type Parameters = RangeParameters<RistrettoPoint>;

/// Outputs after padding, for 1 to 16 outputs.
pub fn padded(covers: usize) -> Result<usize> {
    if (1..=COVERS_MAX).contains(&covers) {
        Ok(covers.next_power_of_two())
    } else {
        Err(Error::new(Code::SizeInvalid, "a range proof covers 1 to 16 outputs"))
    }
}

/// Bytes of a proof over this many outputs.
pub fn proof_size(covers: usize) -> Result<usize> {
    Ok(577 + 64 * padded(covers)?.trailing_zeros() as usize)
}

/// One proof over 1 to 16 outputs.
pub fn prove(values: &[u64], masks: &[&Mask]) -> Result<Vec<u8>> {
    if values.len() != masks.len() {
        return Err(Error::new(Code::SizeInvalid, "as many masks as values"));
    }
    let padded = padded(values.len())?;
    let mut commitments = Vec::with_capacity(padded);
    let mut openings = Vec::with_capacity(padded);
    for (value, mask) in values.iter().zip(masks) {
        commitments.push(commit(*value, &mask.0));
        openings.push(CommitmentOpening::new(*value, vec![*mask.0]));
    }
    commitments.resize(padded, RistrettoPoint::identity());
    openings.resize_with(padded, || CommitmentOpening::new(0, vec![Scalar::ZERO]));

    let failed = |_| Error::new(Code::ProofInvalid, "no range proof could be made");
    let generators = parameters(padded)?.clone();
    let statement = RangeStatement::init(generators, commitments, vec![None; padded], None);
    let witness = RangeWitness::init(openings).map_err(failed)?;
    let mut transcript = Transcript::new(LABEL);
    let proof = RistrettoRangeProof::prove(&mut transcript, &statement.map_err(failed)?, &witness);
    Ok(proof.map_err(failed)?.to_bytes())
}

/// Verifies one proof over commitments of 32 bytes each.
pub fn verify(proof: &[u8], commitments: &[u8]) -> Result<()> {
    let points: Result<Vec<Point>> =
        records::<32>(commitments)?.iter().map(Point::decode).collect();
    let item = Item::read(proof, &points?)?;
    if verify_call(&[&item])? { Ok(()) } else { Err(REFUSED) }
}

/// A proof with its padded statement, read but not verified.
pub struct Item {
    proof: RistrettoRangeProof,
    points: Vec<RistrettoPoint>,
    encoded: Vec<CompressedRistretto>,
}

impl Item {
    /// Reads a proof strictly: exact length, canonical scalars.
    pub fn read(proof: &[u8], commitments: &[Point]) -> Result<Self> {
        let padded = padded(commitments.len())?;
        let sized = proof.len() == proof_size(commitments.len())?;
        if !sized || proof.first() != Some(&EXTENSION_DEGREE) {
            return Err(Error::new(Code::ProofInvalid, "not a range proof for so many outputs"));
        }
        let proof = RistrettoRangeProof::from_bytes(proof).map_err(|_| REFUSED)?;
        let mut points: Vec<_> = commitments.iter().map(|c| *c.as_point()).collect();
        let mut encoded: Vec<_> = commitments.iter().map(|c| *c.as_encoded()).collect();
        points.resize(padded, RistrettoPoint::identity());
        encoded.resize(padded, CompressedRistretto::identity());
        Ok(Item { proof, points, encoded })
    }

    /// Outputs after padding: what verifying it costs.
    pub fn padded(&self) -> usize {
        self.points.len()
    }

    /// The crate's own constructor encodes every commitment again; we still have the bytes.
    fn statement(&self, generators: Parameters) -> RangeStatement<RistrettoPoint> {
        RangeStatement {
            generators,
            commitments: self.points.clone(),
            commitments_compressed: self.encoded.clone(),
            minimum_value_promises: vec![None; self.points.len()],
            seed_nonce: None,
        }
    }
}

/// Verifies 1 to 64 proofs together: true if all hold, false if at least one does not.
///
/// Statements of different sizes may share a call. The crate takes the generator tables from the
/// first largest statement and only compares the others' generators with a prefix of them, point by
/// point; so the largest stands first with the full set, and the others carry the smallest.
pub fn verify_call(items: &[&Item]) -> Result<bool> {
    if items.is_empty() || items.len() > CALL_MAX {
        return Err(Error::new(Code::SizeInvalid, "1 to 64 range proofs in one call"));
    }
    let mut order: Vec<&Item> = items.to_vec();
    order.sort_by_key(|item| core::cmp::Reverse(item.padded()));
    let smallest = parameters(1)?;
    let mut statements = Vec::with_capacity(order.len());
    for (index, item) in order.iter().enumerate() {
        let generators = if index == 0 { parameters(item.padded())? } else { smallest };
        statements.push(item.statement(generators.clone()));
    }
    let proofs: Vec<_> = order.iter().map(|item| item.proof.clone()).collect();
    let mut transcripts = vec![Transcript::new(LABEL); order.len()];
    let action = VerifyAction::VerifyOnly;
    let answer = RistrettoRangeProof::verify_batch(&mut transcripts, &statements, &proofs, action);
    match answer {
        Ok(masks) if masks.len() == items.len() => Ok(true),
        Ok(_) => Err(Error::new(Code::BatchInconsistent, "not every proof was verified")),
        Err(_) => Ok(false),
    }
}

/// Generators and their tables, built when first needed: 1.3 MB per padded output.
fn parameters(padded: usize) -> Result<&'static Parameters> {
    static BUILT: [OnceLock<Option<Parameters>>; 5] = [const { OnceLock::new() }; 5];
    BUILT
        .get(padded.trailing_zeros() as usize)
        .and_then(|slot| slot.get_or_init(|| build_parameters(padded)).as_ref())
        .ok_or(Error::new(Code::SizeInvalid, "no generators for so many outputs"))
}

fn build_parameters(padded: usize) -> Option<Parameters> {
    let (value, mask) = (value_generator(), blinding_generator());
    let generators = PedersenGens {
        h_base: value,
        h_base_compressed: value.compress(),
        g_base_vec: vec![mask],
        g_base_compressed_vec: vec![mask.compress()],
        extension_degree: ExtensionDegree::DefaultPedersen,
    };
    RangeParameters::init(BITS, padded, generators).ok()
}

#[cfg(test)]
mod tests {
    use tari_bulletproofs_plus::ristretto::create_pedersen_gens_with_extension_degree;

    use super::*;
    use crate::group::{Point, times_value};

    fn masks(count: usize) -> Vec<Mask> {
        (0..count).map(|_| Mask::generate().unwrap()).collect()
    }

    fn proved(values: &[u64]) -> (Vec<u8>, Vec<u8>) {
        let masks = masks(values.len());
        let proof = prove(values, &masks.iter().collect::<Vec<_>>()).unwrap();
        let commitments = values.iter().zip(&masks).map(|(v, m)| m.commit(*v).unwrap().to_bytes());
        (proof, commitments.collect::<Vec<_>>().concat())
    }

    fn code<T>(result: Result<T>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn every_count_proves_at_its_size() {
        let sizes =
            [577, 641, 705, 705, 769, 769, 769, 769, 833, 833, 833, 833, 833, 833, 833, 833];
        for (covers, size) in (1..=16).zip(sizes) {
            assert_eq!(proof_size(covers), Ok(size));
        }
        for count in [1, 2, 3, 5, 9, 16] {
            let mut values = vec![u64::MAX; count];
            values[0] = 0;
            let (proof, commitments) = proved(&values);
            assert_eq!(proof.len(), proof_size(count).unwrap());
            assert_eq!(verify(&proof, &commitments), Ok(()));
        }
        for count in [0, 17] {
            assert_eq!(code(proof_size(count)), Some(Code::SizeInvalid));
            let masks = masks(count);
            let masks: Vec<&Mask> = masks.iter().collect();
            assert_eq!(code(prove(&vec![1; count], &masks)), Some(Code::SizeInvalid));
            assert!(verify(&[], &vec![0; 32 * count]).is_err());
        }
        let one = masks(1);
        assert_eq!(code(prove(&[1, 2], &[&one[0]])), Some(Code::SizeInvalid));
    }

    #[test]
    fn values_outside_the_range_do_not_verify() {
        let (proof, commitments) = proved(&[7]);
        let point = Point::decode(commitments[..].try_into().unwrap()).unwrap();
        for shift in [-Scalar::ONE, Scalar::from(1u128 << 64), Scalar::ONE] {
            let moved = (point.as_point() + times_value(&shift)).compress().to_bytes();
            assert_eq!(code(verify(&proof, &moved)), Some(Code::ProofInvalid));
        }
    }

    #[test]
    fn order_count_and_padding_are_bound() {
        let (proof, commitments) = proved(&[1, 2]);
        let swapped = [&commitments[32..], &commitments[..32]].concat();
        assert_eq!(code(verify(&proof, &swapped)), Some(Code::ProofInvalid));
        assert_eq!(code(verify(&proof, &commitments[..32])), Some(Code::ProofInvalid));
        assert_eq!(code(verify(&proof, &commitments[..33])), Some(Code::SizeInvalid));
        let (proof, commitments) = proved(&[1, 2, 3]);
        let padded = [&commitments[..], &[0; 32]].concat();
        assert_eq!(code(verify(&proof, &padded)), Some(Code::IdentityPoint));
    }

    #[test]
    fn a_changed_proof_does_not_verify() {
        let (proof, commitments) = proved(&[1, 2]);
        for byte in 0..proof.len() {
            let mut wrong = proof.clone();
            wrong[byte] ^= 1 << (byte % 8);
            assert_eq!(code(verify(&wrong, &commitments)), Some(Code::ProofInvalid), "{byte}");
        }
        for length in [0, 1, 576, 640, 642, 705] {
            let mut wrong = proof.clone();
            wrong.resize(length, 0);
            assert_eq!(code(verify(&wrong, &commitments)), Some(Code::ProofInvalid));
        }
    }

    #[test]
    fn the_crates_own_generators_are_not_ours() {
        let degree = ExtensionDegree::DefaultPedersen;
        let theirs = create_pedersen_gens_with_extension_degree(degree);
        let ours = parameters(1).unwrap();
        assert_eq!(ours.h_base(), &value_generator());
        assert_eq!(ours.g_bases(), [blinding_generator()]);
        assert_ne!(ours.h_base(), theirs.h_base());

        let mask = Mask::generate().unwrap();
        let generators = RangeParameters::init(BITS, 1, theirs).unwrap();
        let commitment = generators.pc_gens().commit(&Scalar::from(7u64), &[*mask.0]).unwrap();
        let statement =
            RangeStatement::init(generators, vec![commitment], vec![None], None).unwrap();
        let opening = CommitmentOpening::new(7, vec![*mask.0]);
        let witness = RangeWitness::init(vec![opening]).unwrap();
        let proof =
            RistrettoRangeProof::prove(&mut Transcript::new(LABEL), &statement, &witness).unwrap();
        let encoded = commitment.compress().to_bytes();
        assert_eq!(code(verify(&proof.to_bytes(), &encoded)), Some(Code::ProofInvalid));
    }

    #[test]
    fn calls_mix_sizes_and_have_a_limit() {
        let made: Vec<Item> = [1, 16, 2, 3, 1]
            .into_iter()
            .map(|count| {
                let (proof, commitments) = proved(&vec![9; count]);
                let points: Vec<Point> = records::<32>(&commitments)
                    .unwrap()
                    .iter()
                    .map(|bytes| Point::decode(bytes).unwrap())
                    .collect();
                Item::read(&proof, &points).unwrap()
            })
            .collect();
        let items: Vec<&Item> = made.iter().collect();
        assert_eq!(verify_call(&items), Ok(true));
        assert_eq!(verify_call(&[items[0]; 64]), Ok(true));
        assert_eq!(code(verify_call(&[items[0]; 65])), Some(Code::SizeInvalid));
        assert_eq!(code(verify_call(&[])), Some(Code::SizeInvalid));
    }

    /// Why a call never has more than 64: should the crate ever be mended, this test says so.
    #[test]
    fn the_trap_is_still_there() {
        let (proof, commitments) = proved(&[7]);
        let point = Point::decode(commitments[..].try_into().unwrap()).unwrap();
        let right = Item::read(&proof, &[point]).unwrap();
        let other = Point::new(point.as_point() + times_value(&Scalar::ONE)).unwrap();
        let wrong = Item::read(&proof, &[other]).unwrap();
        let mut items = vec![&right; 256];
        items.push(&wrong);
        let generators = parameters(1).unwrap();
        let statements: Vec<_> =
            items.iter().map(|item| item.statement(generators.clone())).collect();
        let proofs: Vec<_> = items.iter().map(|item| item.proof.clone()).collect();
        let mut transcripts = vec![Transcript::new(LABEL); items.len()];
        let action = VerifyAction::VerifyOnly;
        let masks =
            RistrettoRangeProof::verify_batch(&mut transcripts, &statements, &proofs, action);
        assert_eq!(masks.map(|masks| masks.len()).ok(), Some(256));
        assert_eq!(verify_call(&[&wrong]), Ok(false));
    }
}
