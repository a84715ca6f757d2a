//! All templates of the program, compiled and checked.

use handlebars::Context;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

use super::check;
use super::context::{ChannelContext, EntryContext, NoticeContext, to_data};
use super::engine::{self, Engine, Escape};
use super::kind::{Kind, Part};
use super::logic::LogicUse;
use super::mail::mail_files;
use super::notice::require_links;
use super::pages::Page;
use super::partials::{self, Partial, Partials};
use super::slots::{self, Slot};
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
    /// Where each of them uses a reader's value in logic; those that don't are not here.
    logic: BTreeMap<String, Vec<LogicUse>>,
    /// Whether a folder may have replaced some of them; the compiled-in ones have no logic, as a test makes sure.
    replaced: bool,
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

/// Each template's name with what is wrong with it, or where it uses a reader's value in logic.
pub type Verdicts = Vec<(String, Result<Vec<LogicUse>>)>;

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

    /// What is wrong with each template, or where it uses a reader's value in logic; unlike [`Self::load`],
    /// does not stop at the first.
    ///
    /// # Errors
    /// When the folder can't be read, or a digest's mail is missing.
    pub fn examine(folder: Option<&Path>, mails: &[String]) -> Result<Verdicts> {
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

    /// Where the mail `mail` uses a reader's value in logic; such a mail is made by [`Templates::personal`],
    /// any other by [`Templates::digest`].
    pub fn logic(&self, mail: &str) -> Vec<&LogicUse> {
        let mut uses: Vec<&LogicUse> = Vec::new();
        for found in mail_files(mail).iter().filter_map(|file| self.logic.get(file)) {
            for found in found {
                if !uses.contains(&found) {
                    uses.push(found);
                }
            }
        }
        uses
    }

    /// Renders every template with sample data; as [`Self::examine`] for those that are not wrong.
    pub fn check(&self) -> Verdicts {
        let verdict = |name: &str, kind: Kind| {
            if let Kind::Notice(kind, part) = kind {
                for sample in NoticeContext::samples(kind) {
                    let rendered = self.render(name, to_data(&sample)?)?;
                    if part != Part::Subject {
                        require_links(name, &rendered, &sample)?;
                    }
                }
                return Ok(Vec::new());
            }
            for sample in kind.personal_samples()? {
                let rendered = self.render(name, sample)?;
                if matches!(kind, Kind::MailText | Kind::MailHtml) {
                    require_way_out(name, &rendered)?;
                }
            }
            Ok(self.logic.get(name).cloned().unwrap_or_default())
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

    /// A page, as a whole HTML document.
    ///
    /// # Errors
    /// When its template fails.
    pub fn page<P: Page>(&self, page: &P) -> Result<String> {
        self.render(&format!("web/{}.hbs", P::TEMPLATE), to_data(page)?)
    }

    /// A page that shows a form again in which something is to be put right.
    ///
    /// # Errors
    /// When its template fails.
    pub fn faulty_page<P: Page>(&self, page: &P) -> Result<String> {
        let mut data = to_data(page)?;
        if let Some(is_faulty) = data.pointer_mut("/head/is_faulty") {
            *is_faulty = Value::Bool(true);
        }
        self.render(&format!("web/{}.hbs", P::TEMPLATE), data)
    }

    /// The style sheet that the pages link to as `assets/site.css`.
    pub fn stylesheet(&self) -> &str {
        self.sources
            .0
            .get("web/site.css")
            .map_or("", |source| &source.text)
    }

    /// Renders one template in its final form, slots still marked.
    pub(super) fn render(&self, name: &str, data: Value) -> Result<String> {
        self.render_with(name, &engine::context(data))
    }

    /// The same with data that more than one template sees.
    pub(super) fn render_with(&self, name: &str, data: &Context) -> Result<String> {
        let kind = *self.kinds.get(name).ok_or_else(|| {
            Problem::not_found(format!("there is no template templates/{name}")).hint(format!(
                "the templates are {}",
                self.kinds.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
        })?;
        let rendered = slots::collapse(match kind {
            _ if kind.is_mjml() => self.engine.render_compiled(name, &source_of(name), data)?,
            _ => self.engine.render(name, data, escape(name))?,
        });
        if is_title(name) {
            return self.title(name, kind, &rendered);
        }
        Ok(match kind {
            _ if kind.is_text_part() => text::tidy(&rendered),
            _ if kind.is_mjml() => rendered,
            _ => strip_illegal(&rendered),
        })
    }

    /// What was rendered as one line.
    fn title(&self, name: &str, kind: Kind, rendered: &str) -> Result<String> {
        let wrong = |what: &str| {
            let source = self.sources.0.get(name);
            let place = source.map_or(name, |source| source.place.as_str());
            Problem::configuration(format!("{place}: {what}"))
        };
        let line = match kind {
            Kind::Subject => slots::one_line(rendered),
            _ => one_line(rendered),
        };
        if line.is_empty() {
            return Err(wrong("the template came out empty"));
        }
        let shows_link = |slot: Slot| slot != Slot::Name && line.contains(slot.marker());
        if Slot::ALL.into_iter().any(shows_link) {
            return Err(wrong("a subject can't show a reader's links").hint(
                "who sees the subject could act in the reader's name: of the reader's values show reader.name alone",
            ));
        }
        Ok(line)
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
                    Vec::new()
                });
                verdicts.push((name.clone(), verdict));
            }
        }
        let mut templates = Self {
            engine: Engine::new(),
            sources: sources.clone(),
            kinds: BTreeMap::new(),
            logic: BTreeMap::new(),
            replaced: folder.is_some(),
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

    fn compile(
        &mut self,
        name: &str,
        source: &Source,
        kind: Kind,
        partials: &Partials,
    ) -> Result<Vec<LogicUse>> {
        let parsed = engine::parse(name, &source.place, &source.text)?;
        let mut uses = match kind.samples()?.first() {
            Some(sample) => check::check(&source.place, &parsed, partials, sample)?,
            None => Vec::new(),
        };
        if kind.is_mjml() {
            let html = mjml::compile(&source.text, &source.place, &self.sources)?;
            let compiled = engine::parse(name, &source.place, &html)?;
            self.engine
                .add(&source_of(name), &source.place, parsed, Escape::Html);
            self.engine.add(name, &source.place, compiled, Escape::Html);
        } else {
            self.engine.add(name, &source.place, parsed, escape(name));
        }
        self.kinds.insert(name.to_owned(), kind);
        if uses.is_empty() && self.replaced && self.depends_on_values(name, kind)? {
            uses.push(LogicUse {
                place: source.place.clone(),
                line: None,
                value: "a reader's value".to_owned(),
            });
        }
        if !uses.is_empty() {
            self.logic.insert(name.to_owned(), uses.clone());
        }
        Ok(uses)
    }

    /// Whether the template renders otherwise with a reader's values than with slots in their place: the
    /// last word, should the check have overlooked something.
    pub(super) fn depends_on_values(&self, name: &str, kind: Kind) -> Result<bool> {
        if !kind.is_digest() {
            return Ok(false);
        }
        let renderings = |samples: Vec<Value>| -> Vec<Option<String>> {
            let rendered = samples.into_iter().map(|sample| self.render(name, sample).ok());
            rendered.collect()
        };
        Ok(renderings(kind.samples()?) != renderings(kind.personal_samples()?))
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
