//! What an environment holds.
