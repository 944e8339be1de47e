//! Which device to compute on. The CUDA half of libtorch is loaded when a GPU is asked for, so that one binary serves
//! machines with and without one.

use std::sync::OnceLock;

use tch::{Cuda, Device, Kind};

use crate::recipe::Dtype;

/// Loads libtorch's CUDA library if this machine has an NVIDIA driver; what went wrong, if something did.
pub fn load_cuda() -> Result<(), String> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            if !std::path::Path::new("/proc/driver/nvidia/version").exists()
                && !std::path::Path::new("/dev/nvidia0").exists()
            {
                return Err("no NVIDIA driver is loaded on this machine".into());
            }
            let flags = libloading::os::unix::RTLD_LAZY | libloading::os::unix::RTLD_GLOBAL;
            // SAFETY: libtorch's own library, whose initialisers register CUDA kernels with the libtorch that is
            // already loaded; it is never unloaded.
            match unsafe { libloading::os::unix::Library::open(Some("libtorch_cuda.so"), flags) } {
                Ok(library) => {
                    std::mem::forget(library);
                    Ok(())
                }
                Err(error) => Err(format!("libtorch_cuda.so does not load: {error}")),
            }
        })
        .clone()
}

/// GPUs that libtorch can use.
#[must_use]
pub fn num_gpus() -> usize {
    if load_cuda().is_err() { 0 } else { usize::try_from(Cuda::device_count()).unwrap_or(0) }
}

/// The device that a plan names: `cpu` or `cuda:N`. Anything else is `cpu`, which the recipe's check rules out.
#[must_use]
pub fn parse(name: &str) -> Device {
    match name.strip_prefix("cuda:").and_then(|index| index.parse().ok()) {
        Some(index) => Device::Cuda(index),
        None => Device::Cpu,
    }
}

/// libtorch's kind for a type of the plan.
#[must_use]
pub fn kind(dtype: Dtype) -> Kind {
    match dtype {
        Dtype::F32 => Kind::Float,
        Dtype::Bf16 => Kind::BFloat16,
        Dtype::F16 => Kind::Half,
    }
}

/// The plan's name of a libtorch kind.
#[must_use]
pub fn dtype(kind: Kind) -> Dtype {
    match kind {
        Kind::BFloat16 => Dtype::Bf16,
        Kind::Half => Dtype::F16,
        _ => Dtype::F32,
    }
}
