//! The border to libtorch: tch's plain methods panic where libtorch throws (out of memory, a bad shape). Stages that
//! run tensors do it inside [`guard`], which turns such a panic into an error with libtorch's own message.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// libtorch refused.
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// An allocation failed.
    #[error("out of memory while {doing}{}: {message}", asked_words(*asked))]
    OutOfMemory {
        /// The stage that asked.
        doing: String,
        /// Bytes that it asked for at last, where libtorch says how many.
        asked: Option<u64>,
        /// libtorch's first line.
        message: String,
    },
    /// Anything else: a programmer's mistake or a broken device.
    #[error("libtorch failed while {doing}: {message}")]
    Failed {
        /// The stage that failed.
        doing: String,
        /// libtorch's message.
        message: String,
    },
}

impl TorchError {
    /// Whether an allocation failed.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. })
    }
}

fn asked_words(asked: Option<u64>) -> String {
    asked.map_or(String::new(), |bytes| format!(", {:.2} GB more were not to be had", bytes as f64 / 1e9))
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}
static QUIET_HOOK: Once = Once::new();

/// Runs `work`; a panic inside it becomes an error that names `doing`.
///
/// # Errors
/// When libtorch throws inside `work`.
pub fn guard<T>(doing: &str, work: impl FnOnce() -> T) -> Result<T, TorchError> {
    // The default hook would print a backtrace for what is about to be reported as an error.
    QUIET_HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                previous(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    outcome.map_err(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        classify(doing, text)
    })
}

fn classify(doing: &str, text: &str) -> TorchError {
    let lower = text.to_lowercase();
    // libtorch's message is followed by a C++ backtrace.
    let message = text.split("\\nException raised from").next().unwrap_or(text).trim().to_string();
    let doing = doing.to_string();
    if lower.contains("out of memory")
        || lower.contains("can't allocate memory")
        || lower.contains("bad_alloc")
    {
        TorchError::OutOfMemory { doing, asked: asked(&message), message }
    } else {
        TorchError::Failed { doing, message }
    }
}

/// The size in "you tried to allocate 4096 bytes" (CPU) or "Tried to allocate 20.00 GiB" (GPU).
fn asked(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("ried to allocate ")?;
    let mut words = rest.split_whitespace();
    let amount: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()?.trim_matches(|c: char| !c.is_alphabetic()) {
        "bytes" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((amount * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_shape_is_an_error_that_names_the_stage() {
        let a = tch::Tensor::zeros([2, 3], (tch::Kind::Float, tch::Device::Cpu));
        let error = guard("sampling", || a.matmul(&a)).unwrap_err();
        assert!(matches!(error, TorchError::Failed { .. }), "{error}");
        assert!(error.to_string().starts_with("libtorch failed while sampling:"), "{error}");
    }

    #[test]
    fn an_impossible_allocation_is_out_of_memory() {
        let size = 1i64 << 50;
        let error = guard("updating", || tch::Tensor::empty([size], (tch::Kind::Float, tch::Device::Cpu)))
            .unwrap_err();
        assert!(error.is_out_of_memory(), "{error}");
        assert!(
            matches!(error, TorchError::OutOfMemory { asked: Some(bytes), .. } if bytes == 4 << 50),
            "{error:?}"
        );
        let words = "out of memory while updating, 4503599.63 GB more were not to be had: ";
        assert!(error.to_string().starts_with(words), "{error}");
    }

    #[test]
    fn the_size_is_read_from_either_device() {
        let gpu = "CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 23.64 GiB";
        assert_eq!(asked(gpu), Some(3 << 29));
        assert_eq!(
            asked("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes. Error"),
            Some(64)
        );
        assert_eq!(asked("std::bad_alloc"), None);
    }
}
