//! The peak memory of a piece of work: resident on a CPU, as the driver counts it on a GPU. Where it cannot be known the
//! figure is null and says why.

use std::ffi::c_int;

use libloading::os::unix::{Library, Symbol};
use tch::Device;

use crate::run::record::peak_resident_bytes;

/// A peak, and what it is the peak of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Peak {
    /// Bytes; `None` where they cannot be known.
    pub peak_bytes: Option<u64>,
    /// What was counted, or why nothing was.
    pub peak_bytes_of: String,
}

/// What is in use on a device before anything of ours lies there, so that what others hold is not counted.
#[derive(Clone, Debug)]
pub struct Baseline {
    device: Device,
    used: Result<u64, String>,
}

impl Baseline {
    /// Takes the baseline of `device`: call it before the model is loaded.
    #[must_use]
    pub fn take(device: Device) -> Self {
        let used = match device {
            Device::Cuda(index) => used_on_gpu(index),
            _ => Ok(0),
        };
        Self { device, used }
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Begins to watch: the resident peak is forgotten, so that what came before does not count.
    #[must_use]
    pub(super) fn watch(&self) -> Watch<'_> {
        // "5" resets the peak resident set (proc(5)); where that is not allowed, the figure says so.
        let was_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        Watch { baseline: self, was_reset }
    }
}

/// A watched piece of work.
pub(super) struct Watch<'a> {
    baseline: &'a Baseline,
    was_reset: bool,
}

impl Watch<'_> {
    /// The peak since the watch began. On a GPU: since the baseline was taken, because libtorch keeps what it once had.
    pub(super) fn peak(self) -> Peak {
        let Device::Cuda(index) = self.baseline.device else { return self.resident() };
        let used = self.baseline.used.clone().and_then(|before| Ok((before, used_on_gpu(index)?)));
        match used {
            Ok((before, now)) => Peak {
                peak_bytes: Some(now.saturating_sub(before)),
                peak_bytes_of:
                    "GPU memory taken since before the model was loaded, as the driver counts it: what \
                                libtorch's allocator reserved (it gives nothing back) and loaded kernels"
                        .into(),
            },
            Err(why) => Peak { peak_bytes: None, peak_bytes_of: why },
        }
    }

    fn resident(&self) -> Peak {
        match (peak_resident_bytes(), self.was_reset) {
            (0, _) => Peak { peak_bytes: None, peak_bytes_of: "/proc/self/status tells no VmHWM".into() },
            (bytes, true) => {
                Peak { peak_bytes: Some(bytes), peak_bytes_of: "resident memory while the clock ran".into() }
            }
            (bytes, false) => Peak {
                peak_bytes: Some(bytes),
                peak_bytes_of:
                    "resident memory since the process began: /proc/self/clear_refs is not writable".into(),
            },
        }
    }
}

type MemGetInfo = unsafe extern "C" fn(free: *mut usize, total: *mut usize) -> c_int;
type SetDevice = unsafe extern "C" fn(device: c_int) -> c_int;
type GetDevice = unsafe extern "C" fn(device: *mut c_int) -> c_int;

/// Bytes in use on a GPU, whoever holds them. tch shows nothing of libtorch's allocator, so the CUDA runtime is asked;
/// libtorch has it loaded.
fn used_on_gpu(index: usize) -> Result<u64, String> {
    let library = Library::this();
    let missing = |error: libloading::Error| format!("the CUDA runtime is not loaded: {error}");
    // SAFETY: the three functions have the signatures that the CUDA runtime documents for them.
    let (mem_get_info, set_device, get_device): (Symbol<MemGetInfo>, Symbol<SetDevice>, Symbol<GetDevice>) = unsafe {
        (
            library.get(b"cudaMemGetInfo\0").map_err(missing)?,
            library.get(b"cudaSetDevice\0").map_err(missing)?,
            library.get(b"cudaGetDevice\0").map_err(missing)?,
        )
    };
    let wanted = c_int::try_from(index).map_err(|_| format!("no GPU has the number {index}"))?;
    let (mut current, mut free, mut total) = (0, 0usize, 0usize);
    // SAFETY: the pointers are to live variables of the documented types; the current device is put back.
    let codes = unsafe {
        let got = get_device(&raw mut current);
        let set = set_device(wanted);
        let asked = mem_get_info(&raw mut free, &raw mut total);
        let back = set_device(current);
        [got, set, asked, back]
    };
    match codes.into_iter().find(|&code| code != 0) {
        Some(code) => Err(format!("the CUDA runtime does not tell the memory in use: error {code}")),
        None => Ok((total - free) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gpu_the_reason_is_told() {
        if crate::model::device::num_gpus() > 0 {
            return;
        }
        let baseline = Baseline::take(Device::Cuda(0));
        let peak = baseline.watch().peak();
        assert_eq!(peak.peak_bytes, None);
        assert!(peak.peak_bytes_of.contains("CUDA runtime"), "{peak:?}");
    }
}
