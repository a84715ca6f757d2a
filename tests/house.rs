//! Holds every module to its place: who may import whom, which crate lives where, how long a file may be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Left may import right, nothing else inside the crate. The longest matching beginning of a path counts.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("gather", &["store", "domain"]),
    ("gather/folder", &["domain"]),
    ("gather/page", &["domain"]),
    ("gather/feed", &["domain"]),
    ("gather/clean", &["domain"]),
    ("gather/dedupe", &["domain"]),
    ("store", &["domain"]),
    ("render", &["domain"]),
    ("feed", &["domain"]),
    ("edition", &["store", "domain"]),
    ("deliver", &["render", "store", "domain"]),
    ("subscriptions", &["store", "domain"]),
    ("schedule", &["gather", "edition", "deliver", "store", "domain"]),
    ("web", &["app", "domain"]),
    ("cli", &["app", "domain"]),
    // The commands that start a web server.
    ("cli/serve", &["app", "domain", "web"]),
    ("cli/worker", &["app", "domain", "web"]),
];

/// The files that know every module.
const ROOTS: &[&str] = &["app", "lib.rs", "main.rs"];

/// Crates with one home.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("handlebars", &["render"]),
    ("mrml", &["render"]),
    ("lettre", &["deliver"]),
    ("mail_auth", &["deliver"]),
    ("axum", &["web"]),
    ("tower_http", &["web"]),
    ("hyper_util", &["web"]),
    ("rss", &["feed"]),
    ("atom_syndication", &["feed"]),
    ("feed_rs", &["gather"]),
    ("reqwest", &["gather"]),
    ("clap", &["cli"]),
    ("prometheus_client", &["deliver"]),
];

/// What only SQL says.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE ",
    " SET ",
];

/// The longest file, in lines.
const LINES: usize = 400;

/// A source file: its path below `src`, its code without comments and text, and its text.
struct Source {
    path: String,
    code: String,
    texts: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let all: Vec<Source> = rust_files(&src)
        .iter()
        .map(|file| {
            let (code, texts) = split(&std::fs::read_to_string(file).unwrap());
            let path = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            Source { path, code, texts }
        })
        .collect();
    assert!(all.len() > 30, "the sources were not found");
    all
}

/// The first part of a path: the module.
fn module(path: &str) -> &str {
    let first = path.split('/').next().unwrap();
    if ROOTS.contains(&first) {
        first
    } else {
        first.trim_end_matches(".rs")
    }
}

fn is_root(path: &str) -> bool {
    ROOTS.contains(&module(path))
}

/// Code with comments and literals blanked out, and the texts of the literals.
fn split(source: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut texts = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest).filter(|_| !code.ends_with(is_word)) {
            texts.push(rest[..length].to_owned());
            length
        } else if c == '"' {
            let length = text_length(rest);
            texts.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find("'").unwrap() + 2
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[taken..];
    }
    (code, texts)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a literal between quotes.
fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The length of a raw literal such as `r#"…"#`.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r')?;
    let hashes = after.bytes().take_while(|b| *b == b'#').count();
    after[hashes..].starts_with('"').then_some(())?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 2;
    Some(
        rest[start..]
            .find(&end)
            .map_or(rest.len(), |at| start + at + end.len()),
    )
}

/// The names that follow each `prefix` that begins a path: `prefix::a`, or `prefix::{a::b, c}`.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| is_word(c) || c == ':') {
            continue;
        }
        let rest = code[at + prefix.len()..].trim_start();
        match rest.strip_prefix('{') {
            None => names.push(rest.chars().take_while(|c| is_word(*c)).collect()),
            Some(group) => {
                let (mut depth, mut name) = (1, String::new());
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 || depth == 1 && c == ',' {
                        names.push(name.trim().chars().take_while(|c| is_word(*c)).collect());
                        name.clear();
                    } else {
                        name.push(c);
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The modules of this crate that `source` names.
fn imports(source: &Source) -> BTreeSet<String> {
    let mut names = names_after(&source.code, "crate::");
    // Enough `super::` lead to the root as well; an inner test module needs one more.
    let depth = source.path.trim_end_matches("/mod.rs").split('/').count();
    for supers in depth..depth + 3 {
        names.extend(names_after(&source.code, &"super::".repeat(supers)));
    }
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).chain(["app"]).collect();
    names
        .into_iter()
        .filter(|name| known.contains(name.as_str()))
        .collect()
}

/// Whether `code` begins a path with the crate `name`, or imports it whole.
fn uses_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = &code[..at];
        let after = code[at + name.len()..].trim_start();
        let own = before.trim_end().ends_with("use") && after.starts_with([';', ' ']);
        let outside = !before.ends_with(|c: char| is_word(c) || c == ':') || before.ends_with(" ::");
        outside && (after.starts_with("::") || own)
    })
}

#[test]
fn modules_import_only_what_stands_in_the_table() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_root(&source.path)) {
        let own = module(&source.path);
        let (_, allowed) = MAY_USE
            .iter()
            .filter(|(place, _)| source.path.starts_with(place))
            .max_by_key(|(place, _)| place.len())
            .unwrap_or_else(|| panic!("src/{} is in no module of the table", source.path));
        for name in imports(source) {
            if name != own && !allowed.contains(&name.as_str()) {
                wrong.push(format!("src/{} may not use {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_and_sql_have_one_home() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, homes) in HOMES {
            let is_home =
                homes.contains(&module(&source.path)) || *name == "clap" && source.path == "main.rs";
            if !is_home && uses_crate(&source.code, name) {
                wrong.push(format!("src/{} may not use the crate {name}", source.path));
            }
        }
        let says_sql = |text: &String| {
            SQL.iter().any(|word| text.contains(word)) || text.contains("UPDATE ") && text.contains(" SET ")
        };
        if module(&source.path) != "store" && source.texts.iter().any(says_sql) {
            wrong.push(format!("src/{} holds SQL", source.path));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short() {
    let mut files = rust_files(&root().join("src"));
    files.extend(rust_files(&root().join("tests")));
    let long: Vec<String> = files
        .iter()
        .map(|file| (file, std::fs::read_to_string(file).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(file, lines)| format!("{}: {lines} lines", file.strip_prefix(root()).unwrap().display()))
        .collect();
    assert!(long.is_empty(), "longer than {LINES} lines: {long:#?}");
}

#[test]
fn the_reading_of_sources_sees_through_groups_comments_and_text() {
    let read = |path: &str, text: &str| {
        let (code, texts) = split(text);
        Source {
            path: path.to_owned(),
            code,
            texts,
        }
    };
    let found = |path: &str, text: &str| imports(&read(path, text)).into_iter().collect::<Vec<_>>();
    assert_eq!(
        found("web/x.rs", "use crate::{domain::A, store::{b, edition}};"),
        ["domain", "store"]
    );
    assert_eq!(
        found("web/x.rs", "fn f() -> crate::render::T { crate :: x }"),
        ["render"]
    );
    assert_eq!(found("web/x.rs", "use super::super::gather::x;"), ["gather"]);
    assert_eq!(
        found(
            "web/mod.rs",
            "use super::gather::x; mod t { use super::super::feed; }"
        ),
        ["feed", "gather"]
    );
    let nothing: Vec<String> = Vec::new();
    assert_eq!(
        found(
            "web/x.rs",
            "// crate::store\n/* crate::store */ let a = \"crate::store\"; my_crate::store::x;"
        ),
        nothing
    );
    assert_eq!(
        found(
            "web/x.rs",
            "let a = ('\"', r#\"crate::store \" \"#, \"\\\"crate::store\"); let b = '\"';"
        ),
        nothing
    );
    assert_eq!(read("x", "let a = \"SELECT 1\";").texts, ["\"SELECT 1\""]);
    for (code, uses) in [
        ("use sqlx::Any;", true),
        ("use sqlx;", true),
        ("let a: ::sqlx::Any;", true),
        ("fn f(a: &sqlx::Any)", true),
        ("use crate::store::sqlx::x;", false),
        ("let my_sqlx = sqlx_x::y;", false),
    ] {
        assert_eq!(uses_crate(code, "sqlx"), uses, "{code}");
    }
}
