//! Names, universe levels and expressions in one arena, each term once.
