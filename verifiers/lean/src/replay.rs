//! Checks again what a theorem reaches in a compiled module.
