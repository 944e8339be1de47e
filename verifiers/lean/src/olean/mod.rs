//! The format of compiled modules: every pointer, tag, size and count is checked.
