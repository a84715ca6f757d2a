//! Messages as a reader's program sees them.

use crate::site::Site;
use mail_parser::MessageParser;

/// A message, decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub message_id: String,
    /// The https address of `List-Unsubscribe`.
    pub unsubscribe: String,
}

impl Mail {
    /// Reads a message.
    pub fn read(raw: &str) -> Self {
        let message = MessageParser::default().parse(raw.as_bytes()).unwrap();
        let to = message.to().unwrap().first().unwrap();
        let header = message.header_raw("List-Unsubscribe").unwrap();
        let (_, rest) = header.split_once('<').unwrap();
        Self {
            to: to.address().unwrap().to_owned(),
            subject: message.subject().unwrap().to_owned(),
            text: message.body_text(0).unwrap().replace("\r\n", "\n"),
            html: message.body_html(0).unwrap().into_owned(),
            message_id: message.message_id().unwrap().to_owned(),
            unsubscribe: rest.split_once('>').unwrap().0.to_owned(),
        }
    }

    /// Whether both parts tell of the summary `slug` of [`Site::summary`].
    pub fn tells_of(&self, slug: &str) -> bool {
        let link = format!("https://site.example.org/research/{slug}");
        let in_text = self.text.lines().any(|line| line == link);
        assert_eq!(
            in_text,
            self.html.contains(&format!("{link}\"")),
            "the parts differ: {self:#?}"
        );
        in_text
    }

    /// Which of `slugs` it tells of.
    pub fn slugs<'a>(&self, slugs: &[&'a str]) -> Vec<&'a str> {
        slugs.iter().filter(|slug| self.tells_of(slug)).copied().collect()
    }
}

/// The messages of the outbox by address; empties it.
pub fn take_outbox(site: &Site) -> Vec<Mail> {
    let mut mails: Vec<Mail> = site.outbox().iter().map(|raw| Mail::read(raw)).collect();
    site.empty_outbox();
    mails.sort();
    mails
}

/// Who got which of `slugs`, as `address: slug slug`; empties the outbox.
pub fn who_got_what(site: &Site, slugs: &[&str]) -> Vec<String> {
    let mails = take_outbox(site);
    mails
        .iter()
        .map(|mail| format!("{}: {}", mail.to, mail.slugs(slugs).join(" ")))
        .collect()
}

/// The mail to `address`.
pub fn mail_to<'a>(mails: &'a [Mail], address: &str) -> &'a Mail {
    let mut found = mails.iter().filter(|mail| mail.to == address);
    let mail = found.next().unwrap_or_else(|| panic!("no mail to {address}"));
    assert!(found.next().is_none(), "two mails to {address}");
    mail
}
