//! The templates that are compiled in: every file below `templates/`, as a test makes sure.

macro_rules! built_in {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates/", $path)))),*]
    };
}

/// Path below `templates/`, and text.
pub(super) const BUILT_IN: &[(&str, &str)] = built_in![
    "email/account_link/body.mjml.hbs",
    "email/account_link/body.txt.hbs",
    "email/account_link/subject.txt.hbs",
    "email/address_changed/body.mjml.hbs",
    "email/address_changed/body.txt.hbs",
    "email/address_changed/subject.txt.hbs",
    "email/confirm/body.mjml.hbs",
    "email/confirm/body.txt.hbs",
    "email/confirm/subject.txt.hbs",
    "email/contact/body.mjml.hbs",
    "email/contact/body.txt.hbs",
    "email/contact/subject.txt.hbs",
    "email/digest/body.mjml.hbs",
    "email/digest/body.txt.hbs",
    "email/digest/subject.txt.hbs",
    "email/new_address/body.mjml.hbs",
    "email/new_address/body.txt.hbs",
    "email/new_address/subject.txt.hbs",
    "email/preferences_link/body.mjml.hbs",
    "email/preferences_link/body.txt.hbs",
    "email/preferences_link/subject.txt.hbs",
    "email/sign_in/body.mjml.hbs",
    "email/sign_in/body.txt.hbs",
    "email/sign_in/subject.txt.hbs",
    "email/welcome/body.mjml.hbs",
    "email/welcome/body.txt.hbs",
    "email/welcome/subject.txt.hbs",
    "feed/channel_description.txt.hbs",
    "feed/channel_title.txt.hbs",
    "feed/entry_body.html.hbs",
    "feed/entry_summary.txt.hbs",
    "feed/entry_title.txt.hbs",
    "partials/answers.html.hbs",
    "partials/breadcrumb.html.hbs",
    "partials/card.html.hbs",
    "partials/facts.html.hbs",
    "partials/item.html.hbs",
    "partials/item.txt.hbs",
    "partials/layout.html.hbs",
    "partials/notice_foot.html.hbs",
    "partials/notice_foot.txt.hbs",
    "partials/notice_head.mjml.hbs",
    "partials/pager.html.hbs",
    "partials/status.html.hbs",
    "texts/about.md",
    "texts/contact.md",
    "texts/disclaimer.md",
    "web/archive.hbs",
    "web/categories.hbs",
    "web/category.hbs",
    "web/contact.hbs",
    "web/contact_sent.hbs",
    "web/edition.hbs",
    "web/helpful.hbs",
    "web/home.hbs",
    "web/link_invalid.hbs",
    "web/not_found.hbs",
    "web/preferences.hbs",
    "web/removed.hbs",
    "web/research.hbs",
    "web/site.css",
    "web/summary.hbs",
    "web/text.hbs",
    "web/unsubscribe.hbs",
    "web/unsubscribed.hbs",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn files(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_file_is_compiled_in() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = BTreeSet::new();
        files(&root, &root, &mut found);
        let listed: BTreeSet<_> = BUILT_IN.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(found, listed);
    }
}
