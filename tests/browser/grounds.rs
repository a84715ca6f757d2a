//! The pages that there are, on the content that the program comes with: what pages, forms and pictures share.

use crate::browser::{Browser, Stop};
use crate::letter::Letter;
use crate::signing_up::{confirm, sign_up};
use crate::site::Site;
use crate::world::World;
use postrider::config::load_or_create;
use postrider::domain::{SystemRandom, Timestamp};
use postrider::subscriptions::token::{Key, Purpose, Signer};

/// A reader of the sample list with two categories.
pub const ADA: &str = "ada@example.org";
/// Readers of the sample list with one category each.
pub const BEN: &str = "ben@example.org";
pub const DANA: &str = "dana@example.org";
/// One who signed up, and was asked to confirm it.
pub const NINA: &str = "nina@example.org";
/// One who signed up, confirmed it, and asked for a fresh link and for another address.
pub const CARA: &str = "cara@example.org";
pub const NEW_CARA: &str = "cara@example.com";
/// The name of the site.
pub const SITE: &str = "Example Research";

/// What the paths of pages are made of.
pub struct Grounds {
    pub world: World,
    pub browser: Browser,
    /// Ada's first digest.
    pub digest: Letter,
    /// Of a reader who takes a pause, and of one who has left.
    pub paused: Letter,
    pub left: Letter,
    /// What Nina was asked.
    pub asked: Letter,
    /// What Cara was asked, was welcomed with, has for her data, and got at her new address.
    pub confirmed: Letter,
    pub welcome: Letter,
    pub account: Letter,
    pub new_address: Letter,
    signer: Signer,
}

/// A route of `postrider::web::page_paths`, and the pages behind it that are looked at.
pub type Row = (&'static str, fn(&Grounds) -> Vec<Stop>);

/// Every route that answers with pages has a row here.
pub const ROUTES: &[Row] = &[
    ("/subscribe", |_| {
        vec![ok("/subscribe"), ok("/subscribe?category=urology")]
    }),
    ("/confirm/{token}", |grounds| {
        vec![
            ok(grounds.path(&grounds.asked, CONFIRM)),
            ok(grounds.path(&grounds.confirmed, CONFIRM)),
            missing(format!("/confirm/{}", grounds.expired(Purpose::Confirm))),
            missing("/confirm/not-a-token"),
        ]
    }),
    ("/refuse/{token}", |grounds| {
        vec![
            ok(grounds.path(&grounds.asked, REFUSE)),
            missing("/refuse/not-a-token"),
        ]
    }),
    ("/p/{token}/account", |grounds| {
        let preferences = grounds.path(&grounds.digest, CHOICES);
        vec![
            ok(format!("{preferences}/account")),
            missing("/p/not-a-token/account"),
        ]
    }),
    ("/account/{token}", |grounds| {
        let account = grounds.path(&grounds.account, ACCOUNT);
        vec![
            ok(format!("{account}?asked")),
            ok(account),
            missing(format!("/account/{}", grounds.expired(Purpose::Account))),
            missing("/account/not-a-token"),
        ]
    }),
    ("/account/{token}/delete", |grounds| {
        vec![
            ok(grounds.path(&grounds.account, ACCOUNT) + "/delete"),
            missing("/account/not-a-token/delete"),
        ]
    }),
    ("/address/{token}", |grounds| {
        vec![
            ok(grounds.path(&grounds.new_address, NEW_ADDRESS)),
            missing("/address/not-a-token"),
        ]
    }),
    ("/lost-link", |_| vec![ok("/lost-link")]),
    ("/u/{token}", |grounds| {
        vec![
            ok(grounds.path(&grounds.digest, LEAVE)),
            ok(grounds.path(&grounds.left, LEAVE)),
            missing("/u/not-a-token"),
        ]
    }),
    ("/p/{token}", |grounds| {
        vec![
            ok(grounds.path(&grounds.digest, CHOICES) + "?saved"),
            ok(grounds.path(&grounds.paused, CHOICES)),
            ok(grounds.path(&grounds.left, CHOICES)),
            missing("/p/not-a-token"),
        ]
    }),
    ("/", |_| vec![ok("/"), missing("/nothing")]),
    ("/research", |_| {
        vec![ok("/research"), missing("/research?page=9")]
    }),
    ("/research/{slug}", |_| {
        vec![
            ok(SUMMARY),
            ok(CORRECTED),
            ok(RETRACTED),
            gone(REMOVED),
            missing("/research/nothing"),
        ]
    }),
    ("/research/{slug}/helpful", |_| {
        let asks = format!("{SUMMARY}/helpful");
        vec![ok(format!("{asks}?answer=yes")), ok(asks)]
    }),
    ("/categories", |_| vec![ok("/categories")]),
    ("/categories/{slug}", |_| {
        vec![ok("/categories/oncology"), missing("/categories/nothing")]
    }),
    ("/about", |_| vec![ok("/about")]),
    ("/disclaimer", |_| vec![ok("/disclaimer")]),
    ("/contact", |_| vec![ok("/contact")]),
    ("/archive", |_| vec![ok("/archive")]),
    ("/archive/{number}", |_| {
        vec![ok("/archive/1"), missing("/archive/9")]
    }),
];

/// The pages of summaries that the program comes with, and what became of them.
pub const SUMMARY: &str = "/research/minimally-invasive-spine-stabilization";
const CORRECTED: &str = "/research/walking-in-a-robotic-exoskeleton";
const RETRACTED: &str = "/research/umbilical-cord-stem-cells-trial-protocol";
pub const REMOVED: &str = "/research/strategies-to-improve-motor-function";

/// The links of mails.
pub const CONFIRM: &str = "Confirm my subscription";
pub const REFUSE: &str = "It was not me, never write again";
pub const CHOICES: &str = "See and change what you receive";
pub const LEAVE: &str = "Unsubscribe from Weekly research digest";
pub const ACCOUNT: &str = "Open my data";
pub const NEW_ADDRESS: &str = "Use this address";

fn ok(path: impl Into<String>) -> Stop {
    Stop {
        path: path.into(),
        status: 200,
    }
}

fn missing(path: impl Into<String>) -> Stop {
    Stop {
        path: path.into(),
        status: 404,
    }
}

fn gone(path: impl Into<String>) -> Stop {
    Stop {
        path: path.into(),
        status: 410,
    }
}

impl Grounds {
    /// The program on its samples, with a first edition that went out, and readers at every point of their way.
    pub fn lay() -> Self {
        let world = World::start(Site::shipped());
        world.publish();
        let [digest, paused, left] = [ADA, BEN, DANA].map(|address| world.mail_to(address));
        let note = "A number was wrong.";
        for arguments in [
            ["correct", CORRECTED, "--note", note],
            ["retract", RETRACTED, "--note", "The paper was withdrawn."],
            ["remove", REMOVED, "--note", "It showed a photograph by mistake."],
        ] {
            let [what, page, ..] = arguments;
            let slug = page.trim_start_matches("/research/");
            world.run(&["summaries", what, slug, "--note", arguments[3]]);
        }
        let browser = Browser::start(&world.url);
        let reader = browser.reader_without_script();
        reader.open(&paused.link(CHOICES));
        reader
            .choose("How many mails?", "Pause for two weeks")
            .press("Save");
        reader.open(&left.link(LEAVE));
        reader.press(LEAVE);
        sign_up(&reader, SITE, NINA, &["Oncology"]);
        let asked = world.mail_to(NINA);
        sign_up(&reader, SITE, CARA, &[]);
        let confirmed = world.mail_to(CARA);
        confirm(&reader, &confirmed.link(CONFIRM));
        let welcome = world.mail_to(CARA);
        reader.open(&welcome.link(CHOICES));
        reader.follow("Change your address, or your data");
        reader.press("Mail me the link");
        let account = world.mail_to(CARA);
        reader.open(&account.link(ACCOUNT));
        reader
            .fill("Your new address", NEW_CARA)
            .press("Change my address");
        Self {
            new_address: world.mail_to(NEW_CARA),
            signer: signer(&world.site),
            world,
            browser,
            digest,
            paused,
            left,
            asked,
            confirmed,
            welcome,
            account,
        }
    }

    /// The path of a link in a mail.
    #[track_caller]
    pub fn path(&self, mail: &Letter, name: &str) -> String {
        self.world.path_of(&mail.link(name))
    }

    /// A token of ours whose time is up.
    fn expired(&self, purpose: Purpose) -> String {
        self.signer.short_lived_token(purpose, 1, Timestamp(0))
    }
}

/// Signs as the program of this site does.
fn signer(site: &Site) -> Signer {
    let secrets = load_or_create(&site.path("data/secret"), &SystemRandom::default()).unwrap();
    let keys = secrets.keys.iter().map(|key| Key {
        id: key.id,
        bytes: key.bytes,
        revoked: key.revoked,
    });
    Signer::new(&keys.collect::<Vec<_>>()).unwrap()
}
