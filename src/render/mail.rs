//! A digest mail: rendered once for many readers, or for one whose values its templates work with,
//! and shortened until it fits.

use serde_json::{Value, json};

use super::context::{DigestContext, Level, to_data};
use super::engine;
use super::slots::{self, Piece, READER, Slot};
use super::sources::MAIL_FILES;
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

/// A reader's values, for templates that do more than print them.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// One line; none or blank when it is not known.
    pub name: Option<&'a str>,
    /// The https address that unsubscribes this reader.
    pub unsubscribe_url: &'a str,
    /// The https address of this reader's preferences.
    pub preferences_url: &'a str,
}

/// A mail for every reader of one segment and shape, or for one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line; of slots it holds the name alone.
    pub subject: Vec<Piece>,
    /// The text part; LF line ends; every URL stands alone on its line.
    pub text: Vec<Piece>,
    /// The HTML part; slots are filled with escaped values.
    pub html: Vec<Piece>,
    /// Whether entries were shortened so that the HTML part fits.
    pub shortened: bool,
}

/// A mail that is rendered for each reader, with all that its readers share made ready.
pub struct PersonalMail {
    mail: String,
    context: DigestContext,
    /// The first level that fits a reader without a name, and the context at that level.
    level: Level,
    data: Value,
    /// Whether entries are shortened at that level.
    pub shortened: bool,
}

impl Templates {
    /// Renders the mail `mail` (a folder below `templates/email`), shortening entries level by level
    /// until the HTML part has at most 90,000 bytes. No entry is ever dropped. What differs from reader
    /// to reader is left as slots, so the mail must not use it in logic (see [`Templates::logic`]).
    ///
    /// # Errors
    /// When a template fails, or not even the shortest entries fit.
    pub fn digest(&self, mail: &str, context: &DigestContext, reader: ReaderShape) -> Result<RenderedMail> {
        self.fitting(mail, context, Level::Whole, &shape(reader))
            .map(|(rendered, ..)| rendered)
    }

    /// Prepares the mail `mail` for [`Templates::personal`].
    ///
    /// # Errors
    /// As [`Templates::digest`].
    pub fn prepare(&self, mail: &str, context: &DigestContext) -> Result<PersonalMail> {
        let (rendered, level, data) = self.fitting(
            mail,
            context,
            Level::Whole,
            &values(&sample(ReaderShape::Unnamed)),
        )?;
        Ok(PersonalMail {
            mail: mail.to_owned(),
            context: context.clone(),
            level,
            data,
            shortened: rendered.shortened,
        })
    }

    /// Renders a mail for one reader. Where the templates do no more than print the reader's values, it is
    /// what [`Templates::digest`] gives: they are slots here as well.
    ///
    /// # Errors
    /// As [`Templates::digest`].
    pub fn personal(&self, prepared: &PersonalMail, reader: &Reader<'_>) -> Result<RenderedMail> {
        let values = values(reader);
        let data = with_values(prepared.data.clone(), values.clone());
        if let Ok(rendered) = self.rendered(&prepared.mail, data, prepared.shortened)? {
            return Ok(rendered);
        }
        // This reader's is longer than the one it was prepared with.
        self.fitting(&prepared.mail, &prepared.context, prepared.level, &values)
            .map(|(rendered, ..)| rendered)
    }

    /// The mail at the first level from `first` on that fits, that level, and its data.
    fn fitting(
        &self,
        mail: &str,
        context: &DigestContext,
        first: Level,
        reader: &Value,
    ) -> Result<(RenderedMail, Level, Value)> {
        let mut size = 0;
        let mut last = None;
        for level in Level::ALL.into_iter().skip_while(|level| *level != first) {
            let shorter = context.at(level);
            if last.as_ref() == Some(&shorter) {
                continue;
            }
            let data = with_values(to_data(&shorter)?, reader.clone());
            match self.rendered(mail, data.clone(), shorter.shortened)? {
                Ok(rendered) => return Ok((rendered, level, data)),
                Err(too_large) => size = too_large,
            }
            last = Some(shorter);
        }
        Err(Problem::failed(format!(
            "edition {} of {} with {} entries does not fit into {MAX_HTML} bytes of HTML, however short: {size}",
            context.edition.number, context.digest.name, context.count
        ))
        .hint("lower the digest's max_items, shorten the editor's note, or take text out of the mail's template"))
    }

    /// The mail made from `data`, or the size of its HTML part when that is too large.
    fn rendered(
        &self,
        mail: &str,
        data: Value,
        shortened: bool,
    ) -> Result<std::result::Result<RenderedMail, usize>> {
        let [subject, text, html] = mail_files(mail);
        let data = engine::context(data);
        let rendered_html = self.render_with(&html, &data)?;
        let size = slots::filled_size(&rendered_html);
        if size > MAX_HTML {
            return Ok(Err(size));
        }
        let rendered_text = self.render_with(&text, &data)?;
        require_way_out(&html, &rendered_html)?;
        require_way_out(&text, &rendered_text)?;
        Ok(Ok(RenderedMail {
            subject: slots::cut(&self.render_with(&subject, &data)?),
            text: slots::cut(&rendered_text),
            html: slots::cut(&rendered_html),
            shortened,
        }))
    }
}

/// The templates of `mail`: subject, text, HTML.
pub(super) fn mail_files(mail: &str) -> [String; 3] {
    MAIL_FILES.map(|file| format!("email/{mail}/{file}"))
}

/// The context as data, with markers for what differs from reader to reader.
pub(super) fn with_reader(context: &DigestContext, reader: ReaderShape) -> Result<Value> {
    Ok(with_values(to_data(context)?, shape(reader)))
}

/// The context as data, with a made-up reader's values.
pub(super) fn with_sample_reader(context: &DigestContext, reader: ReaderShape) -> Result<Value> {
    Ok(with_values(to_data(context)?, values(&sample(reader))))
}

fn sample(reader: ReaderShape) -> Reader<'static> {
    Reader {
        name: (reader == ReaderShape::Named).then_some("Sample Reader"),
        unsubscribe_url: "https://www.example.org/u/sample-token",
        preferences_url: "https://www.example.org/p/sample-token",
    }
}

fn with_values(mut data: Value, reader: Value) -> Value {
    if let Value::Object(values) = &mut data {
        values.insert(READER.to_owned(), reader);
    }
    data
}

/// Markers alone.
fn shape(reader: ReaderShape) -> Value {
    let name = match reader {
        ReaderShape::Named => Slot::Name.marker().to_string(),
        ReaderShape::Unnamed => String::new(),
    };
    json!({
        "name": name,
        "unsubscribe_url": Slot::UnsubscribeUrl.marker().to_string(),
        "preferences_url": Slot::PreferencesUrl.marker().to_string(),
    })
}

/// Values with their markers.
fn values(reader: &Reader<'_>) -> Value {
    json!({
        "name": Slot::Name.marked(reader.name.unwrap_or_default()),
        "unsubscribe_url": Slot::UnsubscribeUrl.marked(reader.unsubscribe_url),
        "preferences_url": Slot::PreferencesUrl.marked(reader.preferences_url),
    })
}
