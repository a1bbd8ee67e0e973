//! The kernel of `specie`: hashing, keys, outputs, proofs and batch verification.
//!
//! It knows records, scalars and points, not what a payment means. Formulas: `docs/spec`.
//! All input is untrusted: every function checks sizes, encodings and ranges and answers with an
//! [`Error`] that has a code. Nothing here takes a seed or a source of randomness.

#![forbid(unsafe_code)]

pub mod address;
pub mod balance;
pub mod batch;
mod cores;
pub mod cosigner;
pub mod error;
pub mod group;
pub mod hashing;
pub mod institution;
pub mod keys;
mod layout;
pub mod output;
mod random;
pub mod range_proof;
pub mod scan;
pub mod schnorr;
pub mod sealing;
pub mod vrf;

pub use error::{Code, Error, Result};
