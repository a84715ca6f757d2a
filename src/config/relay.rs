//! `[[relay]]`: where messages are handed over.

use std::path::{Path, PathBuf};

use super::database::with_password;
use super::section::{Section, TextOrList};
use super::{below, private};
use crate::domain::dkim::SignedHeaders;
use crate::domain::relay::{RelayAddress, hide_password};
use crate::domain::{Problem, Result, Slug};

pub(super) const KEYS: &[&str] = &[
    "name",
    "url",
    "connections",
    "password_file",
    "dkim",
    "dkim_headers",
];

/// The name of the relay that the command line gives.
const NAMELESS: &str = "relay";

/// A relay and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Stands in reports and the ledger.
    pub name: Slug,
    /// Where it is.
    pub address: RelayAddress,
    /// How many connections are held to it.
    pub connections: u32,
    /// Which header fields are signed here; `None` when the relay signs by itself.
    pub signed: Option<SignedHeaders>,
}

pub(super) fn read(
    sections: Vec<Section<'_>>,
    instead: Option<&str>,
    connections: u32,
) -> Result<Vec<Relay>> {
    let mut relays: Vec<Relay> = Vec::new();
    for mut section in sections {
        let name = section.required("name", "\"main\"", Slug::parse)?;
        let url = section.required("url", "\"smtp://relay.example.org:587?tls=required\"", |text| {
            Ok(text.trim().to_owned())
        })?;
        let connections = section.number("connections", 1..201)?.unwrap_or(connections);
        let password_file = section.path("password_file")?;
        let signed = signed(&mut section)?;
        if relays.iter().any(|relay| relay.name == name) {
            return Err(twice(&section, "name", name.as_str()));
        }
        if instead.is_some() {
            continue;
        }
        let address = address(&section, &url, password_file)?;
        relays.push(Relay {
            name,
            address,
            connections,
            signed,
        });
    }
    let Some(text) = instead else { return Ok(relays) };
    let address =
        RelayAddress::parse(text.trim()).map_err(|problem| problem.at("--relay (POSTRIDER_RELAY)"))?;
    Ok(vec![Relay {
        name: Slug::parse(NAMELESS)?,
        address,
        connections,
        signed: Some(SignedHeaders::default()),
    }])
}

/// Who signs what goes through this relay, and which header fields.
fn signed(section: &mut Section<'_>) -> Result<Option<SignedHeaders>> {
    let signs_itself = section.parsed("dkim", |text| match text.trim() {
        "sign" => Ok(false),
        "self" => Ok(true),
        other => Err(
            Problem::configuration(format!("expected \"sign\" or \"self\", got {other:?}")).hint(
                "write \"sign\" when the keys of [[dkim]] sign, \"self\" when this relay signs by itself",
            ),
        ),
    })?;
    let headers = match section.text_or_list("dkim_headers")? {
        None => None,
        Some(TextOrList::Text(name)) => Some(SignedHeaders::preset(&name)),
        Some(TextOrList::List(names)) => Some(SignedHeaders::of(names)),
    }
    .transpose()
    .map_err(|problem| problem.at(section.place_of("dkim_headers")))?;
    match (signs_itself.unwrap_or(false), headers) {
        (false, headers) => Ok(Some(headers.unwrap_or_default())),
        (true, None) => Ok(None),
        (true, Some(_)) => Err(Problem::configuration(format!(
            "{}: has no use where the relay signs by itself",
            section.place_of("dkim_headers")
        ))
        .hint("remove it, or write dkim = \"sign\"")),
    }
}

/// A name that stands in two tables of a list.
pub(super) fn twice(section: &Section<'_>, key: &str, name: &str) -> Problem {
    Problem::configuration(format!("{}: used twice: {name:?}", section.place_of(key)))
        .hint("give each its own name")
}

fn address(section: &Section<'_>, url: &str, password_file: Option<PathBuf>) -> Result<RelayAddress> {
    let parse = |url: &str| RelayAddress::parse(url).map_err(|problem| problem.at(section.place_of("url")));
    let address = match password_file {
        None => parse(url)?,
        Some(file) => {
            let at = section.place_of("password_file");
            let password = private::read_password(&file).map_err(|problem| problem.at(&at))?;
            let full = with_password(url, &password).ok_or_else(|| {
                Problem::configuration(format!(
                    "{at}: the address cannot take a password: {:?}",
                    hide_password(url)
                ))
                .hint("write smtp://user@host:port, with a user and no password in it")
            })?;
            parse(&full)?
        }
    };
    Ok(starting_at(address, &section.folder()))
}

/// The same address with its paths seen from `folder`.
fn starting_at(address: RelayAddress, folder: &Path) -> RelayAddress {
    match address {
        RelayAddress::Outbox(path) => RelayAddress::Outbox(folder.join(path)),
        RelayAddress::Smtp(mut smtp) => {
            smtp.ca = smtp.ca.map(|file| below(folder, &file.to_string_lossy()));
            RelayAddress::Smtp(smtp)
        }
    }
}
