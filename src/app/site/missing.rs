//! What stands at an address that is nobody's.

use super::App;
use crate::domain::Result;
use crate::render::NotFoundPage;

impl App {
    /// The page for an address below which `depth` further steps lead from the start page.
    ///
    /// # Errors
    /// When its template fails.
    pub fn not_found_page(&self, depth: usize) -> Result<String> {
        let root = match depth {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        };
        self.templates.page(&NotFoundPage {
            frame: self.frame(&root),
        })
    }
}
