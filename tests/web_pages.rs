//! The pages that readers see: whole, accessible, and harmless with hostile values.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use postrider::render::{LinkInvalidPage, PreferencesPage, Templates, UnsubscribePage, UnsubscribedPage};
use scraper::{Html, Selector};

fn templates() -> Templates {
    Templates::load(None, &[]).unwrap_or_else(|problem| panic!("{problem}"))
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

#[test]
fn every_page_is_a_whole_document() {
    let templates = templates();
    for page in [
        templates.page(&UnsubscribePage::sample()).unwrap(),
        templates.page(&UnsubscribedPage::sample()).unwrap(),
        templates.page(&LinkInvalidPage::sample()).unwrap(),
        templates.page(&LinkInvalidPage::bare_sample()).unwrap(),
        templates.page(&PreferencesPage::sample()).unwrap(),
        templates.page(&PreferencesPage::bare_sample()).unwrap(),
    ] {
        let html = Html::parse_document(&page);
        assert_eq!(html.errors, Vec::<String>::new());
        assert_eq!(all(&html, "html[lang=en]").len(), 1);
        assert!(
            all(&html, "title")[0]
                .text()
                .collect::<String>()
                .ends_with(" – Sample Site")
        );
        assert_eq!(all(&html, "h1").len(), 1);
        assert_eq!(all(&html, "main").len(), 1);
        assert_eq!(all(&html, "meta[name=viewport]").len(), 1);
        assert_eq!(
            all(
                &html,
                "script:not([type='application/ld+json']), style, [style], img"
            )
            .len(),
            0,
            "only the style sheet"
        );
        assert_eq!(
            all(&html, "link[rel=stylesheet][href='../assets/site.css']").len(),
            1
        );
    }
    assert!(templates.stylesheet().contains(":focus-visible"));
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
    let button = all(&html, "form button[type=submit]")[0]
        .text()
        .collect::<String>();
    assert_eq!(button, "Unsubscribe from Pain <b>& \"sleep\"");
    assert_eq!(
        all(&html, "h1")[0].text().collect::<String>(),
        "Unsubscribe from Pain <b>& \"sleep\"?"
    );
}

#[test]
fn the_page_of_preferences_says_what_choosing_none_means() {
    let page = |change: fn(&mut PreferencesPage)| {
        let mut context = PreferencesPage::sample();
        change(&mut context);
        templates().page(&context).unwrap()
    };
    let chosen = page(|_| ());
    assert!(chosen.contains("<li>First Category</li>") && chosen.contains("href=\"../u/sample-token\""));
    assert!(page(|page| page.categories.clear()).contains("in every category"));
    let none = page(|page| {
        page.categories.clear();
        page.unchosen_all = false;
    });
    assert!(none.contains("chose no categories yet") && !none.contains("every category"));
    let left = page(|page| page.subscribed = false);
    assert!(left.contains("You do not receive Weekly research digest.") && !left.contains("sample-token"));
}

#[test]
fn a_bad_link_offers_a_new_one_where_there_is_an_address() {
    let page = templates().page(&LinkInvalidPage::sample()).unwrap();
    assert!(page.contains("href=\"mailto:mail@example.org?subject="), "{page}");
    let page = templates().page(&LinkInvalidPage::bare_sample()).unwrap();
    assert!(!page.contains("mailto:"), "{page}");
}

#[test]
fn the_unsubscribe_page() {
    insta::assert_snapshot!(templates().page(&UnsubscribePage::sample()).unwrap());
}
