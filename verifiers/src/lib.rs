//! verifiers
