//! The pages that there are, on the content that the program comes with: what pages, forms and pictures share.

use crate::browser::{Browser, Stop};
use crate::editor;
use crate::letter::Letter;
use crate::signing_up::{confirm, sign_up};
use crate::site::Site;
use crate::world::World;
use postrider::config::load_or_create;
use postrider::domain::{Clock, SystemClock, SystemRandom, Timestamp};
use postrider::subscriptions::token::{Key, Purpose, Signer};
use std::time::Duration;

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
    /// The cookie of an editor who is signed in. Edition 2 is a draft of theirs.
    pub session: String,
    /// The path of a link that was not used to sign in yet.
    pub sign_in: String,
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
    ("/privacy", |_| vec![ok("/privacy")]),
    ("/contact", |_| vec![ok("/contact")]),
    ("/archive", |_| vec![ok("/archive")]),
    ("/archive/{number}", |_| {
        vec![ok("/archive/1"), missing("/archive/9")]
    }),
    ("/admin/sign-in", |_| vec![ok("/admin/sign-in")]),
    ("/admin/session/{token}", |grounds| {
        vec![ok(grounds.sign_in.clone()), missing("/admin/session/not-a-token")]
    }),
    ("/admin", |grounds| signed_in(grounds, vec![ok("/admin")])),
    ("/admin/digests/{name}", |grounds| {
        let stops = vec![ok("/admin/digests/weekly"), missing("/admin/digests/none")];
        signed_in(grounds, stops)
    }),
    ("/admin/editions", |grounds| {
        let stops = vec![ok("/admin/editions"), ok("/admin/editions?before=1")];
        signed_in(grounds, stops)
    }),
    ("/admin/editions/{number}", |grounds| {
        let stops = vec![
            ok("/admin/editions/1?said=already"),
            ok("/admin/editions/2?said=prepared"),
            ok("/admin/editions/2?categories=urology&format=text"),
            missing("/admin/editions/9"),
        ];
        signed_in(grounds, stops)
    }),
    // A mail in a frame, which the pages above show; it is judged as a mail elsewhere.
    ("/admin/editions/{number}/preview", |grounds| {
        signed_in(grounds, vec![missing("/admin/editions/9/preview")])
    }),
    ("/admin/editions/{number}/send", |grounds| {
        signed_in(grounds, vec![ok("/admin/editions/2/send")])
    }),
    ("/admin/editions/{number}/cancel", |grounds| {
        signed_in(grounds, vec![ok("/admin/editions/2/cancel")])
    }),
    ("/admin/editions/{number}/deliveries", |grounds| {
        let stops = vec![
            ok("/admin/editions/1/deliveries"),
            ok("/admin/editions/1/deliveries?state=failed"),
        ];
        signed_in(grounds, stops)
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
        cookie: String::new(),
    }
}

fn missing(path: impl Into<String>) -> Stop {
    Stop {
        path: path.into(),
        status: 404,
        cookie: String::new(),
    }
}

fn gone(path: impl Into<String>) -> Stop {
    Stop {
        path: path.into(),
        status: 410,
        cookie: String::new(),
    }
}

/// Pages as a signed-in editor sees them.
fn signed_in(grounds: &Grounds, stops: Vec<Stop>) -> Vec<Stop> {
    let with_session = |stop| Stop {
        cookie: grounds.session.clone(),
        ..stop
    };
    stops.into_iter().map(with_session).collect()
}

impl Grounds {
    /// The program on its samples, with a first edition that went out, and readers at every point of their way.
    pub fn lay() -> Self {
        let world = World::start(Site::shipped());
        world.publish();
        let [digest, paused, left] = [ADA, BEN, DANA].map(|address| world.mail_to(address));
        for arguments in [
            ["correct", CORRECTED, "--note", "A number was wrong."],
            ["retract", RETRACTED, "--note", "The paper was withdrawn."],
            ["remove", REMOVED, "--note", "It showed a photograph by mistake."],
        ] {
            let [what, page, option, note] = arguments;
            let slug = page.trim_start_matches("/research/");
            world.run(&["summaries", what, slug, option, note]);
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
        let session = editor::sign_in(&world);
        world.site.summary("for-a-draft", "urology");
        editor::prepare(&world, &session);
        Self {
            new_address: world.mail_to(NEW_CARA),
            sign_in: editor::link(&world),
            session,
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

    /// The path of the link that Cara gets when her mails go to the new address: that of before has ended.
    pub fn account_of_moved(&self) -> String {
        let before = self.path(&self.account, ACCOUNT);
        let now = SystemClock.now();
        let token = before.rsplit('/').next().unwrap();
        let (cara, generation) = self.signer.read_account_token(token, now).unwrap();
        let end = now.plus(Duration::from_secs(1800));
        format!(
            "/account/{}",
            self.signer.account_token(cara, generation + 1, end)
        )
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
