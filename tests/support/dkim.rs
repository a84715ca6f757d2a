//! Verifiers of DKIM signatures that others wrote: PyPI `dkimpy` and Debian's `Mail::DKIM`.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use postrider::domain::dkim::DnsRecord;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// How many signatures of each message are good, by file name.
pub type Good = BTreeMap<String, usize>;

/// Messages under names of their own, and what the DNS says.
pub struct Letters {
    folder: tempfile::TempDir,
    records: Vec<DnsRecord>,
    number: usize,
}

impl Letters {
    /// None yet.
    pub fn new(records: Vec<DnsRecord>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("messages")).unwrap();
        Self {
            folder,
            records,
            number: 0,
        }
    }

    /// Keeps a message; the name under which the verifiers speak of it.
    pub fn put(&mut self, what: &str, message: &[u8]) -> String {
        self.number += 1;
        let name = format!("{:05} {what}", self.number);
        std::fs::write(self.folder.path().join("messages").join(&name), message).unwrap();
        name
    }

    /// Fails the test unless both verifiers find `wanted`.
    pub fn assert(&self, wanted: &Good) {
        let python = std::env::var("POSTRIDER_TEST_PYTHON")
            .expect("POSTRIDER_TEST_PYTHON names no Python with dkimpy: run scripts/test.sh");
        let mut lines = String::new();
        for record in &self.records {
            lines += &format!("{}\t{}\n", record.name, record.value);
        }
        std::fs::write(self.folder.path().join("records"), lines).unwrap();
        for (program, script) in [(python.as_str(), "dkim_check.py"), ("perl", "dkim_check.pl")] {
            let found = self.ask(program, script);
            let wrong: Vec<_> = wanted
                .iter()
                .filter(|(name, good)| found.get(*name) != Some(good))
                .map(|(name, good)| format!("{name}: {good} wanted, {:?} found", found.get(name)))
                .collect();
            assert!(wrong.is_empty(), "{script}: {} wrong: {wrong:#?}", wrong.len());
            assert_eq!(found.len(), wanted.len(), "{script}");
        }
    }

    fn ask(&self, program: &str, script: &str) -> Good {
        let output = Command::new(program)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script))
            .arg(self.folder.path().join("records"))
            .arg(self.folder.path().join("messages"))
            .output()
            .unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let trouble = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{script}, run by scripts/test.sh, needs its packages: {trouble}"
        );
        said.lines()
            .map(|line| {
                let mut fields = line.split('\t');
                let (name, good) = (fields.next().unwrap(), fields.next().unwrap());
                (name.to_owned(), good.parse().unwrap())
            })
            .collect()
    }
}
