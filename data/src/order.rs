//! The order in which a run takes its problems: a new permutation each epoch, addressed by position, so that a resumed
//! run needs nothing but the position it stopped at.

use crate::seeds::{keyed_rng, permutation};

/// A seeded order over a dataset's problems. Positions count the problems of a run from 0 and run through epoch after
/// epoch; every problem comes once in each epoch.
#[derive(Clone, Debug)]
pub struct Order {
    seed: u64,
    num_problems: usize,
    /// The permutation of the epoch that was asked for last: the next position is nearly always in the same one.
    cached: Option<(u64, Vec<usize>)>,
}

impl Order {
    /// An order over `num_problems` problems (0 is taken as 1; a loaded dataset is never empty).
    #[must_use]
    pub fn new(seed: u64, num_problems: usize) -> Self {
        Self { seed, num_problems: num_problems.max(1), cached: None }
    }

    /// The index of the problem at `position`. Depends on the seed, the number of problems and the position alone;
    /// `mut` is for the cache.
    pub fn at(&mut self, position: u64) -> usize {
        let epoch = self.epoch(position);
        let offset = (position % self.num_problems as u64) as usize;
        let fresh = match self.cached.take() {
            Some((cached, order)) if cached == epoch => order,
            _ => self.permutation_of(epoch),
        };
        let problem = fresh[offset];
        self.cached = Some((epoch, fresh));
        problem
    }

    /// The epoch in which `position` lies, counted from 0.
    #[must_use]
    pub fn epoch(&self, position: u64) -> u64 {
        position / self.num_problems as u64
    }

    fn permutation_of(&self, epoch: u64) -> Vec<usize> {
        let mut rng = keyed_rng(&[b"order", &self.seed.to_le_bytes(), &epoch.to_le_bytes()]);
        permutation(&mut rng, self.num_problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn epoch_of(seed: u64, epoch: u64, n: u64) -> Vec<usize> {
        let mut order = Order::new(seed, n as usize);
        (epoch * n..(epoch + 1) * n).map(|position| order.at(position)).collect()
    }

    proptest! {
        #[test]
        fn every_epoch_holds_every_problem_once(seed: u64, epoch in 0..1000_u64, n in 1..200_u64) {
            let mut problems = epoch_of(seed, epoch, n);
            problems.sort_unstable();
            prop_assert_eq!(problems, (0..n as usize).collect::<Vec<_>>());
        }

        #[test]
        fn a_position_gives_the_same_problem_whatever_was_asked_before(
            seed: u64, positions in prop::collection::vec(0..500_u64, 1..50),
        ) {
            let mut order = Order::new(seed, 37);
            for position in positions {
                prop_assert_eq!(order.at(position), Order::new(seed, 37).at(position));
            }
        }
    }

    #[test]
    fn seeds_and_epochs_have_orders_of_their_own() {
        assert_ne!(epoch_of(1, 0, 50), epoch_of(2, 0, 50));
        assert_ne!(epoch_of(1, 0, 50), epoch_of(1, 1, 50));
    }

    #[test]
    fn the_order_is_the_same_on_every_machine_and_version() {
        assert_eq!(epoch_of(0, 0, 8), GOLDEN);
    }

    /// Taken from this implementation once: a change would reorder every run that is resumed after an update.
    const GOLDEN: [usize; 8] = [2, 1, 5, 0, 6, 7, 4, 3];

    #[test]
    fn an_order_over_nothing_does_not_panic() {
        assert_eq!(Order::new(0, 0).at(5), 0);
    }
}
