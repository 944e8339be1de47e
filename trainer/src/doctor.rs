//! What this machine has, what would not work, and the command that mends it.
