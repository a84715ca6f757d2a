//! Stories of readers, from the page to the mail and back.

use crate::browser::{Browser, Reader};
use crate::site::Site;
use crate::world::World;

const ANN: &str = "ann@example.org";

/// Tells a story twice: to a reader whose browser runs scripts, and to one whose browser does not.
fn with_and_without_script(story: impl Fn(&World, &Reader)) {
    for script in [true, false] {
        let site = Site::new();
        site.summary("one", "urology");
        site.readers(&[(ANN, "urology")]);
        let world = World::start(site);
        let browser = Browser::start(&world.url);
        let reader = if script {
            browser.reader()
        } else {
            browser.reader_without_script()
        };
        story(&world, &reader);
    }
}

#[test]
fn a_reader_leaves() {
    with_and_without_script(|world, ann| {
        world.publish();
        let digest = world.mail_to(ANN);
        let page = ann.open(&digest.link("See and change what you receive"));
        page.says("Urology");
        let page = ann.follow("Unsubscribe from Weekly digest");
        assert_eq!(page.heading(), "Unsubscribe from Weekly digest?");
        let page = ann.press("Unsubscribe from Weekly digest");
        assert_eq!((page.status, page.heading()), (200, "You are unsubscribed"));
        world.site.summary("two", "urology");
        world.publish();
        assert_eq!(world.unread(ANN), 0);
    });
}
