//! Mail servers that are programs of their own: PyPI `aiosmtpd` and Postfix's `smtp-sink`.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that ends with the test.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Its TCP port on loopback.
    pub port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that has `aiosmtpd`.
pub fn python() -> String {
    std::env::var("POSTRIDER_TEST_PYTHON")
        .expect("POSTRIDER_TEST_PYTHON names no Python with aiosmtpd; run the tests through scripts/test.sh")
}

/// Starts `aiosmtpd`; it writes one file a message into `folder`.
pub fn aiosmtpd(folder: &Path, arguments: &[&str]) -> Running {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/aiosmtpd_relay.py");
    let mut child = Command::new(python())
        .arg(script)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("POSTRIDER_TEST_PYTHON cannot be started");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line
        .trim()
        .parse()
        .expect("aiosmtpd_relay.py did not print its port");
    Running { child, port }
}

/// Starts `smtp-sink`; it writes one file a message into `folder`.
pub fn smtp_sink(folder: &Path) -> Running {
    let program = [
        "/usr/sbin/smtp-sink",
        "/usr/lib/postfix/sbin/smtp-sink",
        "/usr/local/sbin/smtp-sink",
    ]
    .into_iter()
    .map(PathBuf::from)
    .find(|path| path.exists())
    .expect("smtp-sink is missing: install the Debian package postfix");
    // smtp-sink cannot choose a port itself.
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new(program)
        // Only root has to name a user, and only root can.
        .args(if folder_is_roots(folder) {
            &["-u", "root"][..]
        } else {
            &[]
        })
        .arg("-d")
        .arg(folder.join("m."))
        .arg(format!("127.0.0.1:{port}"))
        .arg("100")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running { child, port };
    wait_until("smtp-sink listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    running
}

/// Whether this runs as root: then what it makes is root's.
fn folder_is_roots(folder: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder).unwrap()) == 0
}

/// Waits for a condition, for at most 30 seconds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "waited in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The contents of the files in a folder.
pub fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect()
}

/// Certificates that a test makes for itself.
#[derive(Debug)]
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// An authority, and a leaf for `localhost` (`DNS:` or `IP:` forms of OpenSSL).
    pub fn make(subject_alt_name: &str) -> Self {
        let made = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(
            made.path("leaf.ext"),
            format!("subjectAltName={subject_alt_name}\n"),
        )
        .unwrap();
        let key = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ];
        made.openssl(
            &[
                "req",
                "-x509",
                "-days",
                "2",
                "-subj",
                "/CN=Test authority",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
            ],
            &key,
        );
        made.openssl(
            &[
                "req", "-subj", "/CN=leaf", "-keyout", "leaf.key", "-out", "leaf.csr",
            ],
            &key,
        );
        made.openssl(
            &[
                "x509",
                "-req",
                "-days",
                "2",
                "-in",
                "leaf.csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-extfile",
                "leaf.ext",
                "-out",
                "leaf.pem",
            ],
            &[],
        );
        made
    }

    /// A file: `ca.pem`, `leaf.pem` or `leaf.key`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str], more: &[&str]) {
        let output = Command::new("openssl")
            .current_dir(self.folder.path())
            .args(arguments)
            .args(more)
            .output()
            .expect("openssl is missing");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
