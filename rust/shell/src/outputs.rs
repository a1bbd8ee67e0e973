//! Making outputs and finding them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use specie_kernel::{output, scan};

use crate::convert::{Number, bytes, fixed, point};
use crate::errors::Result;
use crate::opaque::opaque;
use crate::secrets::{Mask, ScanKey, ViewKey};

/// (output index, client index, opening297, mask)
type Hit<'py> = (usize, usize, Bound<'py, PyBytes>, Mask);

#[pyfunction]
fn derive_output<'py>(
    py: Python<'py>,
    opening: &[u8],
    bank_scan: &[u8],
    audit_key: Option<&[u8]>,
) -> Result<(Bound<'py, PyBytes>, Mask, Bound<'py, PyBytes>)> {
    let (opening, bank_scan) = (fixed(opening)?, point(bank_scan)?);
    let audit_key = audit_key.map(point).transpose()?;
    let derived = py.detach(|| output::derive(opening, &bank_scan, audit_key.as_ref()))?;
    let terms_nonce = bytes(py, derived.terms_nonce);
    Ok((bytes(py, derived.output), Mask(derived.mask), terms_nonce))
}

/// View keys and what is needed to rebuild outputs, for one serving bank.
#[pyclass(frozen, module = "specie._kernel")]
struct Scanner(Mutex<Arc<scan::Scanner>>);

impl Scanner {
    fn shared(&self) -> MutexGuard<'_, Arc<scan::Scanner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Scanner {
    #[new]
    #[pyo3(
        signature = (bank, bank_scan, audit_keys = vec![]),
        text_signature = "(bank, bank_scan, audit_keys=())"
    )]
    fn new(
        bank: Number<u32>,
        bank_scan: &[u8],
        audit_keys: Vec<(Number<u32>, Bound<'_, PyBytes>)>,
    ) -> Result<Self> {
        let audit_keys: Result<_> =
            audit_keys.iter().map(|(label, key)| Ok((label.0, point(key.as_bytes())?))).collect();
        let scanner = scan::Scanner::new(bank.0, point(bank_scan)?, audit_keys?)?;
        Ok(Scanner(Mutex::new(Arc::new(scanner))))
    }

    /// While a scan runs in another thread, it goes on with the clients it started with.
    fn add(&self, view_key: &ViewKey, spend_public: &[u8]) -> Result<usize> {
        let spend = point(spend_public)?;
        Ok(Arc::make_mut(&mut self.shared()).add(&view_key.0, spend))
    }

    fn scan<'py>(&self, py: Python<'py>, outputs: &[u8]) -> Result<(Vec<Hit<'py>>, Vec<usize>)> {
        let scanner = self.shared().clone();
        let found = py.detach(|| scanner.scan(outputs))?;
        Ok(to_python(py, found))
    }

    fn scan_hinted<'py>(
        &self,
        py: Python<'py>,
        scan_key: &ScanKey,
        outputs: &[u8],
    ) -> Result<(Vec<Hit<'py>>, Vec<usize>)> {
        let scanner = self.shared().clone();
        let found = py.detach(|| scanner.scan_hinted(&scan_key.0, outputs))?;
        Ok(to_python(py, found))
    }
}

opaque! { Scanner }

fn to_python(py: Python<'_>, found: scan::Found) -> (Vec<Hit<'_>>, Vec<usize>) {
    let hits = found
        .hits
        .into_iter()
        .map(|hit| (hit.output, hit.client, bytes(py, hit.opening), Mask(hit.mask)))
        .collect();
    (hits, found.refused)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(derive_output, module)?)?;
    module.add_class::<Scanner>()
}
