//! `specie._kernel`: the Python face of `specie-kernel`. Conversions only; no rule lives here.
//!
//! Everything that takes long runs with the interpreter detached (the GIL released).

#![deny(unsafe_code)]

mod convert;
mod errors;
mod hashing;
mod opaque;
mod outputs;
mod proofs;
mod secrets;
mod signatures;
mod sums;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use specie_kernel::Code;
use specie_kernel::output::{OPENING_SIZE, OUTPUT_SIZE};

/// Records, scalars and points; it does not know what a payment means.
#[pymodule]
fn _kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let codes = PyTuple::new(module.py(), Code::ALL.map(Code::name))?;
    module.add("OUTPUT_SIZE", OUTPUT_SIZE)?;
    module.add("OPENING_SIZE", OPENING_SIZE)?;
    module.add("ERROR_CODES", codes)?;
    errors::register(module)?;
    hashing::register(module)?;
    sums::register(module)?;
    secrets::register(module)?;
    signatures::register(module)?;
    outputs::register(module)?;
    proofs::register(module)
}
