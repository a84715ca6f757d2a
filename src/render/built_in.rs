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
    "partials/address_field.html.hbs",
    "partials/admin_editions.html.hbs",
    "partials/admin_nav.html.hbs",
    "partials/admin_said.html.hbs",
    "partials/answers.html.hbs",
    "partials/breadcrumb.html.hbs",
    "partials/card.html.hbs",
    "partials/choices.html.hbs",
    "partials/facts.html.hbs",
    "partials/faults.html.hbs",
    "partials/item.html.hbs",
    "partials/item.txt.hbs",
    "partials/layout.html.hbs",
    "partials/leave_empty.html.hbs",
    "partials/notice_foot.html.hbs",
    "partials/notice_foot.txt.hbs",
    "partials/notice_head.mjml.hbs",
    "partials/pager.html.hbs",
    "partials/reader_fields.html.hbs",
    "partials/status.html.hbs",
    "partials/subscription.html.hbs",
    "texts/about.md",
    "texts/contact.md",
    "texts/disclaimer.md",
    "texts/privacy.md",
    "web/account.hbs",
    "web/account_link.hbs",
    "web/address_changed.hbs",
    "web/admin/cancel.hbs",
    "web/admin/deliveries.hbs",
    "web/admin/digest.hbs",
    "web/admin/draft.hbs",
    "web/admin/editions.hbs",
    "web/admin/ledger.hbs",
    "web/admin/link_used.hbs",
    "web/admin/send.hbs",
    "web/admin/session.hbs",
    "web/admin/sign_in.hbs",
    "web/admin/sign_in_sent.hbs",
    "web/admin/start.hbs",
    "web/admin/trouble.hbs",
    "web/archive.hbs",
    "web/ask_person.hbs",
    "web/categories.hbs",
    "web/category.hbs",
    "web/check_inbox.hbs",
    "web/confirm.hbs",
    "web/confirmed.hbs",
    "web/contact.hbs",
    "web/contact_sent.hbs",
    "web/edition.hbs",
    "web/erase.hbs",
    "web/erased.hbs",
    "web/helpful.hbs",
    "web/home.hbs",
    "web/link_expired.hbs",
    "web/link_invalid.hbs",
    "web/link_sent.hbs",
    "web/lost_link.hbs",
    "web/new_address.hbs",
    "web/not_found.hbs",
    "web/preferences.hbs",
    "web/refuse.hbs",
    "web/refused.hbs",
    "web/removed.hbs",
    "web/research.hbs",
    "web/site.css",
    "web/subscribe.hbs",
    "web/summary.hbs",
    "web/text.hbs",
    "web/too_many.hbs",
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
