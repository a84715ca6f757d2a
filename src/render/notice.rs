//! A notice: a mail to a single reader, rendered whole.

use super::context::{NoticeContext, to_data};
use super::engine;
use super::mail::mail_files;
use super::templates::Templates;
use crate::domain::text::escape_html;
use crate::domain::{Problem, Result};

/// A notice as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedNotice {
    /// One line.
    pub subject: String,
    /// The text part; LF line ends; every URL stands alone on its line.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Templates {
    /// Renders a notice with the templates of its kind.
    ///
    /// # Errors
    /// When a template fails, or leaves out a link without which the mail is of no use.
    pub fn notice(&self, context: &NoticeContext) -> Result<RenderedNotice> {
        let [subject, text, html] = mail_files(context.kind().as_str());
        let data = engine::context(to_data(context)?);
        let rendered = RenderedNotice {
            subject: self.render_with(&subject, &data)?,
            text: self.render_with(&text, &data)?,
            html: self.render_with(&html, &data)?,
        };
        require_links(&text, &rendered.text, context)?;
        require_links(&html, &rendered.html, context)?;
        Ok(rendered)
    }
}

/// Every part of a notice must show the links that it is for. A link itself is not told: it may be a token.
pub(super) fn require_links(name: &str, rendered: &str, context: &NoticeContext) -> Result<()> {
    for (link, url) in context.links() {
        if !rendered.contains(url) && !rendered.contains(&escape_html(url)) {
            return Err(
                Problem::configuration(format!("template {name}: does not show {link}")).hint(format!(
                    "put {{{{{link}}}}} into it, on a line of its own in a text part"
                )),
            );
        }
    }
    Ok(())
}
