//! The pages that there are, on the content that the program comes with: what pages, forms and pictures share.

use crate::browser::Stop;
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
];

/// The page of a summary that the program comes with.
const SUMMARY: &str = "/research/minimally-invasive-spine-stabilization";

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

impl Grounds {
    /// The program on its samples, with a first edition that went out.
    pub fn lay() -> Self {
        let world = World::start(Site::shipped());
        world.publish();
        let digest = world.mail_to(ADA);
        Self { world, digest }
    }

    /// The path of a link in the digest.
    #[track_caller]
    pub fn path(&self, name: &str) -> String {
        self.world.path_of(&self.digest.link(name))
    }
}
