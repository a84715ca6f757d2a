//! `[site]`: who publishes.

use std::path::PathBuf;
use url::Url;

use super::section::Section;
use crate::domain::{Problem, Result, Site};

pub(super) const KEYS: &[&str] = &[
    "name",
    "url",
    "language",
    "tagline",
    "copyright",
    "postal_address",
    "pages",
    "texts",
];

/// The longest line that a reader's own link may need, in characters.
const LINK_LINE: usize = 76;
/// The length of a token in a link, in characters.
const TOKEN: usize = 30;

/// The site, and the folder with texts of its own.
pub(super) fn read(mut section: Section<'_>, warnings: &mut Vec<String>) -> Result<(Site, Option<PathBuf>)> {
    let text = |text: &str| Ok(crate::domain::text::one_line(text));
    let site = Site {
        name: section.required("name", "\"Example Research\"", text)?,
        url: section.required("url", "\"https://research.example.org\"", site_url)?,
        language: section
            .parsed("language", language)?
            .unwrap_or_else(|| "en".to_owned()),
        tagline: section.text("tagline")?.unwrap_or_default(),
        copyright: section.text("copyright")?.unwrap_or_default(),
        postal_address: section
            .parsed("postal_address", address_line)?
            .unwrap_or_default(),
        pages: section.flag("pages")?.unwrap_or(true),
    };
    let link = site.link("/u/").chars().count() + TOKEN;
    if link > LINK_LINE {
        warnings.push(format!(
            "{}: readers' links have {link} characters, more than the {LINK_LINE} that fit one line of a mail; use a shorter host name or path: {:?}",
            section.place_of("url"),
            site.url
        ));
    }
    if site.postal_address.is_empty() {
        warnings.push(format!(
            "{} is empty; many countries require a postal address in every newsletter",
            section.place_of("postal_address")
        ));
    }
    let texts = section.path("texts")?;
    if let Some(folder) = texts.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Problem::configuration(format!(
            "{}: no such folder: {}",
            section.place_of("texts"),
            folder.display()
        ))
        .hint("make the folder, or remove the key to use the texts that are compiled in"));
    }
    Ok((site, texts))
}

/// An absolute web address, given back without a slash at its end.
fn site_url(text: &str) -> Result<String> {
    let url = web_address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            Problem::configuration(format!("expected an address without ? and #, got {text:?}"))
                .hint("write the address of the site's start page, such as https://research.example.org"),
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An absolute http or https address with a host and without user and password.
pub(super) fn web_address(text: &str) -> Result<Url> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            let shown = crate::domain::relay::hide_password(text);
            Problem::configuration(format!(
                "expected an absolute http or https address, got {shown:?}"
            ))
            .hint("write it in full, such as https://research.example.org, without user and password")
        })
}

/// A language tag in the shape of BCP 47.
fn language(text: &str) -> Result<String> {
    let tag = text.trim();
    let well_formed = tag.split('-').enumerate().all(|(n, part)| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
            && (n > 0 || part.len() > 1 && part.bytes().all(|b| b.is_ascii_alphabetic()))
    });
    if well_formed {
        Ok(tag.to_owned())
    } else {
        Err(
            Problem::configuration(format!("expected a language tag, got {text:?}"))
                .hint("write a tag such as \"en\", \"en-GB\" or \"de\""),
        )
    }
}

/// One line; the lines of an address are joined by commas.
fn address_line(text: &str) -> Result<String> {
    let lines = text.lines().map(crate::domain::text::one_line);
    let lines: Vec<String> = lines
        .map(|line| line.trim_end_matches(',').to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    Ok(lines.join(", "))
}
