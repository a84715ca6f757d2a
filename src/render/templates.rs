//! All templates of the program, compiled and checked.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

use super::check::{self, Readers};
use super::context::{
    ChannelContext, DigestContext, EntryContext, LinkInvalidPage, PreferencesPage, UnsubscribePage,
    UnsubscribedPage, to_data,
};
use super::engine::{self, Engine, Escape};
use super::mail::{ReaderShape, with_reader};
use super::partials::{self, Partial, Partials};
use super::slots::Slot;
use super::sources::{Source, Sources};
use super::{mjml, text};
use crate::domain::text::{one_line, strip_illegal};
use crate::domain::{Problem, Result};

/// Templates, compiled once; share them in an `Arc`.
pub struct Templates {
    pub(super) engine: Engine,
    sources: Sources,
    /// The templates that compiled, by path below `templates/`.
    kinds: BTreeMap<String, Kind>,
}

/// The texts of a feed; plain, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelText {
    /// Never empty.
    pub title: String,
    /// What the feed holds.
    pub description: String,
}

/// The texts of a feed's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryText {
    /// Plain text, one line, never empty.
    pub title: String,
    /// Plain text, one line.
    pub summary: String,
    /// HTML.
    pub body: String,
}

/// What a template is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Subject,
    MailText,
    MailHtml,
    Channel,
    Entry,
    Unsubscribe,
    Unsubscribed,
    LinkInvalid,
    Preferences,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            _ if name.starts_with("email/") && name.ends_with("/subject.txt.hbs") => Self::Subject,
            _ if name.starts_with("email/") && name.ends_with("/body.txt.hbs") => Self::MailText,
            _ if name.starts_with("email/") && name.ends_with("/body.mjml.hbs") => Self::MailHtml,
            _ if name.starts_with("feed/channel_") => Self::Channel,
            _ if name.starts_with("feed/entry_") => Self::Entry,
            "web/unsubscribe.hbs" => Self::Unsubscribe,
            "web/unsubscribed.hbs" => Self::Unsubscribed,
            "web/link_invalid.hbs" => Self::LinkInvalid,
            "web/preferences.hbs" => Self::Preferences,
            _ => return None,
        })
    }

    /// The full sample first.
    fn samples(self) -> Result<Vec<Value>> {
        Ok(match self {
            Self::Subject | Self::MailText | Self::MailHtml => vec![
                with_reader(&DigestContext::sample(), ReaderShape::Named)?,
                with_reader(&DigestContext::sample(), ReaderShape::Unnamed)?,
                with_reader(&DigestContext::bare_sample(), ReaderShape::Named)?,
            ],
            Self::Channel => vec![
                to_data(&ChannelContext::sample())?,
                to_data(&ChannelContext::bare_sample())?,
            ],
            Self::Entry => vec![
                to_data(&EntryContext::sample())?,
                to_data(&EntryContext::bare_sample())?,
            ],
            Self::Unsubscribe => vec![to_data(&UnsubscribePage::sample())?],
            Self::Preferences => vec![
                to_data(&PreferencesPage::sample())?,
                to_data(&PreferencesPage::bare_sample())?,
            ],
            Self::Unsubscribed => vec![to_data(&UnsubscribedPage::sample())?],
            Self::LinkInvalid => {
                vec![
                    to_data(&LinkInvalidPage::sample())?,
                    to_data(&LinkInvalidPage::bare_sample())?,
                ]
            }
        })
    }

    fn readers(self) -> Readers {
        match self {
            Self::MailText | Self::MailHtml => Readers::Welcome,
            _ => Readers::Nowhere,
        }
    }
}

/// Every part of a mail must tell its reader how to leave (RFC 8058 covers the header alone).
pub(super) fn require_way_out(name: &str, rendered: &str) -> Result<()> {
    if rendered.contains(Slot::UnsubscribeUrl.marker()) {
        return Ok(());
    }
    Err(
        Problem::configuration(format!("template {name}: shows no link to unsubscribe"))
            .hint("put {{reader.unsubscribe_url}} into it, on a line of its own in a text part"),
    )
}

/// Each template's name with what is wrong with it, if anything.
type Verdicts = Vec<(String, Result<()>)>;

impl Templates {
    /// The compiled-in templates, each file overridden by one of the same relative path in `folder`.
    /// `mails` are the folders below `templates/email` that digests use.
    ///
    /// # Errors
    /// When a file can't be read, overrides nothing, or is wrong: names template, line and value.
    pub fn load(folder: Option<&Path>, mails: &[String]) -> Result<Self> {
        let (templates, verdicts) = Self::assemble(folder)?;
        for mail in mails {
            templates.sources.require_mail(mail)?;
        }
        match verdicts.into_iter().find_map(|(_, verdict)| verdict.err()) {
            None => Ok(templates),
            Some(problem) => Err(problem),
        }
    }

    /// What is wrong with each template; unlike [`Self::load`], does not stop at the first.
    ///
    /// # Errors
    /// When the folder can't be read, or a digest's mail is missing.
    pub fn examine(folder: Option<&Path>, mails: &[String]) -> Result<Vec<(String, Result<()>)>> {
        let (templates, mut verdicts) = Self::assemble(folder)?;
        for mail in mails {
            templates.sources.require_mail(mail)?;
        }
        for (name, rendered) in templates.check() {
            if let Some((_, verdict)) = verdicts.iter_mut().find(|(known, _)| *known == name) {
                *verdict = rendered;
            }
        }
        Ok(verdicts)
    }

    /// Renders every template with sample data.
    pub fn check(&self) -> Vec<(String, Result<()>)> {
        let verdict = |name: &str, kind: Kind| {
            kind.samples()?.into_iter().try_for_each(|sample| {
                let rendered = self.render(name, sample)?;
                match kind {
                    Kind::MailText | Kind::MailHtml => require_way_out(name, &rendered),
                    _ => Ok(()),
                }
            })
        };
        self.kinds
            .iter()
            .map(|(name, kind)| (name.clone(), verdict(name, *kind)))
            .collect()
    }

    /// The title and description of a feed.
    ///
    /// # Errors
    /// When a template fails.
    pub fn feed_channel(&self, context: &ChannelContext) -> Result<ChannelText> {
        let data = to_data(context)?;
        Ok(ChannelText {
            title: self.render("feed/channel_title.txt.hbs", data.clone())?,
            description: one_line(&self.render("feed/channel_description.txt.hbs", data)?),
        })
    }

    /// The title, summary and body of a feed's entry.
    ///
    /// # Errors
    /// When a template fails.
    pub fn feed_entry(&self, context: &EntryContext) -> Result<EntryText> {
        let data = to_data(context)?;
        Ok(EntryText {
            title: self.render("feed/entry_title.txt.hbs", data.clone())?,
            summary: one_line(&self.render("feed/entry_summary.txt.hbs", data.clone())?),
            body: self.render("feed/entry_body.html.hbs", data)?,
        })
    }

    /// The page `name` of `templates/web`, such as `unsubscribe`.
    ///
    /// # Errors
    /// When there is no such page, or its template fails.
    pub fn page(&self, name: &str, context: &impl Serialize) -> Result<String> {
        self.render(&format!("web/{name}.hbs"), to_data(context)?)
    }

    /// The style sheet that the pages link to as `../assets/site.css`.
    pub fn stylesheet(&self) -> &str {
        self.sources
            .0
            .get("web/site.css")
            .map_or("", |source| &source.text)
    }

    /// Renders one template in its final form, slots still marked.
    pub(super) fn render(&self, name: &str, data: Value) -> Result<String> {
        let kind = *self.kinds.get(name).ok_or_else(|| {
            Problem::not_found(format!("there is no template templates/{name}")).hint(format!(
                "the templates are {}",
                self.kinds.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
        })?;
        let data = engine::context(data);
        let rendered = match kind {
            Kind::MailHtml => self.engine.render_compiled(name, &source_of(name), &data)?,
            _ => self.engine.render(name, &data, escape(name))?,
        };
        if is_title(name) {
            let line = one_line(&rendered);
            if line.is_empty() {
                let place = self
                    .sources
                    .0
                    .get(name)
                    .map_or(name, |source| source.place.as_str());
                return Err(Problem::configuration(format!(
                    "{place}: the template came out empty"
                )));
            }
            return Ok(line);
        }
        Ok(match kind {
            Kind::MailText => text::tidy(&rendered),
            Kind::MailHtml => rendered,
            _ => strip_illegal(&rendered),
        })
    }

    fn assemble(folder: Option<&Path>) -> Result<(Self, Verdicts)> {
        let sources = Sources::read(folder)?;
        let mut verdicts: Verdicts = Vec::new();
        let mut included = Partials::new();
        for (name, source) in &sources.0 {
            if let Some(short) = partial_name(name) {
                let parsed = engine::parse(short, &source.place, &source.text);
                let verdict = parsed.map(|template| {
                    included.insert(
                        short.to_owned(),
                        Partial {
                            place: source.place.clone(),
                            template,
                        },
                    );
                });
                verdicts.push((name.clone(), verdict));
            }
        }
        let mut templates = Self {
            engine: Engine::new(),
            sources: sources.clone(),
            kinds: BTreeMap::new(),
        };
        if let Err(problem) = partials::refuse_cycles(&included) {
            // Nothing else can be judged while a partial has no end.
            verdicts.push(("partials".to_owned(), Err(problem)));
            return Ok((templates, verdicts));
        }
        for (name, partial) in &included {
            templates
                .engine
                .add_partial(name, &partial.place, &partial.template);
        }
        for (name, source) in &sources.0 {
            if let Some(kind) = Kind::of(name) {
                let verdict = templates.compile(name, source, kind, &included);
                verdicts.push((name.clone(), verdict));
            }
        }
        Ok((templates, verdicts))
    }

    fn compile(&mut self, name: &str, source: &Source, kind: Kind, partials: &Partials) -> Result<()> {
        let parsed = engine::parse(name, &source.place, &source.text)?;
        if let Some(sample) = kind.samples()?.first() {
            check::check(&source.place, &parsed, partials, sample, kind.readers())?;
        }
        if kind == Kind::MailHtml {
            let html = mjml::compile(&source.text, &source.place)?;
            let compiled = engine::parse(name, &source.place, &html)?;
            self.engine
                .add(&source_of(name), &source.place, parsed, Escape::Html);
            self.engine.add(name, &source.place, compiled, Escape::Html);
        } else {
            self.engine.add(name, &source.place, parsed, escape(name));
        }
        self.kinds.insert(name.to_owned(), kind);
        Ok(())
    }
}

fn escape(name: &str) -> Escape {
    if name.ends_with(".txt.hbs") {
        Escape::None
    } else {
        Escape::Html
    }
}

fn is_title(name: &str) -> bool {
    [
        "/subject.txt.hbs",
        "/channel_title.txt.hbs",
        "/entry_title.txt.hbs",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
}

/// The name of an MJML template before it was compiled, kept for the lines of its errors.
fn source_of(name: &str) -> String {
    format!("{name} as written")
}

fn partial_name(name: &str) -> Option<&str> {
    name.strip_prefix("partials/")?.strip_suffix(".hbs")
}
