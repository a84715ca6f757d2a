//! The rows of a CSV file, one at a time, each with the line on which it begins.

use csv::{ByteRecord, ReaderBuilder, Terminator};
use std::io::{self, Read};
use std::ops::Range;

use crate::domain::{Problem, Result};

/// How many bytes may be read ahead without a row coming to its end.
const LONGEST: usize = 256 * 1024;

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line of the file on which it begins, from 1.
    pub(super) line: u64,
    /// Its cells; `None` when they are not UTF-8.
    pub(super) cells: Option<Vec<String>>,
    /// Its bytes in the file, with the blank lines before it and its line end; a line end that is missing at
    /// the very end counts as if it were there.
    pub(super) bytes: Range<u64>,
}

/// Reads rows; blank ones are skipped.
pub(super) struct Rows<R> {
    reader: csv::Reader<Watched<R>>,
    record: ByteRecord,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(from: R) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Line feeds alone end a row, so that lines are counted right with Windows line ends too;
            // the carriage returns are trimmed off with the other blanks.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Watched {
                inner: from,
                since_row: 0,
                last: b'\n',
                ended: false,
            });
        Self {
            reader,
            record: ByteRecord::new(),
        }
    }

    /// The next row that is not blank.
    ///
    /// # Errors
    /// When the file can't be read on, a row has no end, or a quote is not closed.
    pub(super) fn next(&mut self) -> Result<Option<Row>> {
        loop {
            let from = self.reader.position().line();
            let begin = self.reader.position().byte();
            self.reader.get_mut().since_row = 0;
            let there = self.reader.read_byte_record(&mut self.record);
            if !there.map_err(|error| unreadable(from, error))? {
                return Ok(None);
            }
            let feeds = self.record.as_slice().iter().filter(|&&b| b == b'\n').count();
            let line = self.reader.position().line().saturating_sub(feeds as u64 + 1);
            // Every row ends in a line feed, as `Watched` adds the last one: only a quote can hide it.
            if self.reader.get_ref().ended {
                return Err(
                    Problem::failed(format!("line {}: a quote is not closed", line + 1))
                        .hint("close it with a second \"; a quote within a quoted cell is written twice"),
                );
            }
            if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let cells = self
                .record
                .iter()
                .map(|cell| std::str::from_utf8(cell).ok().map(str::to_owned))
                .collect();
            let bytes = begin..self.reader.position().byte();
            return Ok(Some(Row { line, cells, bytes }));
        }
    }
}

fn unreadable(line: u64, error: csv::Error) -> Problem {
    let place = format!("line {line}");
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Problem::failed(format!("{place}: a row has more than {} kB", LONGEST / 1024))
                .hint("look for a quote that is not closed from there on")
        }
        csv::ErrorKind::Io(error) => {
            Problem::failed(format!("{place}: the list can't be read on")).because(error)
        }
        _ => Problem::failed(format!("{place}: the row can't be read")),
    }
}

/// Watches over what the CSV reader takes in: no row without end, and a line feed at the very end.
struct Watched<R> {
    inner: R,
    since_row: usize,
    last: u8,
    ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut read = self.inner.read(buffer)?;
        if read == 0
            && self.last != b'\n'
            && let Some(first) = buffer.first_mut()
        {
            *first = b'\n';
            read = 1;
        }
        self.ended = read == 0;
        self.since_row += read;
        if let Some(&last) = read.checked_sub(1).and_then(|last| buffer.get(last)) {
            self.last = last;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> std::result::Result<Vec<(u64, Vec<String>)>, String> {
        let mut rows = Rows::new(bytes);
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(|problem| problem.to_string())? {
            all.push((row.line, row.cells.unwrap_or_default()));
        }
        Ok(all)
    }

    fn trimmed(bytes: &[u8]) -> Vec<(u64, String)> {
        let rows = read(bytes).unwrap();
        let join = |cells: Vec<String>| cells.iter().map(|c| c.trim()).collect::<Vec<_>>().join("|");
        rows.into_iter()
            .map(|(line, cells)| (line, join(cells)))
            .collect()
    }

    #[test]
    fn counts_the_lines_that_a_person_sees() {
        let expected = |rows: &[(u64, &str)]| -> Vec<(u64, String)> {
            rows.iter().map(|&(line, text)| (line, text.to_owned())).collect()
        };
        for end in ["\n", "\r\n"] {
            for tail in ["", end] {
                let text = format!("\u{FEFF}a,b{end}{end}1,2{end} , {end}\"x{end}y\",3{end}{end}4,5{tail}");
                assert_eq!(
                    trimmed(text.as_bytes()),
                    expected(&[(1, "a|b"), (3, "1|2"), (5, &format!("x{end}y|3")), (8, "4|5")]),
                    "{text:?}"
                );
            }
        }
        assert_eq!(
            trimmed(b"a\n\"b\"\r\n\"c\n\"\n"),
            expected(&[(1, "a"), (2, "b"), (3, "c")])
        );
        assert_eq!(trimmed(b""), expected(&[]));
    }

    #[test]
    fn a_quote_without_end_loses_nobody_silently() {
        let said = read(b"a,b\n1,2\n3,\"4\n5,6\n7,8\n").unwrap_err();
        assert!(
            said.starts_with("line 3: a quote is not closed\n  hint:"),
            "{said}"
        );
        let mut long = b"a,b\n1,\"".to_vec();
        long.resize(LONGEST * 2, b'x');
        let said = read(&long).unwrap_err();
        assert!(
            said.starts_with("line 2: a row has more than 256 kB\n  hint:"),
            "{said}"
        );
    }

    #[test]
    fn long_files_of_short_rows_are_fine() {
        let text = "ann,1\n".repeat(LONGEST);
        assert_eq!(read(text.as_bytes()).unwrap().len(), LONGEST);
    }

    #[test]
    fn other_encodings_cost_their_own_row_only() {
        let mut rows = Rows::new(&b"a\n\xE9\nb\n"[..]);
        let mut next = || rows.next().unwrap().map(|row| (row.line, row.cells.is_some()));
        assert_eq!(
            (next(), next(), next(), next()),
            (Some((1, true)), Some((2, false)), Some((3, true)), None)
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fall_over(bytes: Vec<u8>, text in "[a\",\r\n]{0,40}") {
            let _ = read(&bytes);
            let _ = read(text.as_bytes());
        }
    }
}
