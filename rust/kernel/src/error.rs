//! One error type. A code for programs, a sentence for people; never input bytes, never a secret.

use core::fmt;

/// What went wrong, by a name that never changes its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// Not a bech32m address of ours.
    AddressInvalid,
    /// An authority's key is missing for labelled money, or given for unlabelled money.
    AuditKeyInvalid,
    /// The sum of points is not zero.
    BalanceInvalid,
    /// A batch failed as a whole, yet none of its parts fails alone: our own fault, never accepted.
    BatchInconsistent,
    /// At least one statement of a batch does not hold.
    BatchRefused,
    /// The identity where a key, nonce, kernel or commitment must stand.
    IdentityPoint,
    /// The operating system gave no memory, for Argon2id or for threads.
    MemoryUnavailable,
    /// An output is not what its opening says.
    OpeningMismatch,
    /// Not a BIP-39 phrase of 12 to 24 English words with a right checksum.
    PhraseInvalid,
    /// Not the canonical encoding of a point.
    PointInvalid,
    /// A range proof that does not hold, or is not one.
    ProofInvalid,
    /// The operating system gave no randomness.
    RandomnessUnavailable,
    /// Not the canonical encoding of a scalar.
    ScalarInvalid,
    /// A scan key that is not the one the scanner was made for.
    ScanKeyMismatch,
    /// Sealed bytes that this key and context do not open.
    SealedInvalid,
    /// Argon2id parameters or a salt outside our limits.
    SealingParametersInvalid,
    /// A signature that does not hold, or is not one.
    SignatureInvalid,
    /// Bytes of the wrong length, or a count outside its limits.
    SizeInvalid,
    /// Not a tag: 1 to 32 ASCII characters without 0x00.
    TagInvalid,
    /// A number outside its range.
    ValueRange,
}

impl Code {
    /// Every code, in the order of their names.
    pub const ALL: [Code; 20] = [
        Code::AddressInvalid,
        Code::AuditKeyInvalid,
        Code::BalanceInvalid,
        Code::BatchInconsistent,
        Code::BatchRefused,
        Code::IdentityPoint,
        Code::MemoryUnavailable,
        Code::OpeningMismatch,
        Code::PhraseInvalid,
        Code::PointInvalid,
        Code::ProofInvalid,
        Code::RandomnessUnavailable,
        Code::ScalarInvalid,
        Code::ScanKeyMismatch,
        Code::SealedInvalid,
        Code::SealingParametersInvalid,
        Code::SignatureInvalid,
        Code::SizeInvalid,
        Code::TagInvalid,
        Code::ValueRange,
    ];

    /// The name that callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Code::AddressInvalid => "address_invalid",
            Code::AuditKeyInvalid => "audit_key_invalid",
            Code::BalanceInvalid => "balance_invalid",
            Code::BatchInconsistent => "batch_inconsistent",
            Code::BatchRefused => "batch_refused",
            Code::IdentityPoint => "identity_point",
            Code::MemoryUnavailable => "memory_unavailable",
            Code::OpeningMismatch => "opening_mismatch",
            Code::PhraseInvalid => "phrase_invalid",
            Code::PointInvalid => "point_invalid",
            Code::ProofInvalid => "proof_invalid",
            Code::RandomnessUnavailable => "randomness_unavailable",
            Code::ScalarInvalid => "scalar_invalid",
            Code::ScanKeyMismatch => "scan_key_mismatch",
            Code::SealedInvalid => "sealed_invalid",
            Code::SealingParametersInvalid => "sealing_parameters_invalid",
            Code::SignatureInvalid => "signature_invalid",
            Code::SizeInvalid => "size_invalid",
            Code::TagInvalid => "tag_invalid",
            Code::ValueRange => "value_range",
        }
    }
}

/// A code and a fixed sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Error {
    code: Code,
    message: &'static str,
}

impl Error {
    /// An error with this code.
    pub const fn new(code: Code, message: &'static str) -> Self {
        Error { code, message }
    }

    /// The code for programs.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The sentence for people.
    pub const fn message(&self) -> &'static str {
        self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl core::error::Error for Error {}

/// What every function that can fail returns.
pub type Result<T> = core::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_distinct() {
        let names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
