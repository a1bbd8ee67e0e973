//! The range proofs of a batch: calls of at most 64, and single calls to name what fails.

use rayon::prelude::*;

use super::{Failure, split};
use crate::error::{Code, Error, Result};
use crate::range_proof::{CALL_MAX, Item, verify_call};

/// A proof that was read, and the name it has if it fails.
pub(super) struct NamedProof {
    pub(super) item: Item,
    pub(super) name: Failure,
}

/// Verifies all proofs and names those that fail.
pub(super) fn verify_all(mut proofs: Vec<NamedProof>) -> Result<Vec<Failure>> {
    // Largest first, so that few calls mix sizes and the heavy ones start early.
    proofs.sort_by_key(|proof| core::cmp::Reverse(proof.item.padded()));
    let weights: Vec<usize> = proofs.iter().map(|proof| proof.item.padded()).collect();
    let calls: Vec<&[NamedProof]> =
        split(&weights, CALL_MAX).filter_map(|range| proofs.get(range)).collect();
    let failures: Result<Vec<Vec<Failure>>> = calls.into_par_iter().map(verify_some).collect();
    Ok(failures?.concat())
}

fn verify_some(proofs: &[NamedProof]) -> Result<Vec<Failure>> {
    let items: Vec<&Item> = proofs.iter().map(|proof| &proof.item).collect();
    if verify_call(&items)? {
        return Ok(vec![]);
    }
    let alone: Result<Vec<Option<Failure>>> = proofs
        .par_iter()
        .map(|proof| Ok((!verify_call(&[&proof.item])?).then_some(proof.name)))
        .collect();
    let failures: Vec<Failure> = alone?.into_iter().flatten().collect();
    if failures.is_empty() {
        let message = "range proofs fail together but not alone";
        return Err(Error::new(Code::BatchInconsistent, message));
    }
    Ok(failures)
}
