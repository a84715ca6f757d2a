//! What `smtp-sink` took, by its own record: the test's witness.

use crate::programs::{Running, smtp_sink, wait_until};
use crate::site::Site;
use std::collections::HashMap;
use std::fs;
use tempfile::TempDir;

/// A sink and the folder of its dumps, one file a message.
pub struct Inbox {
    folder: TempDir,
    sink: Running,
}

impl Inbox {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sink = smtp_sink(folder.path());
        Self { folder, sink }
    }

    /// Makes the sink the only relay of `site`, over so many connections.
    pub fn receives_from(&self, site: &mut Site, connections: usize) {
        let relay = format!("smtp://127.0.0.1:{}", self.sink.port);
        site.environment.push(("POSTRIDER_RELAY".into(), relay));
        let connections = connections.to_string();
        site.environment
            .push(("POSTRIDER_DELIVERY__CONNECTIONS".into(), connections));
    }

    /// Files so far, with those that are being written.
    pub fn count(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count()
    }

    /// Waits until the sink has begun to take more than `count` messages.
    pub fn grows_beyond(&self, count: usize) {
        wait_until("the sink's record grows", || self.count() > count);
    }

    /// Every whole message: Message-ID → the recipient of each time it was taken.
    ///
    /// Call it when nobody sends any more: what a killed process left half way is then gone.
    pub fn messages(&self) -> HashMap<String, Vec<String>> {
        let mut messages: HashMap<String, Vec<String>> = HashMap::new();
        wait_until("the sink has given up what was cut off", || {
            messages.clear();
            fs::read_dir(self.folder.path()).unwrap().all(|file| {
                let Ok(text) = fs::read_to_string(file.unwrap().path()) else {
                    // Removed by the sink since it was listed.
                    return true;
                };
                let is_whole = text.trim_end().ends_with("--");
                let header = |name: &str| {
                    let line = text.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned()).unwrap_or_default()
                };
                let known = messages.entry(header("Message-ID:")).or_default();
                known.push(header("To:"));
                is_whole
            })
        });
        messages
    }
}

/// How often a message was taken beyond the first time; each must have gone to one and the same reader.
pub fn doubles(messages: &HashMap<String, Vec<String>>) -> usize {
    let mut doubles = 0;
    let mut readers: HashMap<&str, &str> = HashMap::new();
    for (id, to) in messages {
        doubles += to.len() - 1;
        for reader in to {
            assert!(reader.contains('@'), "{id} went to {reader:?}");
            let other = readers.insert(reader, id);
            assert!(
                other.is_none_or(|other| other == id),
                "{reader} got {id} and {other:?}"
            );
        }
    }
    doubles
}
