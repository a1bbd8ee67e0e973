//! `PointSum`: the running sum of the public check.

use std::sync::{Mutex, MutexGuard, PoisonError};

use curve25519_dalek::RistrettoPoint;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use specie_kernel::group;

use crate::convert::{Number, bytes, fixed};
use crate::errors::Result;
use crate::opaque::opaque;

/// Running sum for the public check; starts at the identity. Adding is parallel inside.
#[pyclass(frozen, module = "specie._kernel")]
struct PointSum(Mutex<RistrettoPoint>);

impl PointSum {
    /// The sum. A panic cannot happen while it is held, so a poisoned lock would still be sound.
    fn sum(&self) -> MutexGuard<'_, RistrettoPoint> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PointSum {
    #[new]
    fn new() -> Self {
        PointSum(Mutex::default())
    }

    fn add_points(&self, py: Python<'_>, points: &[u8]) -> Result<()> {
        let added = py.detach(|| group::sum_points(points))?;
        *self.sum() += added;
        Ok(())
    }

    fn subtract_points(&self, py: Python<'_>, points: &[u8]) -> Result<()> {
        let subtracted = py.detach(|| group::sum_points(points))?;
        *self.sum() -= subtracted;
        Ok(())
    }

    fn add_value(&self, value: Number<i128>) -> Result<()> {
        let scalar = group::scalar_from_signed(value.0)?;
        *self.sum() += group::times_value(&scalar);
        Ok(())
    }

    fn add_blinding(&self, scalar: &[u8]) -> Result<()> {
        let scalar = group::decode_scalar(fixed(scalar)?)?;
        *self.sum() += group::times_blinding(&scalar);
        Ok(())
    }

    fn subtract_blinding(&self, scalar: &[u8]) -> Result<()> {
        let scalar = group::decode_scalar(fixed(scalar)?)?;
        *self.sum() -= group::times_blinding(&scalar);
        Ok(())
    }

    fn verify_zero(&self) -> Result<()> {
        Ok(group::verify_zero(&self.sum())?)
    }

    fn encoded<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let sum = *self.sum();
        bytes(py, sum.compress().as_bytes())
    }
}

opaque! { PointSum }

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PointSum>()
}
