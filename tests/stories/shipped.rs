//! The configuration, content and lists that the program comes with.

use crate::account::{check_accounts, counts, document, only_edition, texts};
use crate::mail::Mail;
use crate::site::said;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn the_samples_go_out_and_a_tenth_summary_follows() {
    let ground = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(ground.join("config.toml"), folder.path().join("config.toml")).unwrap();
    copy(&ground.join("content"), &folder.path().join("content"));
    fs::create_dir(folder.path().join("subscribers")).unwrap();
    // An operator's own lists may lie beside the sample.
    let list = "subscribers/sample.csv";
    fs::copy(ground.join(list), folder.path().join(list)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        said(
            &command
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .unwrap(),
        )
    };
    let outbox = || -> Vec<Mail> {
        let files = fs::read_dir(folder.path().join("outbox")).unwrap();
        let mut mails: Vec<_> = files
            .map(|file| file.unwrap().path())
            .inspect(|path| assert!(path.extension().is_some_and(|ending| ending == "eml"), "{path:?}"))
            .map(|path| Mail::read(&fs::read_to_string(path).unwrap()))
            .collect();
        mails.sort();
        mails
    };

    let first = run(&["publish"]).expect_code(0);
    assert_eq!(first.err, "");
    assert!(
        first.out.contains("9 new") && first.out.contains("edition 1 planned"),
        "{first:?}"
    );
    let sample = fs::read_to_string(folder.path().join(list)).unwrap();
    let readers: BTreeSet<_> = sample
        .lines()
        .filter(|line| line.contains(",confirmed,"))
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert!(readers.len() >= 5);
    let mails = outbox();
    assert_eq!(
        mails.iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(),
        readers.iter().cloned().collect::<Vec<_>>()
    );
    let account = document(run(&["editions", "show", "1", "--deliveries", "--json"]), 0);
    let count = i64::try_from(readers.len()).unwrap();
    assert_eq!(
        (texts(&account["summaries"]).len(), counts(&account)),
        (9, [count, 0, 0, 0])
    );

    let second = run(&["publish"]).expect_code(0);
    assert!(
        second.out.contains("9 unchanged") && second.out.contains("nothing new"),
        "{second:?}"
    );
    assert_eq!(outbox(), mails);

    fs::write(
        folder.path().join("content/a-tenth.md"),
        "+++\ntitle = \"The tenth\"\ncategories = [\"oncology\"]\n+++\n\n## Simple Explanation\n\nNew.\n",
    )
    .unwrap();
    let third = document(run(&["publish", "--json"]), 0);
    check_accounts(&third);
    let made = only_edition(&third);
    // Ada chose oncology, Emil chose nothing.
    assert_eq!(
        (&made["summaries"], counts(&made)),
        (&json!(["a-tenth"]), [2, 0, 0, count - 2])
    );
    assert_eq!(outbox().len(), mails.len() + 2);
    for command in ["check", "status"] {
        assert_eq!(run(&[command]).expect_code(0).err, "", "{command}");
    }
    run(&["templates", "check"]).expect_code(0);
}
