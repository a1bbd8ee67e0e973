//! `KernelError`: a `ValueError` with a code.

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use specie_kernel::batch::Refusal;
use specie_kernel::{Code, Error};

create_exception!(
    specie._kernel,
    KernelError,
    PyValueError,
    "args = (code, message). No secret and no input bytes in the message."
);

/// What a shell function returns: the kernel's errors become Python's on the way out.
pub type Result<T> = core::result::Result<T, Raised>;

/// An error on its way to Python.
pub enum Raised {
    /// An error of the kernel.
    Kernel(Error),
    /// A batch that was not accepted.
    Batch(Refusal),
    /// Python's own: a wrong type, an interrupted iteration.
    Python(PyErr),
}

impl From<Error> for Raised {
    fn from(error: Error) -> Self {
        Raised::Kernel(error)
    }
}

impl From<Refusal> for Raised {
    fn from(refusal: Refusal) -> Self {
        Raised::Batch(refusal)
    }
}

impl From<PyErr> for Raised {
    fn from(error: PyErr) -> Self {
        Raised::Python(error)
    }
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        match raised {
            Raised::Python(error) => error,
            Raised::Kernel(error) | Raised::Batch(Refusal::Error(error)) => kernel_error(error),
            Raised::Batch(Refusal::Named(failures)) => {
                let message = "at least one statement does not hold";
                let failures: Vec<_> = failures
                    .iter()
                    .map(|failure| (failure.statement, failure.part.name(), failure.position))
                    .collect();
                let refused = kernel_error(Error::new(Code::BatchRefused, message));
                Python::attach(|py| {
                    let named = PyTuple::new(py, failures);
                    let set = named.and_then(|named| refused.value(py).setattr("failures", named));
                    set.map_or_else(|error| error, |()| refused)
                })
            }
        }
    }
}

/// A `KernelError` with its `code` set.
pub fn kernel_error(error: Error) -> PyErr {
    let code = error.code().name();
    let raised = KernelError::new_err((code, error.message()));
    Python::attach(|py| match raised.value(py).setattr("code", code) {
        Ok(()) => raised,
        Err(error) => error,
    })
}

/// Adds the class, with defaults for the attributes every instance has.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<KernelError>();
    class.setattr("code", "")?;
    class.setattr("failures", PyTuple::empty(module.py()))?;
    module.add("KernelError", class)
}
