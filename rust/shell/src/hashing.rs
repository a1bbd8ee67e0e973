//! Hashes, single points and scalars, and the text form of addresses.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use specie_kernel::hashing::Tag;
use specie_kernel::{Code, Error, address, group, hashing};

use crate::convert::{self, Number, bytes, fixed, text};
use crate::errors::Result;

const NOT_A_TAG: Error = Error::new(Code::TagInvalid, "a tag is ASCII");
const NOT_AN_ADDRESS: Error = Error::new(Code::AddressInvalid, "not an address");

#[pyfunction]
fn tagged_hash<'py>(
    py: Python<'py>,
    tag: &Bound<'py, PyString>,
    data: &[u8],
) -> Result<Bound<'py, PyBytes>> {
    let tag = Tag::new(text(tag, NOT_A_TAG)?)?;
    Ok(bytes(py, hashing::hash(tag, &[data])))
}

#[pyfunction]
fn tagged_hash_many<'py>(
    py: Python<'py>,
    tag: &Bound<'py, PyString>,
    records: &[u8],
    width: Number<usize>,
) -> Result<Bound<'py, PyBytes>> {
    let tag = Tag::new(text(tag, NOT_A_TAG)?)?;
    let hashes = py.detach(|| hashing::hash_many(tag, records, width.0))?;
    Ok(bytes(py, hashes))
}

#[pyfunction]
fn tagged_scalar<'py>(
    py: Python<'py>,
    tag: &Bound<'py, PyString>,
    data: &[u8],
) -> Result<Bound<'py, PyBytes>> {
    let tag = Tag::new(text(tag, NOT_A_TAG)?)?;
    Ok(bytes(py, hashing::hash_to_scalar(tag, &[data]).as_bytes()))
}

#[pyfunction]
fn value_generator(py: Python<'_>) -> Bound<'_, PyBytes> {
    bytes(py, group::value_generator().compress().as_bytes())
}

#[pyfunction]
fn blinding_generator(py: Python<'_>) -> Bound<'_, PyBytes> {
    bytes(py, group::blinding_generator().compress().as_bytes())
}

#[pyfunction]
fn check_point(point: &[u8]) -> Result<()> {
    convert::point(point)?;
    Ok(())
}

#[pyfunction]
fn check_scalar(scalar: &[u8]) -> Result<()> {
    group::decode_scalar(fixed(scalar)?)?;
    Ok(())
}

#[pyfunction]
fn sum_scalars<'py>(py: Python<'py>, scalars: &[u8]) -> Result<Bound<'py, PyBytes>> {
    let sum = py.detach(|| group::sum_scalars(scalars))?;
    Ok(bytes(py, sum))
}

#[pyfunction]
fn bech32m_encode(prefix: &Bound<'_, PyString>, payload: &[u8]) -> Result<String> {
    Ok(address::encode(text(prefix, NOT_AN_ADDRESS)?, payload)?)
}

#[pyfunction]
fn bech32m_decode<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyString>,
) -> Result<(String, Bound<'py, PyBytes>)> {
    let (prefix, payload) = address::decode(convert::text(text, NOT_AN_ADDRESS)?)?;
    Ok((prefix, bytes(py, payload)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(tagged_hash, module)?)?;
    module.add_function(wrap_pyfunction!(tagged_hash_many, module)?)?;
    module.add_function(wrap_pyfunction!(tagged_scalar, module)?)?;
    module.add_function(wrap_pyfunction!(value_generator, module)?)?;
    module.add_function(wrap_pyfunction!(blinding_generator, module)?)?;
    module.add_function(wrap_pyfunction!(check_point, module)?)?;
    module.add_function(wrap_pyfunction!(check_scalar, module)?)?;
    module.add_function(wrap_pyfunction!(sum_scalars, module)?)?;
    module.add_function(wrap_pyfunction!(bech32m_encode, module)?)?;
    module.add_function(wrap_pyfunction!(bech32m_decode, module)?)
}
