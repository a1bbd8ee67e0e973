//! Handles of secrets. They do not pickle, copy, compare or print; bytes leave only sealed.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use specie_kernel::cosigner::CosignerKey as Cosigner;
use specie_kernel::institution::InstitutionKey as Institution;
use specie_kernel::keys::{self, ScanKey as Scan, SpendKey as Spend, ViewKey as View};
use specie_kernel::schnorr::SigningKey as Signing;
use specie_kernel::sealing::SealingKey as Sealing;
use specie_kernel::vrf::VrfKey as Vrf;
use specie_kernel::{Code, Error, output};

use crate::convert::{Number, bytes, fixed, text};
use crate::errors::Result;
use crate::opaque::opaque;

/// Sealing and unsealing, the same for every kind of secret.
macro_rules! sealable {
    ($($class:ident)*) => {$(
        #[pymethods]
        impl $class {
            fn seal<'py>(
                &self,
                py: Python<'py>,
                key: &SealingKey,
                aad: &[u8],
            ) -> Result<Bound<'py, PyBytes>> {
                Ok(bytes(py, key.0.seal_secret(&self.0, aad)?))
            }

            #[staticmethod]
            fn unseal(key: &SealingKey, sealed: &[u8], aad: &[u8]) -> Result<Self> {
                Ok($class(key.0.open_secret(sealed, aad)?))
            }
        }
    )*};
}

/// Key for sealing at rest: XChaCha20-Poly1305, key by Argon2id from a passphrase.
#[pyclass(frozen, module = "specie._kernel")]
struct SealingKey(Sealing);

#[pymethods]
impl SealingKey {
    #[staticmethod]
    fn derive(
        py: Python<'_>,
        passphrase: &[u8],
        salt: &[u8],
        memory_kib: Number<u32>,
        passes: Number<u32>,
        lanes: Number<u32>,
    ) -> Result<Self> {
        let (memory, passes, lanes) = (memory_kib.0, passes.0, lanes.0);
        let key = py.detach(|| Sealing::derive(passphrase, salt, memory, passes, lanes))?;
        Ok(SealingKey(key))
    }

    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(SealingKey(Sealing::generate()?))
    }

    fn with_older(&self, older: &SealingKey) -> Self {
        SealingKey(self.0.with_older(&older.0))
    }

    fn seal<'py>(&self, py: Python<'py>, plain: &[u8], aad: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.seal(plain, aad)?))
    }

    fn open<'py>(&self, py: Python<'py>, sealed: &[u8], aad: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, &*self.0.open(sealed, aad)?))
    }

    fn seal_key<'py>(
        &self,
        py: Python<'py>,
        other: &SealingKey,
        aad: &[u8],
    ) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.seal_secret(&other.0, aad)?))
    }

    fn open_key(&self, sealed: &[u8], aad: &[u8]) -> Result<SealingKey> {
        Ok(SealingKey(self.0.open_secret(sealed, aad)?))
    }
}

/// BIP-39 seed and its hardened branches.
#[pyclass(frozen, module = "specie._kernel")]
struct KeyTree(keys::KeyTree);

#[pymethods]
impl KeyTree {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(KeyTree(keys::KeyTree::generate()?))
    }

    #[staticmethod]
    fn from_phrase(phrase: &Bound<'_, PyString>) -> Result<Self> {
        let refused = Error::new(Code::PhraseInvalid, "not a BIP-39 phrase");
        Ok(KeyTree(keys::KeyTree::from_phrase(text(phrase, refused)?)?))
    }

    fn phrase<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.0.phrase())
    }

    fn view_key(&self, subwallet: Number<u32>) -> Result<ViewKey> {
        Ok(ViewKey(self.0.view_key(subwallet.0)?))
    }

    fn spend_key(&self, subwallet: Number<u32>) -> Result<SpendKey> {
        Ok(SpendKey(self.0.spend_key(subwallet.0)?))
    }

    fn wallet_secret(&self, subwallet: Number<u32>) -> WalletSecret {
        WalletSecret(self.0.wallet_secret(subwallet.0))
    }
}

/// Finds and opens what was paid to an address.
#[pyclass(frozen, module = "specie._kernel")]
pub struct ViewKey(pub View);

#[pymethods]
impl ViewKey {
    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public().to_bytes())
    }
}

/// Makes owner keys; never leaves the device.
#[pyclass(frozen, module = "specie._kernel")]
struct SpendKey(Spend);

#[pymethods]
impl SpendKey {
    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public().to_bytes())
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.sign(fixed(message)?)?))
    }

    fn owner_key(&self, view_key: &ViewKey, output: &[u8]) -> Result<SigningKey> {
        Ok(SigningKey(output::owner_key(&self.0, &view_key.0, fixed(output)?)?))
    }
}

/// Hedges the anchors of a wallet's outputs.
#[pyclass(frozen, module = "specie._kernel")]
struct WalletSecret(keys::WalletSecret);

#[pymethods]
impl WalletSecret {
    fn anchor<'py>(
        &self,
        py: Python<'py>,
        first_input: &[u8],
        index: Number<u32>,
    ) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.anchor(fixed(first_input)?, index.0)?))
    }
}

/// A participant's scan key x, V = x*G.
#[pyclass(frozen, module = "specie._kernel")]
pub struct ScanKey(pub Scan);

#[pymethods]
impl ScanKey {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(ScanKey(Scan::generate()?))
    }

    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public().to_bytes())
    }
}

/// Schnorr secret: attestation keys, one-time owner keys, kernels.
#[pyclass(frozen, module = "specie._kernel")]
pub struct SigningKey(pub Signing);

#[pymethods]
impl SigningKey {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(SigningKey(Signing::generate()?))
    }

    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public().to_bytes())
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.sign(fixed(message)?)))
    }
}

/// Ed25519 secret.
#[pyclass(frozen, module = "specie._kernel")]
struct InstitutionKey(Institution);

#[pymethods]
impl InstitutionKey {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(InstitutionKey(Institution::generate()?))
    }

    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public())
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Bound<'py, PyBytes> {
        bytes(py, self.0.sign(message))
    }
}

/// ML-DSA-44 secret of a cosigner.
#[pyclass(frozen, module = "specie._kernel")]
struct CosignerKey(Cosigner);

#[pymethods]
impl CosignerKey {
    #[staticmethod]
    fn generate(py: Python<'_>) -> Result<Self> {
        Ok(CosignerKey(py.detach(Cosigner::generate)?))
    }

    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public())
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, py.detach(|| self.0.sign(message))?))
    }
}

/// Secret of a verifiable random function.
#[pyclass(frozen, module = "specie._kernel")]
struct VrfKey(Vrf);

#[pymethods]
impl VrfKey {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(VrfKey(Vrf::generate()?))
    }

    #[getter]
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.public().to_bytes())
    }

    fn evaluate<'py>(&self, py: Python<'py>, message: &[u8]) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.evaluate(fixed(message)?)))
    }
}

/// m of one output.
#[pyclass(frozen, module = "specie._kernel")]
pub struct Mask(pub keys::Mask);

#[pymethods]
impl Mask {
    #[staticmethod]
    fn generate() -> Result<Self> {
        Ok(Mask(keys::Mask::generate()?))
    }

    fn commit<'py>(&self, py: Python<'py>, value: Number<u64>) -> Result<Bound<'py, PyBytes>> {
        Ok(bytes(py, self.0.commit(value.0)?.to_bytes()))
    }
}

opaque! {
    SealingKey KeyTree ViewKey SpendKey WalletSecret ScanKey SigningKey InstitutionKey CosignerKey
    VrfKey Mask
}
sealable! {
    KeyTree ViewKey SpendKey WalletSecret ScanKey SigningKey InstitutionKey CosignerKey
    VrfKey
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SealingKey>()?;
    module.add_class::<KeyTree>()?;
    module.add_class::<ViewKey>()?;
    module.add_class::<SpendKey>()?;
    module.add_class::<WalletSecret>()?;
    module.add_class::<ScanKey>()?;
    module.add_class::<SigningKey>()?;
    module.add_class::<InstitutionKey>()?;
    module.add_class::<CosignerKey>()?;
    module.add_class::<VrfKey>()?;
    module.add_class::<Mask>()
}
