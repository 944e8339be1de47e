//! The variables by which launchers, schedulers and NCCL steer a process, as far as they are set.

use serde_json::{Map, Value};

use super::Finding;

/// By who sets or reads them.
const VARIABLES: [(&str, &[&str]); 7] = [
    (
        "torchrun",
        &[
            "RANK",
            "LOCAL_RANK",
            "WORLD_SIZE",
            "LOCAL_WORLD_SIZE",
            "GROUP_RANK",
            "MASTER_ADDR",
            "MASTER_PORT",
            "TORCHELASTIC_RUN_ID",
            "TORCHELASTIC_RESTART_COUNT",
            "TORCHELASTIC_USE_AGENT_STORE",
        ],
    ),
    (
        "Slurm",
        &[
            "SLURM_JOB_ID",
            "SLURM_JOB_NODELIST",
            "SLURM_JOB_NUM_NODES",
            "SLURM_NTASKS",
            "SLURM_NTASKS_PER_NODE",
            "SLURM_PROCID",
            "SLURM_LOCALID",
            "SLURM_GPUS_PER_NODE",
            "SLURM_CPUS_PER_TASK",
        ],
    ),
    (
        "Kubernetes",
        &["PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"],
    ),
    (
        "SkyPilot",
        &["SKYPILOT_NODE_IPS", "SKYPILOT_NODE_RANK", "SKYPILOT_NUM_NODES", "SKYPILOT_NUM_GPUS_PER_NODE"],
    ),
    ("MPI", &["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE"]),
    (
        "NCCL and CUDA",
        &[
            "NCCL_DEBUG",
            "NCCL_SOCKET_IFNAME",
            "NCCL_IB_HCA",
            "NCCL_IB_DISABLE",
            "NCCL_P2P_DISABLE",
            "NCCL_BUFFSIZE",
            "FI_PROVIDER",
            "GLOO_SOCKET_IFNAME",
            "TORCH_NCCL_ASYNC_ERROR_HANDLING",
            "TORCH_NCCL_DUMP_ON_TIMEOUT",
            "PYTORCH_ALLOC_CONF",
            "PYTORCH_CUDA_ALLOC_CONF",
            "CUDA_VISIBLE_DEVICES",
            "OMP_NUM_THREADS",
            "LD_LIBRARY_PATH",
        ],
    ),
    ("Hugging Face", &["HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"]),
];

/// Shown only as set or not.
const SECRET: [&str; 1] = ["HF_TOKEN"];

pub(super) fn findings() -> Vec<Finding> {
    of(&|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
}

fn of(variable: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (who, names) in VARIABLES {
        let mut set = Map::new();
        for name in names {
            if let Some(value) = variable(name) {
                let shown = if SECRET.contains(name) { "(set)".into() } else { value };
                set.insert((*name).to_owned(), shown.into());
            }
        }
        if !set.is_empty() {
            let value =
                set.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
            let value = value.collect::<Vec<_>>().join(" ");
            findings.push(Finding::good("environment", who, value).data(Value::Object(set)));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good(
            "environment",
            "launcher",
            "no variable of a launcher or of NCCL is set",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_shown_by_owner_and_secrets_are_not() {
        let found = of(&|name| match name {
            "RANK" => Some("3".into()),
            "WORLD_SIZE" => Some("8".into()),
            "HF_TOKEN" => Some("hf_abc".into()),
            _ => None,
        });
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name, found[0].value.as_str()), ("torchrun", "RANK=3 WORLD_SIZE=8"));
        assert_eq!(found[1].value, "HF_TOKEN=(set)");
        assert!(!serde_json::to_string(&found).unwrap().contains("hf_abc"));
        assert_eq!(of(&|_| None).len(), 1);
    }
}
