//! Work on all cores, also after a fork.
//!
//! Rayon's own pool does not survive `fork`: a child has the pool but none of its threads, and
//! would wait for them for ever; and Python forks (`multiprocessing` on Linux). So a pool here
//! belongs to one process, and a child makes its own.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Code, Error, Result};

static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Runs `work` so that rayon inside it uses all cores; inside a pool already, that pool.
pub(crate) fn on_all_cores<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    if rayon::current_thread_index().is_some() {
        return Ok(work());
    }
    Ok(pool()?.install(work))
}

fn pool() -> Result<Arc<ThreadPool>> {
    let mut slot = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let this = process::id();
    if let Some((owner, pool)) = slot.as_ref()
        && *owner == this
    {
        return Ok(pool.clone());
    }
    let built = ThreadPoolBuilder::new().thread_name(|n| format!("specie-{n}")).build();
    let pool = Arc::new(built.map_err(|_| {
        Error::new(Code::MemoryUnavailable, "the operating system gave no threads")
    })?);
    // A parent's pool must not be dropped here: it would wait for threads that do not exist.
    core::mem::forget(slot.replace((this, pool.clone())));
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_made_once_and_the_callers_pool_is_respected() {
        assert!(Arc::ptr_eq(&pool().unwrap(), &pool().unwrap()));
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(on_all_cores(rayon::current_num_threads), Ok(cores));
        let own = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(own.install(|| on_all_cores(rayon::current_num_threads)), Ok(1));
    }
}
