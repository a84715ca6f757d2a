//! The pages that readers see: whole, accessible, and harmless with hostile values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use postrider::render::{
    AccountLinkPage, AccountPage, AddressChangedPage, AskPersonPage, CheckInboxPage, ConfirmPage,
    ConfirmedPage, ErasePage, ErasedPage, LinkExpiredPage, LinkInvalidPage, LinkSentPage, LostLinkPage,
    NewAddressPage, Page, PreferencesPage, RefusePage, RefusedPage, SubscribePage, Templates, TooManyPage,
    UnsubscribePage, UnsubscribedPage,
};
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeSet;

fn templates() -> Templates {
    Templates::load(None, &[]).unwrap_or_else(|problem| panic!("{problem}"))
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: &ElementRef) -> String {
    element.text().collect::<String>().trim().to_owned()
}

/// Every sample of a page, rendered.
fn pages<P: Page>() -> Vec<(String, String)> {
    let templates = templates();
    let page = |(n, sample): (usize, P)| (format!("{} {n}", P::TEMPLATE), templates.page(&sample).unwrap());
    P::samples().into_iter().enumerate().map(page).collect()
}

fn every_page() -> Vec<(String, String)> {
    [
        pages::<AccountLinkPage>(),
        pages::<AccountPage>(),
        pages::<AddressChangedPage>(),
        pages::<AskPersonPage>(),
        pages::<CheckInboxPage>(),
        pages::<ConfirmPage>(),
        pages::<ConfirmedPage>(),
        pages::<ErasePage>(),
        pages::<ErasedPage>(),
        pages::<LinkExpiredPage>(),
        pages::<LinkInvalidPage>(),
        pages::<LinkSentPage>(),
        pages::<LostLinkPage>(),
        pages::<NewAddressPage>(),
        pages::<PreferencesPage>(),
        pages::<RefusePage>(),
        pages::<RefusedPage>(),
        pages::<SubscribePage>(),
        pages::<TooManyPage>(),
        pages::<UnsubscribePage>(),
        pages::<UnsubscribedPage>(),
    ]
    .concat()
}

#[test]
fn every_page_is_a_whole_document() {
    for (name, page) in every_page() {
        let html = Html::parse_document(&page);
        assert_eq!(html.errors, Vec::<String>::new(), "{name}");
        assert_eq!(all(&html, "html[lang=en]").len(), 1, "{name}");
        let title = text(&all(&html, "title")[0]);
        assert!(title.ends_with(" – Sample Site"), "{name}: {title}");
        assert_eq!(all(&html, "h1").len(), 1, "{name}");
        assert_eq!(all(&html, "main").len(), 1, "{name}");
        assert_eq!(all(&html, "meta[name=viewport]").len(), 1, "{name}");
        let running = "script:not([type='application/ld+json']), style, [style], img, iframe, [autofocus]";
        assert_eq!(all(&html, running).len(), 0, "{name}: only the style sheet");
        assert_eq!(
            all(&html, "link[rel=stylesheet][href='../assets/site.css']").len(),
            1,
            "{name}"
        );
    }
    assert!(templates().stylesheet().contains(":focus-visible"));
}

/// Screen readers and voice control find every control by a name that can be seen, and by no other's.
#[test]
fn every_control_has_a_label_of_its_own() {
    for (name, page) in every_page() {
        let html = Html::parse_document(&page);
        let ids: Vec<&str> = all(&html, "[id]")
            .iter()
            .map(|one| one.value().attr("id").unwrap())
            .collect();
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "{name}: an id twice in {ids:?}");
        let mut labels = BTreeSet::new();
        for control in all(&html, "main input:not([type=hidden]), main select, main textarea") {
            let id = control
                .value()
                .attr("id")
                .unwrap_or_else(|| panic!("{name}: a control without id"));
            let label = all(&html, &format!("label[for='{id}']"));
            assert_eq!(label.len(), 1, "{name}: {id}");
            assert!(
                labels.insert(text(&label[0])),
                "{name}: {id} is called like another control"
            );
        }
        for button in all(&html, "main button") {
            assert!(labels.insert(text(&button)), "{name}: {} twice", text(&button));
        }
        for pointing in all(&html, "[aria-describedby], [aria-labelledby]") {
            let to = pointing
                .value()
                .attr("aria-describedby")
                .or(pointing.value().attr("aria-labelledby"));
            for id in to.unwrap().split_whitespace() {
                assert!(known.contains(id), "{name}: nothing is called {id}");
            }
        }
        for invalid in all(&html, "[aria-invalid]") {
            assert!(
                invalid.value().attr("aria-describedby").is_some(),
                "{name}: a fault without words"
            );
        }
        for link in all(&html, "main a[href^='#']") {
            let id = link.value().attr("href").unwrap().strip_prefix('#').unwrap();
            assert!(known.contains(id), "{name}: a link to nothing: {id}");
        }
    }
}

#[test]
fn unsubscribing_takes_a_button_that_names_the_digest() {
    let mut context = UnsubscribePage::sample();
    context.digest.title = "Pain <b>& \"sleep\"".to_owned();
    context.action = "/unsubscribe/a?b=c\"d".to_owned();
    let page = templates().page(&context).unwrap();
    let html = Html::parse_document(&page);
    let form = all(&html, "form[method=post]")[0];
    assert_eq!(form.value().attr("action"), Some("/unsubscribe/a?b=c\"d"));
    let button = text(&all(&html, "form button[type=submit]")[0]);
    assert_eq!(button, "Unsubscribe from Pain <b>& \"sleep\"");
    assert_eq!(
        text(&all(&html, "h1")[0]),
        "Unsubscribe from Pain <b>& \"sleep\"?"
    );
}

#[test]
fn what_was_typed_comes_back_as_text() {
    let typed = "\"><script>alert(1)</script>\r\n<b x='y";
    let mut context = SubscribePage::samples().remove(0);
    context.address.value = typed.to_owned();
    context.name.value = typed.to_owned();
    let page = templates().page(&context).unwrap();
    let html = Html::parse_document(&page);
    assert_eq!(all(&html, "script:not([type]), b").len(), 0);
    for id in ["address", "name"] {
        let field = all(&html, &format!("input#{id}"))[0];
        let shown = field
            .value()
            .attr("value")
            .unwrap()
            .replace('\n', "\r\n")
            .replace("\r\r", "\r");
        assert_eq!(shown, typed);
        assert_eq!(field.value().attr("aria-invalid"), Some("true"));
    }
}

#[test]
fn the_pages_of_choices_say_what_choosing_none_means() {
    let page = |unchosen_all| {
        let mut context = PreferencesPage::bare_sample();
        context.unchosen_all = unchosen_all;
        templates().page(&context).unwrap()
    };
    assert!(page(true).contains("If you choose none, you receive them all."));
    assert!(page(false).contains("If you choose none, you receive nothing yet."));
    let left = templates().page(&PreferencesPage::gone_sample()).unwrap();
    assert!(left.contains("You do not receive Weekly research digest.") && !left.contains("<form"));
}

#[test]
fn a_bad_link_offers_a_new_one() {
    let page = templates().page(&LinkInvalidPage::sample()).unwrap();
    assert!(page.contains("href=\"../lost-link\""), "{page}");
    assert!(page.contains("href=\"mailto:mail@example.org?subject="), "{page}");
    let page = templates().page(&LinkInvalidPage::bare_sample()).unwrap();
    assert!(!page.contains("mailto:"), "{page}");
}

#[test]
fn the_unsubscribe_page() {
    let page = templates().page(&UnsubscribePage::sample()).unwrap();
    let html = Html::parse_document(&page);
    insta::assert_snapshot!(all(&html, "main")[0].inner_html());
}

#[test]
fn no_rule_of_the_stylesheet_swallows_those_behind_it() {
    let mut depth = 0;
    for (n, line) in include_str!("../templates/web/site.css").lines().enumerate() {
        let starts_outside = !line.is_empty() && !line.starts_with([' ', '}']);
        assert!(
            !starts_outside || depth == 0,
            "line {}: {line:?} stands within a rule",
            n + 1
        );
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
    }
    assert_eq!(depth, 0, "a rule is not closed");
}
