//! pass@k: the chance that at least one of k responses is right, estimated without bias from n of them.

/// 1 − C(n − c, k) / C(n, k) (Chen et al. 2021, arXiv:2107.03374, eq. 1) for `right` = c of `n` responses. `None`
/// where it is not defined: k = 0, k > n or c > n.
#[must_use]
pub fn pass_at_k(n: u64, right: u64, k: u64) -> Option<f64> {
    if k == 0 || k > n || right > n {
        return None;
    }
    if n - right < k {
        return Some(1.0);
    }
    // C(n − c, k) / C(n, k) as a product of factors in (0, 1): binomials themselves overflow.
    let all_wrong: f64 = (n - right + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - all_wrong)
}
