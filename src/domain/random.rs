//! Randomness, passed in so that tests can set it.

use aws_lc_rs::rand::{SecureRandom, SystemRandom as LcRandom};

use super::problem::{Problem, Result};

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random values.
    ///
    /// # Errors
    /// When the operating system gives none.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;

    /// A value in `[0, 1)`, for jitter; 0.5 when the source fails.
    fn unit(&self) -> f64 {
        let mut bytes = [0u8; 4];
        match self.fill(&mut bytes) {
            Ok(()) => f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
            Err(_) => 0.5,
        }
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemRandom(LcRandom);

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        self.0
            .fill(bytes)
            .map_err(|_| Problem::failed("the operating system gave no random bytes"))
    }
}
