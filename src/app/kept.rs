//! A count that is kept for a while: whoever asks often costs the database little.

use crate::domain::Result;
use std::time::{Duration, Instant};

/// A count is kept for so many times as long as it took: counting takes at most one fiftieth of the time.
const SHARE: u32 = 50;

/// What was counted last, and until when that is good.
pub(super) struct Kept<T> {
    /// How long it is good at least.
    least: Duration,
    last: tokio::sync::Mutex<Option<(T, Instant)>>,
}

impl<T: Clone> Kept<T> {
    /// Nothing was counted yet; a count will be good for `least`, and for longer when it took long.
    pub(super) fn new(least: Duration) -> Self {
        Self {
            least,
            last: tokio::sync::Mutex::default(),
        }
    }

    /// What was counted not long ago, or else what `count` gives; of several who ask, one counts.
    ///
    /// # Errors
    /// When counting fails; the next one tries again.
    pub(super) async fn get(&self, count: impl Future<Output = Result<T>>) -> Result<T> {
        let mut last = self.last.lock().await;
        if let Some((counted, good_until)) = &*last
            && *good_until > Instant::now()
        {
            return Ok(counted.clone());
        }
        let begun = Instant::now();
        let counted = count.await?;
        let good_for = good_for(begun.elapsed(), self.least);
        *last = Some((counted.clone(), Instant::now() + good_for));
        Ok(counted)
    }
}

/// How long a count is good that `took` so long.
fn good_for(took: Duration, least: Duration) -> Duration {
    (took * SHARE).max(least)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::Problem;

    #[test]
    fn what_took_long_is_kept_long() {
        let millis = Duration::from_millis;
        for (took, least, expected) in [(0, 0, 0), (1, 0, 50), (1, 5_000, 5_000), (600, 5_000, 30_000)] {
            assert_eq!(good_for(millis(took), millis(least)), millis(expected));
        }
    }

    #[tokio::test]
    async fn one_counts_for_those_who_come_soon_after_and_a_failure_is_not_kept() {
        let kept = Kept::new(Duration::from_secs(3600));
        let failed = async { Err(Problem::failed("away")) };
        assert!(kept.get(failed).await.is_err());
        for n in 1..=3 {
            assert_eq!(kept.get(async { Ok(n) }).await.unwrap(), 1);
        }
        let none = Kept::new(Duration::ZERO);
        none.get(async { Ok(1) }).await.unwrap();
        *none.last.lock().await = Some((1, Instant::now()));
        assert_eq!(none.get(async { Ok(2) }).await.unwrap(), 2);
    }
}
