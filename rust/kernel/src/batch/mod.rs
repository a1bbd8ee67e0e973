//! Verifying many transactions at once, on all cores.
//!
//! ```text
//! signature i:  s_i·G − R_i − c_i·P_i                               = 0
//! balance j:    ΣC_out − ΣC_in − value·H − ΣK − o·G                 = 0
//! together:     Σ w_i·(signature i) + Σ w'_j·(balance j)            = 0     one multiplication
//! range proofs: calls of at most 64 (module `range_proof`)
//! ```
//!
//! Every equation has a weight of its own, 128 bits, drawn from a merlin transcript over every byte
//! that is verified followed by 32 bytes of the operating system's randomness. Two wrong equations
//! cannot be made to cancel: their authors would have to guess the weights. If the sum is not zero,
//! every part is verified alone, and what fails is named.

mod equations;
mod proofs;

use rayon::prelude::*;

use crate::cores::on_all_cores;
use crate::error::{Code, Error, Result};
use crate::layout::records;
use crate::range_proof::COVERS_MAX;
use crate::schnorr::RECORD_SIZE;

/// Most statements whose equations are summed together.
const CHUNK_MAX: usize = 64;
/// Most signatures summed together when there is nothing else.
const SIGNATURES_MAX: usize = 512;
/// Fewer than this many are not split over cores: the sum gets cheaper the longer it is.
const CHUNK_MIN: usize = 8;

/// A part of a statement, in the order in which failures are named.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// The balance equation; position 0.
    Balance,
    /// A kernel's signature; position among the kernels.
    Kernel,
    /// A commitment that does not decode; inputs first, then outputs.
    Point,
    /// A range proof; position among the proofs.
    Proof,
    /// The offset; position 0.
    Scalar,
    /// Any other signature; position after the kernels.
    Signature,
}

impl Part {
    /// The name that callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Balance => "balance",
            Part::Kernel => "kernel",
            Part::Point => "point",
            Part::Proof => "proof",
            Part::Scalar => "scalar",
            Part::Signature => "signature",
        }
    }
}

/// One part of one statement that does not hold.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Failure {
    /// Index of the statement.
    pub statement: usize,
    /// Which part.
    pub part: Part,
    /// Position inside the part.
    pub position: usize,
}

/// Why a batch was not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// These parts do not hold, sorted; everything not named does.
    Named(Vec<Failure>),
    /// Nothing was verified: `randomness_unavailable`, or our own fault, `batch_inconsistent`.
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

/// A proof and how many outputs it covers.
pub type CoveringProof = (Vec<u8>, usize);

/// What has to hold for one transaction. Sizes are checked when it is made, contents when verified.
pub struct Statement {
    pub(crate) signatures: Vec<[u8; RECORD_SIZE]>,
    pub(crate) kernels: usize,
    pub(crate) inputs: Vec<[u8; 32]>,
    pub(crate) outputs: Vec<[u8; 32]>,
    pub(crate) value: i64,
    pub(crate) offset: Option<[u8; 32]>,
    pub(crate) proofs: Vec<CoveringProof>,
}

impl Statement {
    /// `signatures`: records of 128 bytes, kernels first. `inputs`, `outputs`: points of 32 bytes.
    /// Without an offset there is no balance to verify. The proofs cover the outputs in order, each
    /// exactly once, so that leaving one out cannot go unnoticed.
    pub fn new(
        signatures: &[u8],
        kernels: usize,
        inputs: &[u8],
        outputs: &[u8],
        value: i64,
        offset: Option<[u8; 32]>,
        proofs: Vec<CoveringProof>,
    ) -> Result<Self> {
        let signatures = records::<RECORD_SIZE>(signatures)?.to_vec();
        let outputs = records::<32>(outputs)?.to_vec();
        if kernels > signatures.len() {
            return Err(Error::new(Code::SizeInvalid, "more kernels than signatures"));
        }
        if value == i64::MIN {
            return Err(Error::new(Code::ValueRange, "the value -2**63 is refused"));
        }
        if proofs.iter().any(|(_, covers)| !(1..=COVERS_MAX).contains(covers)) {
            return Err(Error::new(Code::SizeInvalid, "a range proof covers 1 to 16 outputs"));
        }
        let covered: usize = proofs.iter().map(|(_, covers)| covers).sum();
        if covered != outputs.len() {
            return Err(Error::new(Code::SizeInvalid, "the proofs cover every output once"));
        }
        let inputs = records::<32>(inputs)?.to_vec();
        Ok(Statement { signatures, kernels, inputs, outputs, value, offset, proofs })
    }

    fn of_signature(record: &[u8; RECORD_SIZE]) -> Self {
        Statement {
            signatures: vec![*record],
            kernels: 0,
            inputs: vec![],
            outputs: vec![],
            value: 0,
            offset: None,
            proofs: vec![],
        }
    }
}

/// Verifies statements on all cores. An empty list holds.
pub fn verify_statements(statements: &[&Statement]) -> core::result::Result<(), Refusal> {
    on_all_cores(|| verify_in_chunks(statements, CHUNK_MAX))?
}

/// Verifies records `public32 ‖ message32 ‖ signature64`, each as a statement of its own.
pub fn verify_signatures(signatures: &[u8]) -> core::result::Result<(), Refusal> {
    let statements: Vec<Statement> =
        records::<RECORD_SIZE>(signatures)?.iter().map(Statement::of_signature).collect();
    let statements: Vec<&Statement> = statements.iter().collect();
    on_all_cores(|| verify_in_chunks(&statements, SIGNATURES_MAX))?
}

fn verify_in_chunks(
    statements: &[&Statement],
    chunk_max: usize,
) -> core::result::Result<(), Refusal> {
    let indexed: Vec<(usize, &Statement)> = statements.iter().copied().enumerate().collect();
    let chunks: Vec<&[(usize, &Statement)]> =
        split(&vec![1; indexed.len()], chunk_max).filter_map(|range| indexed.get(range)).collect();
    let verified: Result<Vec<equations::Verified>> =
        chunks.into_par_iter().map(equations::verify_chunk).collect();
    let mut failures = vec![];
    let mut items = vec![];
    for mut chunk in verified? {
        failures.append(&mut chunk.failures);
        items.append(&mut chunk.proofs);
    }
    failures.append(&mut proofs::verify_all(items)?);
    if failures.is_empty() {
        return Ok(());
    }
    failures.sort_unstable();
    Err(Refusal::Named(failures))
}

/// Splits a list into ranges of at most `items_max`, about equally heavy, as many as keep all
/// cores busy to the end.
fn split(weights: &[usize], items_max: usize) -> impl Iterator<Item = core::ops::Range<usize>> {
    let cores = rayon::current_num_threads();
    let needed = weights.len().div_ceil(items_max).next_multiple_of(cores);
    let ranges = needed.min(weights.len() / CHUNK_MIN).max(weights.len().div_ceil(items_max));
    let target = weights.iter().sum::<usize>().div_ceil(ranges.max(1));
    let mut ends = vec![];
    let (mut weight, mut items) = (0, 0);
    for (index, one) in weights.iter().enumerate() {
        weight += one;
        items += 1;
        if weight >= target || items == items_max || index + 1 == weights.len() {
            ends.push(index + 1);
            (weight, items) = (0, 0);
        }
    }
    let starts: Vec<usize> = core::iter::once(0).chain(ends.iter().copied()).collect();
    starts.into_iter().zip(ends).map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_covers_everything_once_in_order() {
        for count in 0..400 {
            let weights: Vec<usize> = (0..count).map(|i| 1 << (i % 5)).collect();
            for weights in [weights, vec![1; count]] {
                let mut next = 0;
                for range in split(&weights, 64) {
                    assert_eq!(range.start, next);
                    assert!((1..=64).contains(&range.len()));
                    next = range.end;
                }
                assert_eq!(next, count);
            }
        }
    }

    #[test]
    fn shapes_are_checked_when_made() {
        let code = |signatures: usize, kernels, points: usize, value, covers: &[usize]| {
            let proofs = covers.iter().map(|n| (vec![], *n)).collect();
            let (signatures, points) = (vec![0; signatures], vec![0; points]);
            Statement::new(&signatures, kernels, &points, &points, value, None, proofs)
                .map(|_| ())
                .map_err(|e| e.code())
        };
        assert_eq!(code(256, 2, 64, 0, &[2]), Ok(()));
        assert_eq!(code(0, 0, 0, 0, &[]), Ok(()));
        assert_eq!(code(255, 1, 64, 0, &[2]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 3, 64, 0, &[2]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 1, 63, 0, &[2]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 1, 64, 0, &[1]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 1, 64, 0, &[2, 0]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 1, 32 * 17, 0, &[17]), Err(Code::SizeInvalid));
        assert_eq!(code(256, 1, 64, i64::MIN, &[2]), Err(Code::ValueRange));
    }
}
