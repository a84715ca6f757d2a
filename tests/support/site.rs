//! A site of its own in a temporary folder, and the real program run on it.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A folder with configuration, content and lists.
pub struct Site {
    folder: TempDir,
    /// Added to every command, such as `POSTRIDER_DATABASE`.
    pub environment: Vec<(String, String)>,
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The result of a command that was run with `--json`.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails the test unless the exit code is `code`.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// A program under way, killed when the test ends.
pub struct Server {
    child: Child,
    /// `http://address:port`.
    pub url: String,
}

impl Server {
    /// A program under way that listens at `url`.
    pub fn of(child: Child, url: String) -> Self {
        Self { child, url }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and waits for its exit code.
    pub fn stop(mut self) -> i32 {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.pid().to_string())
            .status()
            .unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// A site with two categories, the digest `weekly` by hand only, an outbox, no content and no readers.
    pub fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        };
        fs::create_dir(site.path("content")).unwrap();
        fs::create_dir(site.path("subscribers")).unwrap();
        site.configure("", "");
        site
    }

    /// The configuration, content and list that the program comes with.
    pub fn shipped() -> Self {
        let site = Self::new();
        let ground = Path::new(env!("CARGO_MANIFEST_DIR"));
        let copy = |name: &str| fs::copy(ground.join(name), site.path(name)).unwrap();
        // An operator's own lists may lie beside the sample.
        copy("config.toml");
        copy("subscribers/sample.csv");
        for file in fs::read_dir(ground.join("content")).unwrap() {
            copy(&format!(
                "content/{}",
                file.unwrap().file_name().to_str().unwrap()
            ));
        }
        site
    }

    /// Writes the configuration anew; `digest` is added to the digest's table, `rest` behind everything.
    pub fn configure(&self, digest: &str, rest: &str) {
        self.write(
            "config.toml",
            &format!(
                "[site]\nname = \"Test Site\"\nurl = \"https://site.example.org\"\nlanguage = \"en\"\n\
                 tagline = \"T\"\ncopyright = \"C\"\npostal_address = \"1 Street\"\n\
                 [mail]\nfrom = \"Test Site <news@example.org>\"\n\
                 [delivery]\nretry_first = \"1s\"\nretry_max = \"2s\"\ntimeout = \"5s\"\n\
                 [[relay]]\nname = \"outbox\"\nurl = \"outbox:outbox\"\n\
                 [[source]]\nname = \"content\"\nkind = \"folder\"\npath = \"content\"\n\
                 [[category]]\nslug = \"urology\"\nname = \"Urology\"\n\
                 [[category]]\nslug = \"oncology\"\nname = \"Oncology\"\n\
                 [[digest]]\nname = \"weekly\"\ntitle = \"Weekly digest\"\nschedule = \"\"\n{digest}\n{rest}\n"
            ),
        );
    }

    /// The path of `name` in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The site's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a summary; `categories` are slugs joined by commas.
    pub fn summary(&self, slug: &str, categories: &str) {
        self.summary_with(slug, categories, "", &format!("What {slug} says."));
    }

    /// Writes a summary with further front matter and an explanation.
    pub fn summary_with(&self, slug: &str, categories: &str, head: &str, explanation: &str) {
        let categories: Vec<String> = categories.split(',').map(|slug| format!("{slug:?}")).collect();
        self.write(
            &format!("content/{slug}.md"),
            &format!(
                "+++\ntitle = \"About {slug}\"\ndoi = \"10.5555/{slug}\"\npublished = 2026-01-02\n\
                 categories = [{}]\n{head}\n+++\n\n## Simple Explanation\n\n{explanation}\n",
                categories.join(", ")
            ),
        );
    }

    /// Writes a list of confirmed readers of `weekly`: address and categories.
    pub fn readers(&self, readers: &[(&str, &str)]) {
        let mut list = String::from("email,name,digest,categories,status,consent_at,consent_source\n");
        for (address, categories) in readers {
            writeln!(list, "{address},,weekly,{categories},confirmed,2026-01-01,test").unwrap();
        }
        self.write("subscribers/list.csv", &list);
    }

    /// Writes a list of `count` confirmed readers without a choice.
    pub fn many_readers(&self, count: usize) {
        let mut list = String::from("email,name,digest,categories,status,consent_at,consent_source\n");
        for n in 0..count {
            writeln!(
                list,
                "reader{n}@example.org,Reader {n},weekly,,confirmed,2026-01-01,test"
            )
            .unwrap();
        }
        self.write("subscribers/list.csv", &list);
    }

    /// The program with `arguments`, run from another folder than the site's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        command
            .arg("--config")
            .arg(self.path("config.toml"))
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs `serve` on a free port and waits until it listens.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_at("127.0.0.1:0", arguments)
    }

    /// Runs `serve` at an address and waits until it listens.
    pub fn serve_at(&self, address: &str, arguments: &[&str]) -> Server {
        let mut child = self
            .command(&["serve", "--listen", address])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("serve said {line:?}"));
        Server {
            url: url.to_owned(),
            child,
        }
    }

    /// The messages in the outbox, in the order of their names.
    pub fn outbox(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(self.path("outbox")) else {
            return Vec::new();
        };
        let paths = files.map(|file| file.unwrap().path());
        // One that is being written has another ending.
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.extension() == Some("eml".as_ref()))
            .collect();
        paths.sort();
        paths
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    /// Empties the outbox.
    pub fn empty_outbox(&self) {
        let _ = fs::remove_dir_all(self.path("outbox"));
    }

    /// The account of edition `number`.
    pub fn edition(&self, number: i64) -> Value {
        self.run(&["editions", "show", &number.to_string(), "--deliveries", "--json"])
            .expect_code(0)
            .json()
    }
}

/// What a finished command said.
pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
