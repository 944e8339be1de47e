//! libtorch: which one runs, whether it computes, and whether it finds GPUs.

use std::path::Path;

use serde_json::json;
use tch::{Cuda, Device, Kind, Tensor};

use super::{Finding, parse, read};
use crate::model::device;
use crate::model::torch::guard;

/// The libtorch that this program's bindings (tch 0.24) are made for.
const WANTED: &str = "2.11.";
/// The first driver that CUDA 13 runs on.
const CUDA_13_DRIVER: u32 = 580;

pub(super) fn findings() -> Vec<Finding> {
    let folder = read("/proc/self/maps").and_then(|maps| parse::mapped_folder(&maps, "libtorch_cpu.so"));
    let version = folder.as_deref().and_then(version);
    let driver = read("/proc/driver/nvidia/version").and_then(|text| parse::driver_version(&text));
    let mut findings = vec![libtorch(folder.as_deref(), version.as_deref()), arithmetic()];
    findings.push(driver_finding(driver.as_deref(), version.as_deref()));
    findings.push(gpus(driver.is_some()));
    findings
}

/// The version of the libtorch whose libraries lie in `lib`: of a wheel, or of a download from pytorch.org.
fn version(lib: &str) -> Option<String> {
    let root = Path::new(lib).parent()?.to_str()?;
    let wheel = read(&format!("{root}/version.py")).and_then(|text| parse::wheel_version(&text));
    wheel.or_else(|| read(&format!("{root}/build-version")))
}

fn libtorch(folder: Option<&str>, version: Option<&str>) -> Finding {
    let place = folder.unwrap_or("a place that the system does not tell");
    let value = format!("{} in {place}", version.unwrap_or("of unknown version"));
    let found = Finding::good("libtorch", "version", value)
        .data(json!({ "version": version, "folder": folder, "wanted": format!("{WANTED}x") }));
    match version {
        Some(version) if !version.starts_with(WANTED) => found.broken(
            format!("anything may crash or be wrong: the bindings are made for libtorch {WANTED}x"),
            "build again with LIBTORCH set to the torch folder of `pip install --no-deps torch==2.11.0`",
        ),
        _ => found,
    }
}

/// A product and its gradient, as training computes them.
fn arithmetic() -> Finding {
    // The first backward pass fixes which devices libtorch knows, so CUDA's half comes before it. Whether it loaded is
    // another finding.
    let _ = device::load_cuda();
    let outcome = guard("computing a matrix product and its gradient", || {
        let a = Tensor::ones([8, 8], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let sum = a.matmul(&a).sum(Kind::Float);
        sum.backward();
        // The sum is that of 64 entries of 8; each entry of `a` is in 16 products.
        sum.double_value(&[]) == 512.0 && a.grad().eq(16.0).all().int64_value(&[]) == 1
    });
    let found = |value: &str| {
        Finding::good("libtorch", "arithmetic", value).data(json!({
            "threads": tch::get_num_threads(), "mkl": tch::utils::has_mkl(), "mkldnn": tch::utils::has_mkldnn(),
        }))
    };
    let mend = "install libtorch again (`pip install --force-reinstall --no-deps torch==2.11.0`)";
    match outcome {
        Ok(true) => found("a matrix product and its gradient are right"),
        Ok(false) => {
            found("a matrix product or its gradient is wrong").broken("nothing can be trained", mend)
        }
        Err(error) => found(&error.to_string()).broken("nothing can be trained", mend),
    }
}

fn driver_finding(driver: Option<&str>, libtorch: Option<&str>) -> Finding {
    let Some(driver) = driver else {
        return Finding::good("GPU", "driver", "no NVIDIA driver is loaded").absent(
            "training runs on the CPU",
            format!("on a machine with an NVIDIA GPU, install its driver, {CUDA_13_DRIVER} or newer"),
        );
    };
    let found = Finding::good("GPU", "driver", driver).data(json!({ "version": driver }));
    let major: Option<u32> = driver.split('.').next().and_then(|major| major.parse().ok());
    let for_13 = libtorch.and_then(parse::cuda_of).is_some_and(|(major, _)| major >= 13);
    match major {
        Some(major) if for_13 && major < CUDA_13_DRIVER => found.absent(
            format!("GPUs cannot be used: this libtorch is for CUDA 13, which needs driver {CUDA_13_DRIVER} or newer"),
            "update the driver, or build with a libtorch for an older CUDA",
        ),
        _ => found,
    }
}

fn gpus(has_driver: bool) -> Finding {
    let models = models();
    let data = |count: usize| json!({ "usable": count, "models": models });
    if let Err(problem) = device::load_cuda() {
        let found = Finding::good("GPU", "CUDA", problem).data(data(0));
        let mend = if has_driver {
            "install libtorch with its CUDA libraries (`pip install torch==2.11.0`, without --no-deps) and build again"
        } else {
            "nothing, unless this machine has a GPU: then its driver comes first"
        };
        return found.absent("training runs on the CPU", mend);
    }
    let count = device::num_gpus();
    let named = if models.is_empty() { String::new() } else { format!(": {}", models.join(", ")) };
    let cudnn = if Cuda::cudnn_is_available() { "with cuDNN" } else { "without cuDNN" };
    let found =
        Finding::good("GPU", "CUDA", format!("{count} usable GPUs{named}; {cudnn}")).data(data(count));
    if count > 0 {
        return found;
    }
    found.absent(
        "training runs on the CPU",
        "check `nvidia-smi` and CUDA_VISIBLE_DEVICES; in a container, start it with its GPUs (docker run --gpus all)",
    )
}

/// The names of the GPUs that the driver has, in the order of their slots.
fn models() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let mut slots: Vec<_> = entries.map(|entry| entry.path().join("information")).collect();
    slots.sort();
    slots.iter().filter_map(|path| parse::gpu_model(&std::fs::read_to_string(path).ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn another_libtorch_is_broken_and_an_unknown_one_is_not() {
        assert_eq!(libtorch(Some("/t/lib"), Some("2.13.0+cpu")).state, State::Broken);
        assert_eq!(libtorch(Some("/t/lib"), Some("2.11.0")).state, State::Good);
        assert_eq!(libtorch(None, None).state, State::Good);
    }

    #[test]
    fn a_driver_that_is_too_old_for_this_libtorch_is_told() {
        let state = |driver, libtorch| driver_finding(driver, libtorch).state;
        assert_eq!(state(None, Some("2.11.0+cu130")), State::Absent);
        assert_eq!(state(Some("535.129.03"), Some("2.11.0+cu130")), State::Absent);
        assert_eq!(state(Some("535.129.03"), Some("2.11.0+cu128")), State::Good);
        assert_eq!(state(Some("580.65.06"), Some("2.11.0+cu130")), State::Good);
    }

    #[test]
    fn this_libtorch_computes() {
        assert_eq!(arithmetic().state, State::Good);
    }
}
