//! The equations of a chunk of statements: reading, folding into one sum, naming what fails.

use std::collections::HashMap;

use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use curve25519_dalek::{RistrettoPoint, Scalar};
use merlin::Transcript;

use super::proofs::NamedProof;
use super::{Failure, Part, Statement};
use crate::error::{Code, Error, Result};
use crate::group::{
    Point, blinding_generator, decode_scalar, scalar_from_signed, times_blinding, times_value,
    value_generator,
};
use crate::random;
use crate::range_proof::Item;
use crate::schnorr::{Equation, Record};

/// Bytes of a weight.
const WEIGHT_SIZE: usize = 16;

/// The outcome of a chunk: what failed, and the range proofs still to verify.
#[derive(Default)]
pub(super) struct Verified {
    pub(super) failures: Vec<Failure>,
    pub(super) proofs: Vec<NamedProof>,
}

/// A signature's equation and its name; `key` is the place of P among the public keys.
struct SignatureEquation {
    equation: Equation,
    key: usize,
    name: Failure,
}

/// The balance equation of a statement; `kernels` are places among the public keys.
struct BalanceEquation {
    inputs: Vec<Point>,
    outputs: Vec<Point>,
    kernels: Vec<usize>,
    value: Scalar,
    offset: Scalar,
    name: Failure,
}

/// Everything of a chunk that could be read.
#[derive(Default)]
struct Reading {
    keys: PublicKeys,
    signatures: Vec<SignatureEquation>,
    balances: Vec<BalanceEquation>,
    verified: Verified,
}

/// Public keys, each decoded once however often it signs: an attesting bank signs in every payment.
#[derive(Default)]
struct PublicKeys {
    places: HashMap<[u8; 32], Option<usize>>,
    points: Vec<RistrettoPoint>,
}

impl PublicKeys {
    fn place(&mut self, bytes: [u8; 32]) -> Option<usize> {
        if let Some(place) = self.places.get(&bytes) {
            return *place;
        }
        let place = Point::decode(&bytes).ok().map(|point| {
            self.points.push(*point.as_point());
            self.points.len() - 1
        });
        self.places.insert(bytes, place);
        place
    }

    fn get(&self, place: usize) -> Option<&RistrettoPoint> {
        self.points.get(place)
    }
}

/// Verifies the signatures and balances of a chunk and reads its range proofs.
pub(super) fn verify_chunk(chunk: &[(usize, &Statement)]) -> Result<Verified> {
    let mut reading = Reading::default();
    for (index, statement) in chunk {
        reading.read(*index, statement);
    }
    let weights = draw_weights(chunk, reading.signatures.len() + reading.balances.len())?;
    if !reading.sum(&weights).is_identity() {
        let mut failures = reading.verify_alone(chunk);
        if failures.is_empty() {
            let message = "equations fail together but not alone";
            return Err(Error::new(Code::BatchInconsistent, message));
        }
        reading.verified.failures.append(&mut failures);
    }
    Ok(reading.verified)
}

/// Weights that no author of a statement can know: a transcript over every byte, then randomness.
fn draw_weights(chunk: &[(usize, &Statement)], count: usize) -> Result<Vec<Scalar>> {
    let mut transcript = Transcript::new(b"specie/v1/batch weights");
    for (index, statement) in chunk {
        transcript.append_u64(b"statement", *index as u64);
        transcript.append_u64(b"kernels", statement.kernels as u64);
        transcript.append_message(b"signatures", statement.signatures.as_flattened());
        transcript.append_message(b"inputs", statement.inputs.as_flattened());
        transcript.append_message(b"outputs", statement.outputs.as_flattened());
        transcript.append_message(b"value", &statement.value.to_le_bytes());
        transcript.append_message(b"offset", statement.offset.as_ref().map_or(&[], |o| o));
        for (proof, covers) in &statement.proofs {
            transcript.append_u64(b"covers", *covers as u64);
            transcript.append_message(b"proof", proof);
        }
    }
    transcript.append_message(b"randomness", random::bytes::<32>()?.as_slice());
    let mut bytes = vec![0; count * WEIGHT_SIZE];
    transcript.challenge_bytes(b"weights", &mut bytes);
    let (weights, _) = bytes.as_chunks::<WEIGHT_SIZE>();
    Ok(weights.iter().map(|weight| Scalar::from(u128::from_le_bytes(*weight))).collect())
}

impl Reading {
    /// Reads one statement. What cannot be read is named, and so is what depends on it.
    fn read(&mut self, index: usize, statement: &Statement) {
        let kernels = self.read_signatures(index, statement);
        let inputs = self.read_points(index, 0, &statement.inputs);
        let outputs = self.read_points(index, statement.inputs.len(), &statement.outputs);
        self.read_proofs(index, statement, &outputs);
        let Some(offset) = statement.offset else { return };
        let name = Failure { statement: index, part: Part::Balance, position: 0 };
        let offset = decode_scalar(&offset);
        if offset.is_err() {
            self.fail(index, Part::Scalar, 0);
        }
        let value = scalar_from_signed(statement.value.into());
        let (inputs, outputs) = (inputs.into_iter().collect(), outputs.into_iter().collect());
        let (Some(inputs), Some(outputs), Some(kernels), Ok(value), Ok(offset)) =
            (inputs, outputs, kernels, value, offset)
        else {
            return self.verified.failures.push(name);
        };
        self.balances.push(BalanceEquation { inputs, outputs, kernels, value, offset, name });
    }

    /// The places of the kernels' keys, if all of them could be read.
    fn read_signatures(&mut self, index: usize, statement: &Statement) -> Option<Vec<usize>> {
        let mut kernels = vec![];
        for (position, record) in statement.signatures.iter().enumerate() {
            let record = Record(record);
            let place = self.keys.place(record.public_bytes());
            if position < statement.kernels {
                kernels.push(place);
            }
            let (part, position) = match position.checked_sub(statement.kernels) {
                None => (Part::Kernel, position),
                Some(position) => (Part::Signature, position),
            };
            match (place, record.equation()) {
                (Some(key), Ok(equation)) => {
                    let name = Failure { statement: index, part, position };
                    self.signatures.push(SignatureEquation { equation, key, name });
                }
                _ => self.fail(index, part, position),
            }
        }
        kernels.into_iter().collect()
    }

    fn read_points(&mut self, index: usize, first: usize, all: &[[u8; 32]]) -> Vec<Option<Point>> {
        let mut points = Vec::with_capacity(all.len());
        for (position, bytes) in all.iter().enumerate() {
            let point = Point::decode(bytes).ok();
            if point.is_none() {
                self.fail(index, Part::Point, first + position);
            }
            points.push(point);
        }
        points
    }

    fn read_proofs(&mut self, index: usize, statement: &Statement, outputs: &[Option<Point>]) {
        let mut rest = outputs;
        for (position, (proof, covers)) in statement.proofs.iter().enumerate() {
            let Some((covered, after)) = rest.split_at_checked(*covers) else { return };
            rest = after;
            let points: Option<Vec<Point>> = covered.iter().copied().collect();
            let name = Failure { statement: index, part: Part::Proof, position };
            match points.and_then(|points| Item::read(proof, &points).ok()) {
                Some(item) => self.verified.proofs.push(NamedProof { item, name }),
                None => self.verified.failures.push(name),
            }
        }
    }

    fn fail(&mut self, statement: usize, part: Part, position: usize) {
        self.verified.failures.push(Failure { statement, part, position });
    }

    /// The weighted sum of all equations.
    fn sum(&self, weights: &[Scalar]) -> RistrettoPoint {
        let mut sum = WeightedSum::new(self.keys.points.len());
        let (for_signatures, for_balances) = weights.split_at(self.signatures.len());
        for (signature, weight) in self.signatures.iter().zip(for_signatures) {
            sum.add_signature(signature, weight);
        }
        for (balance, weight) in self.balances.iter().zip(for_balances) {
            sum.add_balance(balance, weight);
        }
        sum.compute(&self.keys.points)
    }

    /// Each equation alone: signatures by the library's own code, balances by plain addition.
    fn verify_alone(&self, chunk: &[(usize, &Statement)]) -> Vec<Failure> {
        let mut failures = vec![];
        let statements: HashMap<usize, &Statement> = chunk.iter().copied().collect();
        for signature in &self.signatures {
            let record = statements.get(&signature.name.statement).and_then(|statement| {
                let first = match signature.name.part {
                    Part::Kernel => 0,
                    _ => statement.kernels,
                };
                statement.signatures.get(first + signature.name.position)
            });
            if record.is_none_or(|record| Record(record).verify().is_err()) {
                failures.push(signature.name);
            }
        }
        for balance in &self.balances {
            if !balance.holds(&self.keys) {
                failures.push(balance.name);
            }
        }
        failures
    }
}

impl BalanceEquation {
    fn holds(&self, keys: &PublicKeys) -> bool {
        let outputs: RistrettoPoint = self.outputs.iter().map(Point::as_point).sum();
        let inputs: RistrettoPoint = self.inputs.iter().map(Point::as_point).sum();
        let kernels: RistrettoPoint =
            self.kernels.iter().filter_map(|kernel| keys.get(*kernel)).sum();
        outputs - inputs == kernels + times_value(&self.value) + times_blinding(&self.offset)
    }
}

/// One multiscalar multiplication in the making.
struct WeightedSum {
    blinding: Scalar,
    value: Scalar,
    keys: Vec<Scalar>,
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

impl WeightedSum {
    fn new(keys: usize) -> Self {
        let (blinding, value) = (Scalar::ZERO, Scalar::ZERO);
        WeightedSum {
            blinding,
            value,
            keys: vec![Scalar::ZERO; keys],
            scalars: vec![],
            points: vec![],
        }
    }

    fn add(&mut self, scalar: Scalar, point: &Point) {
        self.scalars.push(scalar);
        self.points.push(*point.as_point());
    }

    fn subtract_key(&mut self, scalar: Scalar, key: usize) {
        if let Some(sum) = self.keys.get_mut(key) {
            *sum -= scalar;
        }
    }

    /// w·(s·G − R − c·P).
    fn add_signature(&mut self, signature: &SignatureEquation, weight: &Scalar) {
        let Equation { nonce, response, challenge } = &signature.equation;
        self.blinding += weight * response;
        self.add(-weight, nonce);
        self.subtract_key(weight * challenge, signature.key);
    }

    /// w·(ΣC_out − ΣC_in − value·H − ΣK − o·G).
    fn add_balance(&mut self, balance: &BalanceEquation, weight: &Scalar) {
        balance.outputs.iter().for_each(|output| self.add(*weight, output));
        balance.inputs.iter().for_each(|input| self.add(-weight, input));
        balance.kernels.iter().for_each(|kernel| self.subtract_key(*weight, *kernel));
        self.value -= weight * balance.value;
        self.blinding -= weight * balance.offset;
    }

    fn compute(mut self, keys: &[RistrettoPoint]) -> RistrettoPoint {
        self.scalars.extend(self.keys);
        self.points.extend(keys);
        self.scalars.extend([self.blinding, self.value]);
        self.points.extend([blinding_generator(), value_generator()]);
        RistrettoPoint::vartime_multiscalar_mul(self.scalars, self.points)
    }
}
