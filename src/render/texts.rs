//! The texts of the site in Markdown: about, contact, disclaimer, privacy. They may show the values of `site`.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd, html};
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

use super::check;
use super::context::{sample_site, to_data};
use super::engine::{self, Engine, Escape};
use super::partials::Partials;
use crate::domain::text::strip_illegal;
use crate::domain::{Problem, Result, Site};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1_000_000;

macro_rules! texts {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../templates/texts/", $name, ".md")))),*]
    };
}

/// The texts that are compiled in.
const TEXTS: [(&str, &str); 4] = texts!["about", "contact", "disclaimer", "privacy"];

/// A text, ready to stand on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its first heading; plain.
    pub title: String,
    /// The rest as HTML.
    pub html: String,
}

/// The site's texts, checked once.
pub struct Texts(Engine);

/// What the texts see.
#[derive(Serialize)]
struct Seen<'a> {
    site: &'a Site,
}

impl Texts {
    /// The compiled-in texts, each replaced by the file of the same name in `folder`.
    ///
    /// # Errors
    /// When a file can't be read, or shows a value that there is not: names file and line.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut engine = Engine::new();
        let sample: Value = to_data(&Seen { site: &sample_site() })?;
        for (name, built_in) in TEXTS {
            let own = folder.map(|folder| folder.join(format!("{name}.md")));
            let (place, text) = match own.filter(|file| file.exists()) {
                Some(file) => (file.display().to_string(), read(&file)?),
                None => (format!("templates/texts/{name}.md"), built_in.to_owned()),
            };
            let template = engine::parse(name, &place, &text)?;
            check::check(&place, &template, &Partials::new(), &sample)?;
            engine.add(name, &place, template, Escape::Html);
            let rendered = engine.render(name, &engine::context(sample.clone()), Escape::Html)?;
            if from_markdown(&rendered).title.is_empty() {
                return Err(Problem::configuration(format!("{place}: the text has no title"))
                    .hint("begin it with a line such as: # About us"));
            }
        }
        Ok(Self(engine))
    }

    /// The text `name`: `about`, `contact`, `disclaimer` or `privacy`.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn text(&self, name: &str, site: &Site) -> Result<Text> {
        let data = engine::context(to_data(&Seen { site })?);
        let rendered = self.0.render(name, &data, Escape::Html)?;
        Ok(from_markdown(&strip_illegal(&rendered)))
    }
}

fn read(file: &Path) -> Result<String> {
    let unreadable =
        |error| Problem::configuration(format!("can't read the text {}", file.display())).because(error);
    let size = fs::metadata(file).map_err(unreadable)?.len();
    if size > MAX_FILE {
        return Err(Problem::configuration(format!(
            "the text {} is larger than {MAX_FILE} bytes: {size}",
            file.display()
        )));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Ok(text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n"))
}

/// The first heading of the first level becomes the title; a second one would be a second title, so it is
/// put one level lower.
fn from_markdown(markdown: &str) -> Text {
    let (mut title, mut in_title, mut had_title) = (String::new(), false, false);
    let mut rest = Vec::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                ..
            }) if !had_title => {
                (in_title, had_title) = (true, true);
            }
            Event::End(TagEnd::Heading(HeadingLevel::H1)) if in_title => in_title = false,
            Event::Text(text) | Event::Code(text) if in_title => title.push_str(&text),
            Event::SoftBreak | Event::HardBreak if in_title => title.push(' '),
            _ if in_title => {}
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                id,
                classes,
                attrs,
            }) => rest.push(Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                id,
                classes,
                attrs,
            })),
            Event::End(TagEnd::Heading(HeadingLevel::H1)) => {
                rest.push(Event::End(TagEnd::Heading(HeadingLevel::H2)));
            }
            event => rest.push(event),
        }
    }
    let mut text = String::new();
    html::push_html(&mut text, rest.into_iter());
    Text {
        title: title.trim().to_owned(),
        html: text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_heading_is_the_title() {
        let text = from_markdown("# About *us* & `you`\n\nHello.\n\n# More\n\n## Less\n");
        assert_eq!(text.title, "About us & you");
        assert_eq!(text.html, "<p>Hello.</p>\n<h2>More</h2>\n<h2>Less</h2>\n");
    }

    #[test]
    fn a_file_replaces_one_text_and_values_are_escaped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("about.md");
        fs::write(&file, "\u{FEFF}# We\r\n\r\nare {{site.name}}.\r\n").unwrap();
        let texts = Texts::load(Some(folder.path())).unwrap();
        let site = Site {
            name: "A <b> & B".to_owned(),
            ..sample_site()
        };
        let about = texts.text("about", &site).unwrap();
        assert_eq!(about.html, "<p>are A &lt;b&gt; &amp; B.</p>\n");
        assert_eq!(texts.text("contact", &site).unwrap().title, "Contact us");
        assert!(texts.text("other", &site).is_err());
        for (wrong, message) in [
            ("# A\n\n{{site.nam}}", "line 3"),
            ("# A\n\n{{#if}}", "about.md"),
            ("No title", "no title"),
        ] {
            fs::write(&file, wrong).unwrap();
            let problem = Texts::load(Some(folder.path())).err().unwrap().to_string();
            assert!(
                problem.contains(message) && problem.contains("about.md"),
                "{problem}"
            );
        }
    }
}
