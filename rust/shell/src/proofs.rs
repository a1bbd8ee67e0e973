//! Range proofs, balance keys, statements.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use specie_kernel::{balance, batch, keys, range_proof};

use crate::convert::{Number, bytes, fixed};
use crate::errors::Result;
use crate::opaque::opaque;
use crate::secrets::{Mask, SigningKey};

#[pyfunction]
fn range_proof_size(covers: Number<usize>) -> Result<usize> {
    Ok(range_proof::proof_size(covers.0)?)
}

#[pyfunction]
fn prove_range<'py>(
    py: Python<'py>,
    values: Vec<Number<u64>>,
    masks: Vec<Bound<'py, Mask>>,
) -> Result<Bound<'py, PyBytes>> {
    let values: Vec<u64> = values.into_iter().map(|value| value.0).collect();
    let masks = kernel_masks(&masks);
    let proof = py.detach(|| range_proof::prove(&values, &masks))?;
    Ok(bytes(py, proof))
}

#[pyfunction]
fn verify_range(py: Python<'_>, proof: &[u8], commitments: &[u8]) -> Result<()> {
    Ok(py.detach(|| range_proof::verify(proof, commitments))?)
}

#[pyfunction]
fn balance_key<'py>(
    py: Python<'py>,
    out_masks: Vec<Bound<'py, Mask>>,
    in_masks: Vec<Bound<'py, Mask>>,
) -> Result<(SigningKey, Bound<'py, PyBytes>)> {
    let (key, offset) = balance::balance_key(&kernel_masks(&out_masks), &kernel_masks(&in_masks))?;
    Ok((SigningKey(key), bytes(py, offset)))
}

fn kernel_masks<'a>(masks: &'a [Bound<'_, Mask>]) -> Vec<&'a keys::Mask> {
    masks.iter().map(|mask| &mask.get().0).collect()
}

/// What has to hold for one transaction; verified only in `verify_statements`.
#[pyclass(frozen, module = "specie._kernel")]
struct Statement(batch::Statement);

#[pymethods]
impl Statement {
    #[new]
    fn new(
        signatures: &[u8],
        kernels: Number<usize>,
        inputs: &[u8],
        outputs: &[u8],
        value: Number<i64>,
        offset: Option<&[u8]>,
        proofs: Vec<(Bound<'_, PyBytes>, Number<usize>)>,
    ) -> Result<Self> {
        let offset = offset.map(fixed).transpose()?.copied();
        let proofs =
            proofs.iter().map(|(proof, covers)| (proof.as_bytes().to_vec(), covers.0)).collect();
        let (kernels, value) = (kernels.0, value.0);
        let statement =
            batch::Statement::new(signatures, kernels, inputs, outputs, value, offset, proofs)?;
        Ok(Statement(statement))
    }
}

opaque! { Statement }

#[pyfunction]
fn verify_statements(py: Python<'_>, statements: Vec<Bound<'_, Statement>>) -> Result<()> {
    let statements: Vec<&batch::Statement> =
        statements.iter().map(|statement| &statement.get().0).collect();
    Ok(py.detach(|| batch::verify_statements(&statements))?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(range_proof_size, module)?)?;
    module.add_function(wrap_pyfunction!(prove_range, module)?)?;
    module.add_function(wrap_pyfunction!(verify_range, module)?)?;
    module.add_function(wrap_pyfunction!(balance_key, module)?)?;
    module.add_class::<Statement>()?;
    module.add_function(wrap_pyfunction!(verify_statements, module)?)
}
