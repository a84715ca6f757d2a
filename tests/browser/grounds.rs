//! The pages that there are, on the content that the program comes with: what pages, forms and pictures share.

use crate::browser::Stop;
use crate::editor;
use crate::letter::Letter;
use crate::site::Site;
use crate::world::World;

/// A reader of the sample list with two categories.
pub const ADA: &str = "ada@example.org";

/// What the paths of pages are made of.
pub struct Grounds {
    pub world: World,
    /// Ada's first digest.
    pub digest: Letter,
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
    ("/confirm/{token}", |_| vec![missing("/confirm/not-a-token")]),
    ("/refuse/{token}", |_| vec![missing("/refuse/not-a-token")]),
    ("/p/{token}/account", |grounds| {
        let preferences = grounds.path("See and change what you receive");
        vec![
            ok(format!("{preferences}/account")),
            missing("/p/not-a-token/account"),
        ]
    }),
    ("/account/{token}", |_| vec![missing("/account/not-a-token")]),
    ("/account/{token}/delete", |_| {
        vec![missing("/account/not-a-token/delete")]
    }),
    ("/address/{token}", |_| vec![missing("/address/not-a-token")]),
    ("/lost-link", |_| vec![ok("/lost-link")]),
    ("/u/{token}", |grounds| {
        vec![
            ok(grounds.path("Unsubscribe from Weekly research digest")),
            missing("/u/not-a-token"),
        ]
    }),
    ("/p/{token}", |grounds| {
        vec![
            ok(grounds.path("See and change what you receive")),
            missing("/p/not-a-token"),
        ]
    }),
    ("/", |_| vec![ok("/"), missing("/nothing")]),
    ("/research", |_| {
        vec![ok("/research"), missing("/research?page=9")]
    }),
    ("/research/{slug}", |_| {
        vec![ok(SUMMARY), missing("/research/nothing")]
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

/// The page of a summary that the program comes with.
const SUMMARY: &str = "/research/minimally-invasive-spine-stabilization";

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

/// Pages as a signed-in editor sees them.
fn signed_in(grounds: &Grounds, stops: Vec<Stop>) -> Vec<Stop> {
    let with_session = |stop| Stop {
        cookie: grounds.session.clone(),
        ..stop
    };
    stops.into_iter().map(with_session).collect()
}

impl Grounds {
    /// The program on its samples, with a first edition that went out.
    pub fn lay() -> Self {
        let world = World::start(Site::shipped());
        world.publish();
        let digest = world.mail_to(ADA);
        let session = editor::sign_in(&world);
        world.site.summary("for-a-draft", "urology");
        editor::prepare(&world, &session);
        Self {
            sign_in: editor::link(&world),
            world,
            digest,
            session,
        }
    }

    /// The path of a link in the digest.
    #[track_caller]
    pub fn path(&self, name: &str) -> String {
        self.world.path_of(&self.digest.link(name))
    }
}
