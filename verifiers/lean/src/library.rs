//! Imported modules: found on a search path, indexed by name, their constants read on demand.
