//! t
pub(super) fn repository() -> std::path::PathBuf {
    "/work/wt-recipe".into()
}
