//! ristretto255 (RFC 9496), its two generators, and sums of points.
//!
//! ```text
//! G       = the RFC's base point                                       masks and keys
//! H       = map(SHA-512("specie/v1/" ‖ "generator/value" ‖ 0x00))      values
//! C(v, m) = v·H + m·G
//! ```
//!
//! Points are decoded strictly, and the identity is refused wherever a point comes from outside.

use std::sync::LazyLock;

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{RISTRETTO_BASEPOINT_POINT, RISTRETTO_BASEPOINT_TABLE};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::traits::{Identity, IsIdentity};
use rayon::prelude::*;

use crate::cores::on_all_cores;
use crate::error::{Code, Error, Result};
use crate::hashing::{Tag, hash_wide};
use crate::layout::records;

/// Below this many points a second thread costs more than it saves.
const POINTS_PER_TASK_MIN: usize = 64;

static VALUE_TABLE: LazyLock<RistrettoBasepointTable> = LazyLock::new(|| {
    let wide = hash_wide(Tag::own("generator/value"), &[]);
    RistrettoBasepointTable::create(&RistrettoPoint::from_uniform_bytes(&wide))
});

/// A point other than the identity together with its one encoding.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    point: RistrettoPoint,
    encoded: CompressedRistretto,
}

impl Point {
    /// Strict decoding: `point_invalid`, `identity_point`.
    pub fn decode(bytes: &[u8; 32]) -> Result<Self> {
        let encoded = CompressedRistretto(*bytes);
        let point = encoded
            .decompress()
            .ok_or(Error::new(Code::PointInvalid, "not the canonical encoding of a point"))?;
        Point::from_parts(point, encoded)
    }

    /// A point we computed ourselves; the identity is refused all the same.
    pub fn new(point: RistrettoPoint) -> Result<Self> {
        Point::from_parts(point, point.compress())
    }

    fn from_parts(point: RistrettoPoint, encoded: CompressedRistretto) -> Result<Self> {
        if point.is_identity() {
            return Err(Error::new(Code::IdentityPoint, "the identity is not allowed here"));
        }
        Ok(Point { point, encoded })
    }

    /// The group element.
    pub fn as_point(&self) -> &RistrettoPoint {
        &self.point
    }

    /// Its encoding, kept from decoding.
    pub fn as_encoded(&self) -> &CompressedRistretto {
        &self.encoded
    }

    /// Its encoding as bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.encoded.to_bytes()
    }
}

/// H, the generator of values.
pub fn value_generator() -> RistrettoPoint {
    VALUE_TABLE.basepoint()
}

/// G, the generator of masks and keys.
pub fn blinding_generator() -> RistrettoPoint {
    RISTRETTO_BASEPOINT_POINT
}

/// `scalar·G`, in constant time.
pub fn times_blinding(scalar: &Scalar) -> RistrettoPoint {
    RISTRETTO_BASEPOINT_TABLE * scalar
}

/// `scalar·H`, in constant time.
pub fn times_value(scalar: &Scalar) -> RistrettoPoint {
    &*VALUE_TABLE * scalar
}

/// `C(v, m)`.
pub fn commit(value: u64, mask: &Scalar) -> RistrettoPoint {
    times_value(&Scalar::from(value)) + times_blinding(mask)
}

/// Strict decoding of a scalar: `scalar_invalid`.
pub fn decode_scalar(bytes: &[u8; 32]) -> Result<Scalar> {
    Option::from(Scalar::from_canonical_bytes(*bytes))
        .ok_or(Error::new(Code::ScalarInvalid, "not the canonical encoding of a scalar"))
}

/// Sum of a list of scalars of 32 bytes each.
pub fn sum_scalars(scalars: &[u8]) -> Result<[u8; 32]> {
    let mut sum = Scalar::ZERO;
    for bytes in records::<32>(scalars)? {
        sum += decode_scalar(bytes)?;
    }
    Ok(sum.to_bytes())
}

/// Sum of a list of points of 32 bytes each, decoded on all cores.
pub fn sum_points(points: &[u8]) -> Result<RistrettoPoint> {
    let points = records::<32>(points)?;
    on_all_cores(|| {
        points
            .par_iter()
            .with_min_len(POINTS_PER_TASK_MIN)
            .map(|bytes| Point::decode(bytes).map(|point| point.point))
            .try_reduce(RistrettoPoint::identity, |a, b| Ok(a + b))
    })?
}

/// A signed value as a scalar. −2¹²⁷ is refused, so that the range is symmetric.
pub fn scalar_from_signed(value: i128) -> Result<Scalar> {
    if value == i128::MIN {
        return Err(Error::new(Code::ValueRange, "the value must lie between -2**127 and 2**127"));
    }
    let magnitude = Scalar::from(value.unsigned_abs());
    Ok(if value < 0 { -magnitude } else { magnitude })
}

/// `balance_invalid` unless the point is the identity.
pub fn verify_zero(sum: &RistrettoPoint) -> Result<()> {
    if sum.is_identity() {
        Ok(())
    } else {
        Err(Error::new(Code::BalanceInvalid, "the sum is not zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generators_differ_and_commitments_open() {
        assert_ne!(value_generator(), blinding_generator());
        let mask = Scalar::from(7u64);
        let commitment = commit(5, &mask);
        let expected = value_generator() * Scalar::from(5u64) + blinding_generator() * mask;
        assert_eq!(commitment, expected);
        assert!(commit(0, &Scalar::ZERO).is_identity());
    }

    #[test]
    fn decoding_is_strict() {
        let code = |bytes| Point::decode(&bytes).map(|_| ()).map_err(|e| e.code());
        assert_eq!(code([0; 32]), Err(Code::IdentityPoint));
        // RFC 9496 A.2: a field element that is not reduced, and a negative one.
        let mut unreduced = [0xff; 32];
        unreduced[0] = 0xed;
        unreduced[31] = 0x7f;
        assert_eq!(code(unreduced), Err(Code::PointInvalid));
        let mut negative = [0; 32];
        negative[0] = 1;
        assert_eq!(code(negative), Err(Code::PointInvalid));
        assert_eq!(code(blinding_generator().compress().to_bytes()), Ok(()));
        assert!(decode_scalar(&[0xff; 32]).is_err());
        // ℓ itself has the second spelling 0.
        let order = (-Scalar::ONE).to_bytes();
        let mut beyond = order;
        beyond[0] += 1;
        assert!(decode_scalar(&order).is_ok());
        assert!(decode_scalar(&beyond).is_err());
    }

    #[test]
    fn sums() {
        let points: Vec<u8> = (1..=300u64)
            .flat_map(|i| times_blinding(&Scalar::from(i)).compress().to_bytes())
            .collect();
        assert_eq!(sum_points(&points), Ok(times_blinding(&Scalar::from(45150u64))));
        assert_eq!(sum_points(&[]), Ok(RistrettoPoint::identity()));
        let mut with_identity = points.clone();
        with_identity.extend([0; 32]);
        assert_eq!(sum_points(&with_identity).map_err(|e| e.code()), Err(Code::IdentityPoint));
        assert!(sum_points(&points[1..]).is_err());
        let scalars = [Scalar::from(3u64).to_bytes(), (-Scalar::from(3u64)).to_bytes()].concat();
        assert_eq!(sum_scalars(&scalars), Ok([0; 32]));
    }

    #[test]
    fn signed_values() {
        assert!(scalar_from_signed(i128::MIN).is_err());
        assert_eq!(scalar_from_signed(-5), Ok(-Scalar::from(5u64)));
        assert_eq!(scalar_from_signed(i128::MAX), Ok(Scalar::from(u128::MAX / 2)));
    }
}
