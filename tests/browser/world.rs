//! The real program, listening where its links lead, and a real mail server that keeps what it is given.

use crate::letter::Letter;
use crate::programs::{Running, aiosmtpd, python, wait_until};
use crate::site::{Said, Server, Site};
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// Below the ports that systems give out by themselves, so that no other test is given the same.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;

/// Who may sign in.
pub const EDITOR: &str = "editor@example.org";

/// A site with its server and its mails.
pub struct World {
    pub site: Site,
    _server: Server,
    /// Where the site is, which is where the server listens.
    pub url: String,
    mails: TempDir,
    _relay: Running,
    /// How many mails to each address were read.
    read: RefCell<HashMap<String, usize>>,
}

impl World {
    /// Starts the program on a site. Editions go out when the test says so.
    pub fn start(mut site: Site) -> Self {
        let mails = tempfile::tempdir().unwrap();
        let relay = aiosmtpd(mails.path(), &[]);
        let address = format!("127.0.0.1:{}", free_port());
        let url = format!("http://{address}");
        for (name, value) in [
            ("POSTRIDER_SITE__URL", url.clone()),
            // The hand of a test is faster than that of a person.
            ("POSTRIDER_SUBSCRIBE__MINIMUM_TIME", "0s".to_owned()),
            ("POSTRIDER_ADMIN__ADDRESSES", format!("[{EDITOR:?}]")),
            (
                "POSTRIDER_RELAY__0__URL",
                format!("smtp://127.0.0.1:{}?tls=none", relay.port),
            ),
        ] {
            site.environment.push((name.to_owned(), value));
        }
        Self {
            _server: site.serve_at(&address, &["--no-schedule"]),
            site,
            url,
            mails,
            _relay: relay,
            read: RefCell::default(),
        }
    }

    /// Runs a command, which must succeed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.site.run(arguments).expect_code(0)
    }

    /// Sends an edition with what is new, and waits until every mail of it was taken.
    #[track_caller]
    pub fn publish(&self) {
        self.run(&["publish", "--wait"]);
    }

    /// Every mail so far, in the order in which they came.
    pub fn mails(&self) -> Vec<Letter> {
        let files = std::fs::read_dir(self.mails.path()).unwrap();
        let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        // One that is still being written begins with a dot.
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        paths.retain(|path| !name(path).starts_with('.') && name(path).ends_with(".message"));
        paths.sort();
        paths
            .iter()
            .map(|path| Letter::read(&std::fs::read(path).unwrap()))
            .collect()
    }

    /// The next mail to this address that was not read yet; waits until it is there.
    pub fn mail_to(&self, address: &str) -> Letter {
        let mut read = self.read.borrow_mut();
        let count = read.entry(address.to_owned()).or_default();
        let mut next = None;
        wait_until(&format!("mail {} to {address} is there", *count + 1), || {
            next = self
                .mails()
                .into_iter()
                .filter(|mail| mail.to == address)
                .nth(*count);
            next.is_some()
        });
        *count += 1;
        next.unwrap()
    }

    /// How many mails to this address were not read. Ask after something that shows that the relay has all.
    pub fn unread(&self, address: &str) -> usize {
        let mails = self.mails();
        let all = mails.iter().filter(|mail| mail.to == address).count();
        all - self.read.borrow().get(address).copied().unwrap_or_default()
    }

    /// Every row of every table, as SQL.
    pub fn dump(&self) -> Vec<String> {
        let script = "import sqlite3, sys\n\
                      print('\\n'.join(sqlite3.connect(f'file:{sys.argv[1]}?mode=ro', uri=True).iterdump()))";
        let output = Command::new(python())
            .args(["-c", script])
            .arg(self.site.path("data/postrider.db"))
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let rows = String::from_utf8(output.stdout).unwrap();
        rows.lines().map(str::to_owned).collect()
    }

    /// The path of one of the site's addresses.
    #[track_caller]
    pub fn path_of(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.url);
        path.unwrap_or_else(|| panic!("{address} is not at {}", self.url))
            .to_owned()
    }
}

/// A port that nobody has, and nobody is given: the program must know it before it listens.
fn free_port() -> u16 {
    let own = u16::try_from(std::process::id() % u32::from(PORTS)).unwrap();
    (0..PORTS)
        .map(|_| NEXT_PORT.fetch_add(1, Ordering::Relaxed))
        .map(|n| FIRST_PORT + (own + n) % PORTS)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("no port is free")
}
