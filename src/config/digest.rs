//! `[[digest]]`: the publications.

use std::time::Duration;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::nearest;
use super::relay::twice;
use super::section::Section;
use crate::domain::digest::Unchosen;
use crate::domain::notice::NoticeKind;
use crate::domain::text::one_line;
use crate::domain::{Digest, Problem, Result, Slug};

pub(super) const KEYS: &[&str] = &[
    "name",
    "title",
    "schedule",
    "timezone",
    "grace",
    "min_items",
    "max_items",
    "first_edition_items",
    "approve",
    "unchosen",
    "templates",
];

pub(super) fn read(
    sections: Vec<Section<'_>>,
    check_schedule: fn(&str) -> Result<()>,
) -> Result<Vec<Digest>> {
    let mut digests: Vec<Digest> = Vec::new();
    for mut section in sections {
        let digest = one(&mut section, check_schedule)?;
        if digests.iter().any(|other| other.name == digest.name) {
            return Err(twice(&section, "name", digest.name.as_str()));
        }
        digests.push(digest);
    }
    Ok(digests)
}

fn one(section: &mut Section<'_>, check_schedule: fn(&str) -> Result<()>) -> Result<Digest> {
    let digest = Digest {
        name: section.required("name", "\"weekly\"", |text| Slug::parse(text.trim()))?,
        title: section.required("title", "\"Research digest\"", |text| Ok(one_line(text)))?,
        schedule: section
            .parsed("schedule", |text| check_schedule(text).map(|()| one_line(text)))?
            .unwrap_or_default(),
        timezone: section.parsed("timezone", zone)?.unwrap_or(Tz::UTC),
        grace: section
            .duration("grace", Duration::ZERO)?
            .unwrap_or(Duration::from_secs(12 * 3_600)),
        min_items: section.number("min_items", 1..61)?.unwrap_or(1),
        max_items: section.number("max_items", 1..61)?.unwrap_or(20),
        first_edition_items: section.number("first_edition_items", 1..61)?.unwrap_or(20),
        approve: section.flag("approve")?.unwrap_or(false),
        unchosen: section.parsed("unchosen", unchosen)?.unwrap_or_default(),
        templates: section
            .parsed("templates", templates)?
            .unwrap_or_else(|| "digest".to_owned()),
    };
    if digest.min_items > digest.max_items {
        return Err(Problem::configuration(format!(
            "{}: more than max_items: {}",
            section.place_of("min_items"),
            digest.min_items
        ))
        .hint(format!("write at most {}, or raise max_items", digest.max_items)));
    }
    Ok(digest)
}

fn zone(text: &str) -> Result<Tz> {
    let name = text.trim();
    name.parse().map_err(|_| {
        let near = nearest::to(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
        Problem::configuration(format!("unknown time zone {text:?}"))
            .hint(format!("{near}write a name such as \"Europe/London\" or \"UTC\""))
    })
}

fn unchosen(text: &str) -> Result<Unchosen> {
    match text.trim() {
        "all" => Ok(Unchosen::All),
        "none" => Ok(Unchosen::None),
        _ => Err(
            Problem::configuration(format!("expected \"all\" or \"none\", got {text:?}")).hint(
                "\"all\" sends every summary to readers who chose no category, \"none\" sends them nothing",
            ),
        ),
    }
}

/// The name of one folder: it can't lead out of the folder of templates.
fn templates(text: &str) -> Result<String> {
    let name = text.trim();
    let safe = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if NoticeKind::parse(name).is_some() {
        Err(
            Problem::configuration(format!("{text:?} holds the templates of mails to single readers"))
                .hint("give the digest's folder in templates/email another name"),
        )
    } else if safe {
        Ok(name.to_owned())
    } else {
        Err(
            Problem::configuration(format!("expected the name of a folder, got {text:?}"))
                .hint("use letters, digits, - and _; the folder lies in templates/email"),
        )
    }
}
