//! A digest mail: rendered once for many readers, shortened until it fits.

use serde_json::{Value, json};

use super::context::{DigestContext, Level, to_data};
use super::slots::{self, Piece, Slot};
use super::templates::{Templates, require_way_out};
use crate::domain::{Problem, Result};

/// The largest HTML part, in bytes; web mail clips near 102 kB.
const MAX_HTML: usize = 90_000;

/// A mail is rendered once for readers whose name is known, and once for those without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReaderShape {
    /// `{{#if reader.name}}` holds.
    Named,
    /// It does not.
    Unnamed,
}

/// A mail for every reader of one segment and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line, without slots.
    pub subject: String,
    /// The text part; LF line ends; every URL stands alone on its line.
    pub text: Vec<Piece>,
    /// The HTML part; slots are filled with escaped values.
    pub html: Vec<Piece>,
    /// Whether entries were shortened so that the HTML part fits.
    pub shortened: bool,
}

impl Templates {
    /// Renders the mail `mail` (a folder below `templates/email`), shortening entries level by level
    /// until the HTML part has at most 90,000 bytes. No entry is ever dropped.
    ///
    /// # Errors
    /// When a template fails, or not even the shortest entries fit.
    pub fn digest(&self, mail: &str, context: &DigestContext, reader: ReaderShape) -> Result<RenderedMail> {
        let part = |file: &str| format!("email/{mail}/{file}");
        let mut size = 0;
        let mut last = None;
        for level in Level::ALL {
            let shorter = context.at(level);
            if last.as_ref() == Some(&shorter) {
                continue;
            }
            let data = with_reader(&shorter, reader)?;
            let html = self.render(&part("body.mjml.hbs"), data.clone())?;
            size = slots::filled_size(&html);
            if size <= MAX_HTML {
                let text = self.render(&part("body.txt.hbs"), data)?;
                require_way_out(&part("body.mjml.hbs"), &html)?;
                require_way_out(&part("body.txt.hbs"), &text)?;
                return Ok(RenderedMail {
                    subject: self.render(&part("subject.txt.hbs"), to_data(&shorter)?)?,
                    text: slots::cut(&text),
                    html: slots::cut(&html),
                    shortened: shorter.shortened,
                });
            }
            last = Some(shorter);
        }
        Err(Problem::failed(format!(
            "edition {} of {} with {} entries does not fit into {MAX_HTML} bytes of HTML, however short: {size}",
            context.edition.number, context.digest.name, context.count
        ))
        .hint("lower the digest's max_items, shorten the editor's note, or take text out of the mail's template"))
    }
}

/// The context as data, with markers for what differs from reader to reader.
pub(super) fn with_reader(context: &DigestContext, reader: ReaderShape) -> Result<Value> {
    let mut data = to_data(context)?;
    if let Value::Object(values) = &mut data {
        let name = match reader {
            ReaderShape::Named => Slot::Name.marker().to_string(),
            ReaderShape::Unnamed => String::new(),
        };
        values.insert(
            "reader".to_owned(),
            json!({
                "name": name,
                "unsubscribe_url": Slot::UnsubscribeUrl.marker().to_string(),
                "preferences_url": Slot::PreferencesUrl.marker().to_string(),
            }),
        );
    }
    Ok(data)
}
