//! About, disclaimer and privacy.

use super::{App, PublicDocument};
use crate::domain::Result;
use crate::render::TextPage;

impl App {
    /// The page of the text `name`: `about`, `disclaimer` or `privacy`.
    ///
    /// # Errors
    /// When there is no such text.
    pub fn text_page(&self, name: &'static str) -> Result<PublicDocument> {
        let text = self.texts.text(name, &self.config.site)?;
        let description = format!("{}: {}", self.config.site.name, text.title);
        let frame = self
            .frame("./")
            .public(&format!("/{name}"), &description)
            .here(name)
            .with_feeds("all", &self.config.site.name);
        self.public_page(&TextPage::new(frame, text))
    }
}
