//! Every page of the program: whole markup, no barrier that a program can find, and the same without script.

use crate::browser::{Browser, Stop, assert_faultless};
use crate::letter::Letter;
use crate::site::Site;
use crate::world::World;

const ANN: &str = "ann@example.org";

/// What the paths of pages are made of.
struct Grounds {
    world: World,
    digest: Letter,
}

/// A route of `postrider::web::page_paths`, and the pages behind it that are looked at.
type Row = (&'static str, fn(&Grounds) -> Vec<Stop>);

/// Every route that answers with pages has a row here.
const ROUTES: &[Row] = &[
    ("/u/{token}", |grounds| {
        vec![
            ok(grounds.path("Unsubscribe from Weekly digest")),
            missing("/u/not-a-token"),
        ]
    }),
    ("/p/{token}", |grounds| {
        vec![
            ok(grounds.path("See and change what you receive")),
            missing("/p/not-a-token"),
        ]
    }),
];

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
    fn lay() -> Self {
        let site = Site::new();
        site.summary("one", "urology");
        site.summary("two", "oncology");
        site.readers(&[(ANN, "urology;oncology")]);
        let world = World::start(site);
        world.publish();
        let digest = world.mail_to(ANN);
        Self { world, digest }
    }

    /// The path of a link in the digest.
    fn path(&self, name: &str) -> String {
        self.world.path_of(&self.digest.link(name))
    }
}

/// Routes without a row, and rows without a route.
fn unmatched(paths: &[&'static str]) -> Vec<&'static str> {
    let rows: Vec<&str> = ROUTES.iter().map(|(route, _)| *route).collect();
    let without_row = paths.iter().filter(|path| !rows.contains(path));
    let without_route = rows.iter().filter(|route| !paths.contains(route));
    without_row.chain(without_route).copied().collect()
}

#[test]
fn every_page_is_accessible_and_valid() {
    let paths = postrider::web::page_paths();
    let unmatched = unmatched(&paths);
    assert!(
        unmatched.is_empty(),
        "not in both the router and the table of tests/browser/pages.rs: {unmatched:?}"
    );
    let grounds = Grounds::lay();
    let browser = Browser::start(&grounds.world.url);
    let stops: Vec<Stop> = ROUTES.iter().flat_map(|(_, stops)| stops(&grounds)).collect();
    assert_faultless(&browser.faults_of_pages(&stops));
}

#[test]
fn a_route_that_nobody_visits_is_named() {
    let mut paths = postrider::web::page_paths();
    paths.push("/unvisited");
    assert_eq!(unmatched(&paths), ["/unvisited"]);
    paths.retain(|path| *path != "/u/{token}" && *path != "/unvisited");
    assert_eq!(unmatched(&paths), ["/u/{token}"]);
}
