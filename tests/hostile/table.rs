//! The table of docs/relays.md, which says what is to be expected.

use std::fs;
use std::path::Path;

/// What is expected of the deliveries of some readers.
#[derive(Debug)]
pub struct Met {
    /// The readers, counted from 1.
    pub readers: Vec<usize>,
    /// Their state after the first run.
    pub state: String,
    pub attempts: i64,
    pub code: Option<i64>,
    /// Their state after the second run.
    pub then: String,
    /// How many whole messages for each of them have reached the relay by then.
    pub messages: usize,
}

/// One row, with those that go on with it.
#[derive(Debug)]
pub struct Row {
    /// What the relay does.
    pub what: String,
    pub met: Vec<Met>,
    /// `kept`, `lost`, `closed` or `none`.
    pub connection: String,
    /// `usable` or `down`.
    pub relay: String,
    /// Of the first run.
    pub exit: i32,
    /// What becomes of the subscribers that met the trouble.
    pub reader: String,
}

/// All rows, in their order.
pub fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/relays.md");
    let page = fs::read_to_string(page).unwrap();
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| the relay |"))
        .take_while(|line| line.starts_with('|'));
    let mut rows: Vec<Row> = Vec::new();
    for line in lines.skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [
            what,
            met,
            state,
            attempts,
            code,
            connection,
            relay,
            exit,
            then,
            reader,
        ] = cells[..]
        else {
            panic!("not ten cells: {line}");
        };
        if !what.is_empty() {
            rows.push(Row {
                what: what.to_owned(),
                met: Vec::new(),
                connection: connection.to_owned(),
                relay: relay.to_owned(),
                exit: exit.parse().unwrap(),
                reader: reader.to_owned(),
            });
        }
        if met == "none" {
            continue;
        }
        let (then, messages) = then.split_once(" (").expect(line);
        rows.last_mut().expect("a first row").met.push(Met {
            readers: readers(met),
            state: state.to_owned(),
            attempts: attempts.parse().expect(line),
            code: (code != "–").then(|| code.parse().expect(line)),
            then: then.to_owned(),
            messages: messages.trim_end_matches(')').parse().expect(line),
        });
    }
    rows
}

/// `2`, `2, 4` or `1–5`.
fn readers(cell: &str) -> Vec<usize> {
    let number = |text: &str| text.trim().parse::<usize>().expect(cell);
    match cell.split_once('–') {
        Some((first, last)) => (number(first)..=number(last)).collect(),
        None => cell.split(',').map(number).collect(),
    }
}
