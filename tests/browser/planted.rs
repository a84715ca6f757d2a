//! The checks themselves: each finds the fault that it is there for, and nothing where there is none.

use crate::browser::Browser;

/// A page without a fault, in which `planted` stands for something that is without a fault as well.
fn page(head: &str, planted: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>A page</title>\n\
         <style>\n:root {{ color-scheme: light dark; }}\nbody {{ font: 1rem/1.6 sans-serif; }}\n\
         a, input, button {{ padding: 0.5rem; }}\n\
         @media (prefers-color-scheme: dark) {{ body {{ background: #15191f; color: #e6e9ee; }} a {{ color: #8cc1ff; }} }}\n\
         {head}\n</style>\n</head>\n<body>\n<main>\n<h1>A page</h1>\n\
         <p>Some words.</p>\n{planted}\n</main>\n</body>\n</html>\n"
    )
}

/// Style, markup, and what the checks must say of it.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "",
        "<form method=\"post\" action=\"/a\"><input type=\"text\" name=\"a\"><button type=\"submit\">Send</button></form>",
        "axe label",
    ),
    (
        "",
        "<form method=\"post\" action=\"/a\"><input type=\"text\" name=\"a\"><button type=\"submit\">Send</button></form>",
        "markup: input-missing-label",
    ),
    (
        "",
        "<form method=\"post\" action=\"/a\"><input type=\"text\" name=\"a\" aria-label=\"Unseen\"><button type=\"submit\">Send</button></form>",
        "names: no visible label",
    ),
    (
        ".faint { color: #999; background: #fff; }",
        "<p class=\"faint\">Faint.</p>",
        "light, 1280 px: axe color-contrast",
    ),
    (
        "@media (prefers-color-scheme: dark) { .faint { color: #444; } }",
        "<p class=\"faint\">Faint in the dark.</p>",
        "dark, 320 px: axe color-contrast",
    ),
    (
        "",
        "<p><img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"></p>",
        "axe image-alt",
    ),
    (
        "",
        "<p id=\"a\">One.</p><p id=\"a\">Two.</p>",
        "markup: no-dup-id",
    ),
    ("", "<p>Not <b>closed.</p>", "markup: close-order"),
    ("", "<h3>A heading that skips a level</h3>", "axe heading-order"),
    (
        ".small { padding: 0; display: inline-block; width: 9px; height: 9px; overflow: visible; }",
        "<ul><li><a class=\"small\" href=\"/a\">a</a><a class=\"small\" href=\"/b\">b</a></li></ul>",
        "axe target-size",
    ),
    (
        ".wide { width: 400px; }",
        "<p class=\"wide\">Wide.</p>",
        "at 320 px: scrolls sideways",
    ),
    (
        "body { overflow-x: hidden; } .wide { width: 700px; }",
        "<p class=\"wide\">Wide.</p>",
        "at 200 % zoom: sticks out",
    ),
    (
        ".tight { height: 1.2em; line-height: 1.2; overflow: hidden; }",
        "<p class=\"tight\">Tight.</p>",
        "at 320 px with wide spacing: is cut off",
    ),
    (
        "",
        "<ul><li><a href=\"/a\">Read more</a></li><li><a href=\"/b\">Read more</a></li></ul>",
        "names: the name \"read more\" stands for two things",
    ),
    (
        "",
        "<p><a href=\"/a\" aria-label=\"The first study\">Read more</a></p>",
        "names: the visible label \"read more\" is not in the name",
    ),
    (
        "",
        "<form method=\"post\" action=\"/a\"><label>Name <input type=\"text\" name=\"a\"></label> <label>Name <input type=\"text\" name=\"b\"></label> <button type=\"submit\">Send</button></form>",
        "names: two controls are named \"name\"",
    ),
    (
        "",
        "<p><a href=\"/a\" tabindex=\"-1\">Out of reach</a></p>",
        "keyboard: Tab does not reach it",
    ),
    (
        "a:focus { outline: none; }",
        "<p><a href=\"/a\">Here</a></p>",
        "keyboard: the focus cannot be seen",
    ),
    (
        ".away:focus { position: fixed; bottom: 200vh; }",
        "<p><a class=\"away\" href=\"/a\">Away</a></p>",
        "keyboard: the focus is out of sight",
    ),
    (
        "",
        "<p id=\"late\"></p><script>document.getElementById(\"late\").textContent = \"Late.\";</script>",
        "without script it reads differently",
    ),
];

/// What stands where it should, beside all of the above.
const FAULTLESS: &str = "<form method=\"post\" action=\"/a\"><p><label for=\"a\">Name</label> <input id=\"a\" type=\"text\" name=\"a\" autocomplete=\"name\"></p>\
    <fieldset><legend>Way</legend><label><input type=\"radio\" name=\"w\" value=\"1\"> First way</label> \
    <label><input type=\"radio\" name=\"w\" value=\"2\"> Second way</label></fieldset>\
    <p><button type=\"submit\">Send</button></p></form>\
    <ul><li><a href=\"/a\">Read of a</a></li><li><a href=\"/b\">Read of b</a></li></ul>";

/// What is let pass in mails hides nothing else.
const FAULTS_OF_MAILS: &[(&str, &str, &str)] = &[
    (
        "",
        "<p><img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\"></p>",
        "axe image-alt",
    ),
    (
        "",
        "<table role=\"presentation\" bgcolor=\"#ffffff\"><tbody><tr><td>A</td></tr></tbody></table>",
        "markup: no-deprecated-attr",
    ),
    (
        "",
        "<div role=\"navigation\">A</div>",
        "markup: prefer-native-element",
    ),
    (
        ".faint { color: #999; background: #fff; }",
        "<p class=\"faint\">Faint.</p>",
        "dark, 320 px: axe color-contrast",
    ),
    (
        ".wide { width: 400px; }",
        "<p class=\"wide\">Wide.</p>",
        "at 320 px: scrolls sideways",
    ),
    (
        "",
        "<ul><li><a href=\"/a\">Read more</a></li><li><a href=\"/b\">Read more</a></li></ul>",
        "names: the name \"read more\" stands for two things",
    ),
];

/// What a mail may have: layout that Outlook understands.
const FAULTLESS_IN_MAILS: &str = "<table role=\"presentation\" align=\"center\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\">\
    <tbody><tr><td align=\"left\">A</td></tr></tbody></table>";

/// A browser that no request may leave.
fn nobody() -> Browser {
    Browser::start("http://127.0.0.1:9")
}

/// Has `inspect` look at each planted fault, and at what is faultless.
fn hold(
    planted: &[(&str, &str, &str)],
    faultless: &str,
    inspect: impl FnOnce(&Browser, &[&str]) -> Vec<Vec<String>>,
) {
    let mut documents: Vec<String> = planted.iter().map(|(head, body, _)| page(head, body)).collect();
    documents.push(page("", faultless));
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let found = inspect(&nobody(), &documents);
    let missed: Vec<String> = planted
        .iter()
        .zip(&found)
        .filter(|((_, _, wanted), faults)| !faults.iter().any(|fault| fault.contains(wanted)))
        .map(|((_, body, wanted), faults)| format!("{wanted:?} was not found in {body}, but {faults:#?}"))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert_eq!(found.last().unwrap(), &Vec::<String>::new());
}

#[test]
fn every_planted_fault_of_a_page_is_found_and_no_other() {
    hold(FAULTS, FAULTLESS, Browser::faults_of_page_documents);
}

#[test]
fn every_planted_fault_of_a_mail_is_found_and_no_other() {
    hold(
        FAULTS_OF_MAILS,
        FAULTLESS_IN_MAILS,
        Browser::faults_of_mail_documents,
    );
}

#[test]
#[should_panic(expected = "caused requests to other servers")]
fn a_request_to_another_server_is_found() {
    nobody().faults_of_page_documents(&[&page(
        "body { background-image: url(\"https://elsewhere.example.org/a.png\"); }",
        "",
    )]);
}
