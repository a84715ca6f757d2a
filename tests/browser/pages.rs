//! Every page of the program: whole markup, no barrier that a program can find, and the same without script.

use crate::browser::{Stop, assert_faultless};
use crate::grounds::{Grounds, ROUTES};

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
        "not in both the router and the table of tests/browser/grounds.rs: {unmatched:?}"
    );
    let grounds = Grounds::lay();
    let stops: Vec<Stop> = ROUTES.iter().flat_map(|(_, stops)| stops(&grounds)).collect();
    assert_faultless(&grounds.browser.faults_of_pages(&stops));
}

#[test]
fn a_route_that_nobody_visits_is_named() {
    let mut paths: Vec<&str> = ROUTES.iter().map(|(route, _)| *route).collect();
    assert_eq!(unmatched(&paths), Vec::<&str>::new());
    paths.push("/unvisited");
    assert_eq!(unmatched(&paths), ["/unvisited"]);
    paths.retain(|path| *path != "/u/{token}" && *path != "/unvisited");
    assert_eq!(unmatched(&paths), ["/u/{token}"]);
}
