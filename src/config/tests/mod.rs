//! Real files in real folders.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dkim;
mod errors;
mod secrecy;
mod shipped;
mod values;

use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;
use std::time::Duration;

use super::*;
use crate::domain::Slug;
use crate::domain::dkim_key::{DkimBits, DkimKey};
use crate::domain::relay::{RelayAddress, SmtpAddress};

/// The least that is needed.
const LEAST: &str = r#"[site]
name = "Example"
url = "https://research.example.org/"
postal_address = """
1 Sample Street
Exampletown"""
[mail]
from = "Example <news@example.org>"
[[relay]]
name = "outbox"
url = "outbox:out"
[[category]]
slug = "oncology"
name = "Oncology"
[[digest]]
name = "weekly"
title = "Weekly"
"#;

/// A key that signs; making one takes time.
static KEY: LazyLock<DkimKey> = LazyLock::new(|| DkimKey::generate(DkimBits::Rsa2048).unwrap());

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        // The folders that the texts of these tests name.
        for name in ["subscribers", "content", "saved", "a", "b"] {
            std::fs::create_dir(place.path(name)).unwrap();
        }
        place.put("config.toml", text, 0o644);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str, mode: u32) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn request(&self, environment: &[(&str, &str)]) -> Request {
        Request {
            file: Some(self.path("config.toml")),
            database: None,
            relay: None,
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            check_schedule: |text| match text {
                "bad" => Err(Problem::configuration("not a schedule: \"bad\"").hint("write five fields")),
                _ => Ok(()),
            },
        }
    }

    fn load(&self, environment: &[(&str, &str)]) -> Loaded {
        load(&self.request(environment)).unwrap()
    }

    /// The error, with the folder taken out.
    fn error(&self, environment: &[(&str, &str)]) -> String {
        let problem = load(&self.request(environment)).unwrap_err();
        assert!(problem.hint_text().is_some(), "no hint: {problem}");
        assert_eq!(problem.kind(), crate::domain::problem::Kind::Configuration);
        problem
            .to_string()
            .replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn error_of(text: &str) -> String {
    Place::new(text).error(&[])
}

/// `LEAST` with one more line below a section's head.
fn with(section: &str, line: &str) -> String {
    LEAST.replacen(&format!("{section}\n"), &format!("{section}\n{line}\n"), 1)
}

fn smtp(relay: &Relay) -> &SmtpAddress {
    match &relay.address {
        RelayAddress::Smtp(smtp) => smtp,
        RelayAddress::Outbox(_) => panic!("an outbox"),
    }
}
