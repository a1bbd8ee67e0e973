//! Right payments, and the means to break them.

use curve25519_dalek::Scalar;
use specie_kernel::Result;
use specie_kernel::balance::balance_key;
use specie_kernel::batch::{Failure, Part, Refusal, Statement, verify_statements};
use specie_kernel::group::commit;
use specie_kernel::keys::Mask;
use specie_kernel::range_proof::prove;
use specie_kernel::schnorr::SigningKey;

/// The parts of a statement, open to changes.
#[derive(Clone)]
pub struct Payment {
    /// Records of 128 bytes, the kernel first.
    pub signatures: Vec<u8>,
    pub kernels: usize,
    pub inputs: Vec<u8>,
    pub outputs: Vec<u8>,
    pub value: i64,
    pub offset: Option<[u8; 32]>,
    pub proofs: Vec<(Vec<u8>, usize)>,
}

impl Payment {
    pub fn statement(&self) -> Statement {
        self.try_statement().expect("the shape is right")
    }

    pub fn try_statement(&self) -> Result<Statement> {
        Statement::new(
            &self.signatures,
            self.kernels,
            &self.inputs,
            &self.outputs,
            self.value,
            self.offset,
            self.proofs.clone(),
        )
    }
}

pub fn record(key: &SigningKey, message: &[u8; 32]) -> Vec<u8> {
    [&key.public().to_bytes()[..], message, &key.sign(message)].concat()
}

/// A payment that holds: inputs and outputs with these values, a kernel and `signers` more.
pub fn payment(ins: &[u64], outs: &[u64], signers: u8, aggregated: bool) -> Payment {
    let total = |values: &[u64]| values.iter().map(|value| i64::try_from(*value).unwrap()).sum();
    let (total_in, total_out): (i64, i64) = (total(ins), total(outs));
    let masks = |count| (0..count).map(|_| Mask::generate().unwrap()).collect::<Vec<_>>();
    let (in_masks, out_masks) = (masks(ins.len()), masks(outs.len()));
    let (in_masks, out_masks): (Vec<&Mask>, Vec<&Mask>) =
        (in_masks.iter().collect(), out_masks.iter().collect());
    let (kernel, offset) = balance_key(&out_masks, &in_masks).unwrap();
    let mut signatures = record(&kernel, &[0; 32]);
    for signer in 1..=signers {
        signatures.extend(record(&SigningKey::generate().unwrap(), &[signer; 32]));
    }
    let proofs = if aggregated {
        vec![(prove(outs, &out_masks).unwrap(), outs.len())]
    } else {
        outs.iter().zip(&out_masks).map(|(v, m)| (prove(&[*v], &[m]).unwrap(), 1)).collect()
    };
    Payment {
        signatures,
        kernels: 1,
        inputs: commitments(ins, &in_masks),
        outputs: commitments(outs, &out_masks),
        value: total_out - total_in,
        offset: Some(offset),
        proofs,
    }
}

fn commitments(values: &[u64], masks: &[&Mask]) -> Vec<u8> {
    values.iter().zip(masks).flat_map(|(v, m)| m.commit(*v).unwrap().to_bytes()).collect()
}

/// What `verify_statements` names.
pub fn named(statements: &[&Statement]) -> Vec<(usize, Part, usize)> {
    match verify_statements(statements) {
        Ok(()) => vec![],
        Err(Refusal::Named(failures)) => failures.iter().map(triple).collect(),
        Err(Refusal::Error(error)) => panic!("{error}"),
    }
}

fn triple(failure: &Failure) -> (usize, Part, usize) {
    (failure.statement, failure.part, failure.position)
}

/// v·H + m·G with any scalar as v, also one no honest commitment has.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn commit_scalar(value: &Scalar, mask: &Scalar) -> [u8; 32] {
    let value_part = specie_kernel::group::times_value(value);
    (value_part + commit(0, mask)).compress().to_bytes()
}
