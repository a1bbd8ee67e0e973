//! Verifying signatures.

use pyo3::prelude::*;
use specie_kernel::{batch, cosigner, institution, schnorr, vrf};

use crate::convert::fixed;
use crate::errors::Result;

#[pyfunction]
fn verify_signature(py: Python<'_>, public: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    let (public, message, signature) = (fixed(public)?, fixed(message)?, fixed(signature)?);
    Ok(py.detach(|| schnorr::verify(public, message, signature))?)
}

#[pyfunction]
fn verify_signatures(py: Python<'_>, signatures: &[u8]) -> Result<()> {
    Ok(py.detach(|| batch::verify_signatures(signatures))?)
}

#[pyfunction]
fn verify_institution_signature(
    py: Python<'_>,
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<()> {
    let (public, signature) = (fixed(public)?, fixed(signature)?);
    Ok(py.detach(|| institution::verify(public, message, signature))?)
}

#[pyfunction]
fn verify_cosignature(
    py: Python<'_>,
    public: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<()> {
    let (public, signature) = (fixed(public)?, fixed(signature)?);
    Ok(py.detach(|| cosigner::verify(public, message, signature))?)
}

#[pyfunction]
fn verify_vrf(py: Python<'_>, public: &[u8], message: &[u8], value: &[u8]) -> Result<()> {
    let (public, message, value) = (fixed(public)?, fixed(message)?, fixed(value)?);
    Ok(py.detach(|| vrf::verify(public, message, value))?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify_signature, module)?)?;
    module.add_function(wrap_pyfunction!(verify_signatures, module)?)?;
    module.add_function(wrap_pyfunction!(verify_institution_signature, module)?)?;
    module.add_function(wrap_pyfunction!(verify_cosignature, module)?)?;
    module.add_function(wrap_pyfunction!(verify_vrf, module)?)
}
