//! Locks over what a panic cannot leave half changed: lists and sets that are changed by one call each.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the lock holds, also after a panic of who held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
