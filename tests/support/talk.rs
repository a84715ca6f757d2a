//! One connection of a scripted relay: SMTP as RFC 5321 and RFC 2920 have it, but for what the script says.

use super::script::Moment;
use super::{Act, Received, Record, Script, encode};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;

/// None ends the connection.
pub(super) type Step = Option<()>;

pub(super) struct Talk<'a> {
    reader: BufReader<&'a TcpStream>,
    writer: &'a TcpStream,
    record: Arc<Mutex<Record>>,
    script: Arc<Mutex<Script>>,
    /// The transaction under way.
    envelope: Option<(String, Vec<String>)>,
    moment: Moment,
    /// Replies that have not left yet.
    held: Vec<u8>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(socket: &'a TcpStream, record: Arc<Mutex<Record>>, script: Arc<Mutex<Script>>) -> Self {
        Self {
            reader: BufReader::new(socket),
            writer: socket,
            record,
            script,
            envelope: None,
            moment: Moment::default(),
            held: Vec::new(),
        }
    }

    pub(super) fn run(&mut self) -> Step {
        self.answer("CONNECT", "220 relay.test ESMTP")?;
        loop {
            let line = self.line()?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.record.lock().unwrap().commands.push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            self.check_order(&verb);
            match verb.as_str() {
                "EHLO" => {
                    let offers = self.script.lock().unwrap().offers.clone();
                    let lines = [vec!["relay.test".to_owned()], offers].concat();
                    let last = lines.len() - 1;
                    let lines: Vec<_> = lines
                        .iter()
                        .enumerate()
                        .map(|(n, text)| format!("250{}{text}", if n < last { '-' } else { ' ' }))
                        .collect();
                    self.answer("EHLO", &lines.join("\r\n"))?;
                }
                "STARTTLS" => {
                    self.answer("STARTTLS", "220 go on")?;
                    self.flush()?;
                    // What answers the client's first words is no TLS: the handshake fails there.
                    let _ = self.reader.fill_buf();
                    self.write(b"this is no TLS\r\n")?;
                    self.flush()?;
                    return self.read_to_end();
                }
                "AUTH" => self.log_in(&line)?,
                "MAIL" if self.envelope.is_some() => self.write(b"503 5.5.1 nested MAIL\r\n")?,
                "RCPT" if self.envelope.is_none() => self.write(b"503 5.5.1 no MAIL\r\n")?,
                "MAIL" => {
                    self.moment.message = {
                        let mut record = self.record.lock().unwrap();
                        record.transactions += 1;
                        record.transactions
                    };
                    self.moment.reader.clear();
                    if self.answer("MAIL", "250 2.1.0 ok")? {
                        self.envelope = Some((between(&line), Vec::new()));
                    }
                }
                "RCPT" => {
                    self.moment.reader = between(&line);
                    if self.answer("RCPT", "250 2.1.5 ok")? {
                        let reader = self.moment.reader.clone();
                        self.envelope.get_or_insert_default().1.push(reader);
                    }
                }
                "DATA" => {
                    let good = match &self.envelope {
                        None => "503 5.5.1 no MAIL",
                        Some((_, to)) if to.is_empty() => "554 5.5.1 no recipients",
                        Some(_) => "354 go on",
                    };
                    if self.answer("DATA", good)? {
                        self.message()?;
                    }
                }
                "RSET" => {
                    self.envelope = None;
                    self.answer("RSET", "250 2.0.0 ok")?;
                }
                "NOOP" => self.write(b"250 2.0.0 ok\r\n")?,
                "QUIT" => {
                    self.answer("QUIT", "221 2.0.0 bye")?;
                    return self.flush();
                }
                _ => self.write(b"502 5.5.2 what?\r\n")?,
            }
            // These may be answered together with what follows them.
            if !matches!(verb.as_str(), "DATA" | "MAIL" | "RCPT" | "RSET") {
                self.flush()?;
            }
        }
    }

    /// Notes a command that has something behind it although its answer must be waited for.
    fn check_order(&self, verb: &str) {
        let script = self.script.lock().unwrap();
        let pipelining = script.offers.iter().any(|offer| offer == "PIPELINING");
        let group = pipelining && matches!(verb, "MAIL" | "RCPT" | "RSET");
        if !group && !self.reader.buffer().is_empty() {
            self.record.lock().unwrap().too_early.push(verb.to_owned());
        }
    }

    fn message(&mut self) -> Step {
        self.flush()?;
        let mut data = Vec::new();
        let mut first = true;
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                break;
            }
            if std::mem::take(&mut first) {
                self.answer("BODY", "")?;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let (from, to) = self.envelope.take().unwrap_or_default();
        if to.is_empty() && data.is_empty() {
            self.record.lock().unwrap().lone_dots += 1;
            return self.answer("EMPTY", "554 5.5.1 no recipients").map(|_| ());
        }
        let data = String::from_utf8(data).expect("a message of ASCII");
        let (act, good) = (self.next("DOT"), "250 2.0.0 taken");
        // Recorded before the reply leaves, so that whoever has the reply finds the record.
        let taken = match &act {
            Act::Good => true,
            Act::Say(bytes) | Act::Drip(bytes, _) => bytes.starts_with(b"2"),
            Act::SayAndDrop(bytes) => bytes.starts_with(b"2") && bytes.ends_with(b"\n"),
            _ => false,
        };
        self.record.lock().unwrap().messages.push(Received {
            from,
            to,
            data,
            taken,
        });
        self.moment.carried += 1;
        self.act(act, good).map(|_| ())
    }

    fn log_in(&mut self, line: &str) -> Step {
        let (user, password) = self.script.lock().unwrap().login.clone();
        let given = if let Some(token) = line.strip_prefix("AUTH PLAIN ") {
            token.to_owned()
        } else {
            self.write(b"334 VXNlcm5hbWU6\r\n")?;
            self.flush()?;
            let user = self.line()?;
            self.write(b"334 Kennwort=\r\n")?;
            self.flush()?;
            let password = self.line()?;
            [user, password]
                .map(|line| String::from_utf8(line).unwrap().trim().to_owned())
                .join(" ")
        };
        let plain = encode(&format!("\0{user}\0{password}"));
        let login = format!("{} {}", encode(&user), encode(&password));
        let right = given == plain || given == login;
        self.answer(
            "AUTH",
            if right {
                "235 2.7.0 welcome"
            } else {
                "535 5.7.8 who?"
            },
        )?;
        Some(())
    }

    /// Says the good reply or what the script says; true when it was positive.
    fn answer(&mut self, place: &'static str, good: &str) -> Option<bool> {
        let act = self.next(place);
        self.act(act, good)
    }

    fn next(&self, place: &'static str) -> Act {
        self.script.lock().unwrap().next(place, &self.moment)
    }

    fn act(&mut self, act: Act, good: &str) -> Option<bool> {
        let good = if good.is_empty() {
            Vec::new()
        } else {
            format!("{good}\r\n").into_bytes()
        };
        match act {
            Act::Good => {
                self.write(&good)?;
                Some(good.is_empty() || matches!(good[0], b'2' | b'3'))
            }
            Act::Say(bytes) => {
                self.write(&bytes)?;
                Some(matches!(bytes.first(), Some(b'2' | b'3')))
            }
            Act::SayAndDrop(bytes) => {
                self.write(&bytes)?;
                self.flush()?;
                None
            }
            Act::Drip(bytes, pause) => {
                self.flush()?;
                for byte in &bytes {
                    thread::sleep(pause);
                    self.writer.write_all(&[*byte]).ok()?;
                }
                Some(matches!(bytes.first(), Some(b'2' | b'3')))
            }
            Act::Drop => {
                self.flush()?;
                None
            }
            Act::Hang => {
                self.flush()?;
                self.read_to_end();
                None
            }
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        if !self.held.is_empty() && !self.reader.buffer().contains(&b'\n') {
            let patience = self.script.lock().unwrap().hold;
            if let Some(patience) = patience {
                self.writer.set_read_timeout(Some(patience)).ok()?;
                let waited = self.reader.fill_buf().map(|_| ()).map_err(|error| error.kind());
                self.writer.set_read_timeout(None).ok()?;
                if waited == Err(ErrorKind::WouldBlock) {
                    self.flush()?;
                }
            } else {
                self.flush()?;
            }
        }
        let mut line = Vec::new();
        self.reader
            .read_until(b'\n', &mut line)
            .ok()
            .filter(|&count| count > 0)?;
        self.record.lock().unwrap().octets.extend_from_slice(&line);
        Some(line)
    }

    fn write(&mut self, bytes: &[u8]) -> Step {
        let script = self.script.lock().unwrap();
        if script.bare_lf {
            self.held.extend(bytes.iter().filter(|&&byte| byte != b'\r'));
        } else {
            self.held.extend_from_slice(bytes);
        }
        let holds = script.hold.is_some();
        drop(script);
        if holds { Some(()) } else { self.flush() }
    }

    /// Sends what was said.
    fn flush(&mut self) -> Step {
        if self.held.is_empty() {
            return Some(());
        }
        if self.moment.message > 0 {
            self.record.lock().unwrap().flights += 1;
        }
        let held = std::mem::take(&mut self.held);
        self.writer.write_all(&held).ok()
    }

    fn read_to_end(&mut self) -> Step {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
        self.record.lock().unwrap().octets.extend_from_slice(&rest);
        None
    }
}

fn between(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
