//! The `config.toml` at the root: complete, true, and usable as it is.

use super::*;

#[test]
fn the_shipped_file_loads_lists_every_key_and_agrees_with_the_defaults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("config.toml")).unwrap();
    let request = |file: PathBuf| Request {
        file: Some(file),
        ..Place::new("").request(&[])
    };
    let shipped = load(&request(root.join("config.toml"))).unwrap();
    assert_eq!(shipped.warnings, Vec::<String>::new());
    let config = shipped.config;
    assert_eq!(config.categories.len(), 11);
    assert_eq!(config.digests[0].name.as_str(), "weekly");
    for (section, keys) in SECTIONS {
        let head = match section.strip_suffix("[]") {
            Some(name) => format!("\n[[{name}]]\n"),
            None => format!("\n[{section}]\n"),
        };
        // A list that starts empty stands there as a comment.
        let comment = format!("\n# {}", &head[1..]);
        let found = text.split_once(&head).or_else(|| text.split_once(&comment));
        let body = found.unwrap_or_else(|| panic!("no {head}")).1;
        let body = body.split("\n[").next().unwrap();
        for key in *keys {
            let stands = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(body.lines().any(stands), "{section} does not list {key}");
        }
    }
    // The defaults are what the file says: a digest and a file without these keys read the same.
    let least = Place::new(LEAST);
    let plain = least.load(&[]).config;
    assert_eq!(config.delivery, plain.delivery);
    assert_eq!(config.serve, plain.serve);
    assert_eq!(config.subscribe, plain.subscribe);
    assert_eq!(config.retention, plain.retention);
    assert_eq!(config.subscribers.local_part, plain.subscribers.local_part);
    let (theirs, ours) = (&config.digests[0], &plain.digests[0]);
    assert_eq!(
        Digest {
            title: ours.title.clone(),
            schedule: ours.schedule.clone(),
            timezone: ours.timezone,
            ..theirs.clone()
        },
        *ours
    );
}

#[test]
fn the_commented_options_of_the_shipped_file_can_be_taken_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("config.toml")).unwrap();
    let all: Vec<&str> = SECTIONS
        .iter()
        .flat_map(|(_, keys)| keys.iter().copied())
        .collect();
    let without_comments: Vec<&str> = text
        .lines()
        .map(|line| {
            if let Some(head) = line.strip_prefix("# ").filter(|head| head.starts_with("[[")) {
                return head;
            }
            match line
                .strip_prefix("# ")
                .and_then(|rest| Some((rest, rest.split_once(" = ")?.0)))
            {
                // What belongs to another kind of source stays a comment.
                Some((_, "delay" | "max_pages" | "allow_private" | "map" | "urls")) => line,
                Some((rest, key)) if all.contains(&key) => rest,
                _ => line,
            }
        })
        .collect();
    let place = Place::new(&without_comments.join("\n"));
    std::fs::create_dir(place.path("data")).unwrap();
    place.put("data/dkim-postrider-202601.pem", &KEY.to_pem().unwrap(), 0o600);
    assert_eq!(place.load(&[]).warnings, Vec::<String>::new());
}
