//! A mail of any kind, as a reader's program shows it.

use mail_parser::MessageParser;
use scraper::{Html, Selector};

/// A message, decoded.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The web addresses in its headers for lists.
    headers: Vec<String>,
}

impl Letter {
    /// Reads a message.
    pub fn read(raw: &[u8]) -> Self {
        let message = MessageParser::default().parse(raw).unwrap();
        let to = message.to().unwrap().first().unwrap();
        let lists = message
            .headers_raw()
            .filter(|(name, _)| name.starts_with("List-"));
        let headers = lists.flat_map(|(_, value)| {
            let parts = value.split('<').skip(1);
            parts.filter_map(|part| Some(part.split_once('>')?.0.to_owned()))
        });
        Self {
            to: to.address().unwrap().to_owned(),
            subject: message.subject().unwrap().to_owned(),
            text: message.body_text(0).unwrap().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap().into_owned(),
            headers: headers.filter(|link| link.starts_with("http")).collect(),
        }
    }

    /// Where the link of this name leads; it must stand in the text part as well.
    #[track_caller]
    pub fn link(&self, name: &str) -> String {
        let links = self.anchors();
        let found: Vec<_> = links.iter().filter(|(text, _)| text == name).collect();
        let [(_, address)] = found[..] else {
            panic!("{} links are named {name:?}; there are {links:#?}", found.len());
        };
        assert!(
            self.text.lines().any(|line| line == address),
            "{address} stands on no line of its own in the text part:\n{}",
            self.text
        );
        address.clone()
    }

    /// Every web address that a program finds in it, each once.
    pub fn addresses(&self) -> Vec<String> {
        let in_text = self
            .text
            .split_whitespace()
            .filter(|word| word.starts_with("http"));
        let mut all: Vec<String> = self.headers.clone();
        all.extend(in_text.map(str::to_owned));
        all.extend(self.anchors().into_iter().map(|(_, address)| address));
        all.retain(|address| address.starts_with("http"));
        all.sort();
        all.dedup();
        all
    }

    /// The links of the HTML part: what each says, and where it leads.
    fn anchors(&self) -> Vec<(String, String)> {
        let html = Html::parse_document(&self.html);
        let links = Selector::parse("a[href]").unwrap();
        html.select(&links)
            .map(|link| {
                let text: String = link.text().collect();
                let words: Vec<&str> = text.split_whitespace().collect();
                (words.join(" "), link.attr("href").unwrap().to_owned())
            })
            .collect()
    }
}
