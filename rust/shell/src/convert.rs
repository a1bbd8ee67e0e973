//! From Python's types to the kernel's. A wrong type is Python's `TypeError`; a wrong size, range
//! or spelling is a `KernelError`.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use specie_kernel::group::Point;
use specie_kernel::{Code, Error};

use crate::errors::{Result, kernel_error};

/// Exactly `N` bytes, or `size_invalid`.
pub fn fixed<const N: usize>(bytes: &[u8]) -> Result<&[u8; N]> {
    let sized = bytes.try_into();
    sized.map_err(|_| Error::new(Code::SizeInvalid, "bytes of the wrong length").into())
}

/// A point other than the identity.
pub fn point(bytes: &[u8]) -> Result<Point> {
    Ok(Point::decode(fixed(bytes)?)?)
}

/// A string that has an UTF-8 form; lone surrogates have none and get the caller's error.
pub fn text<'a>(string: &'a Bound<'_, PyString>, refused: Error) -> Result<&'a str> {
    Ok(string.to_str().map_err(|_| refused)?)
}

/// New `bytes`.
pub fn bytes<'py>(py: Python<'py>, content: impl AsRef<[u8]>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, content.as_ref())
}

/// A number, `value_range` if it is outside the range of `T`.
pub struct Number<T>(pub T);

impl<'a, 'py, T: FromPyObject<'a, 'py, Error = PyErr>> FromPyObject<'a, 'py> for Number<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<T>() {
            Ok(number) => Ok(Number(number)),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                Err(kernel_error(Error::new(Code::ValueRange, "a number outside its range")))
            }
            Err(error) => Err(error),
        }
    }
}
