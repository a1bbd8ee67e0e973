//! What handles refuse: pickling and copying; and how they print.

use pyo3::PyResult;
use pyo3::exceptions::PyTypeError;

/// What every handle refuses, and how it prints. Copying goes through `__reduce_ex__`.
macro_rules! opaque {
    ($($class:ident)*) => {$(
        #[pyo3::pymethods]
        impl $class {
            fn __repr__(&self) -> &'static str {
                concat!("<", stringify!($class), ">")
            }

            fn __reduce__(&self) -> pyo3::PyResult<()> {
                crate::opaque::refuse(concat!(stringify!($class), " does not pickle or copy"))
            }

            fn __reduce_ex__(&self, _protocol: i32) -> pyo3::PyResult<()> {
                self.__reduce__()
            }
        }
    )*};
}

pub(crate) use opaque;

/// The refusal itself.
pub fn refuse(message: &'static str) -> PyResult<()> {
    Err(PyTypeError::new_err(message))
}
