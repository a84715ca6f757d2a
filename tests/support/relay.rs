//! A relay over real TCP that misbehaves as told, and records everything it received.
//!
//! Without a script it is a good relay. A script says, for a command, what to do the first time,
//! the second time and so on; when it is used up the relay is good again.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What to do instead of the right thing.
#[derive(Debug, Clone)]
pub enum Act {
    /// Send these bytes as they are and go on; a negative reply refuses the command.
    Say(Vec<u8>),
    /// Send these bytes and close the connection.
    SayAndDrop(Vec<u8>),
    /// Close the connection.
    Drop,
    /// Say nothing until the other side gives up.
    Hang,
    /// Behave.
    Good,
}

/// A reply, with its CR LF.
pub fn say(line: &str) -> Act {
    Act::Say(format!("{line}\r\n").into_bytes())
}

/// What a relay does, and at which command.
///
/// The places are `CONNECT`, the verbs in capitals, `BODY` (the first line of a message has come)
/// and `DOT` (the final dot has come).
#[derive(Debug, Clone)]
pub struct Script {
    acts: HashMap<&'static str, VecDeque<Act>>,
    /// The lines after the name in the reply to EHLO.
    pub offers: Vec<String>,
    /// The one user who may log in.
    pub login: (String, String),
}

impl Default for Script {
    fn default() -> Self {
        Self {
            acts: HashMap::new(),
            offers: vec!["PIPELINING".into(), "8BITMIME".into()],
            login: ("user".into(), "pa ss:w\u{f6}rd".into()),
        }
    }
}

impl Script {
    /// Adds an act for the next time that `place` is reached.
    pub fn on(mut self, place: &'static str, act: Act) -> Self {
        self.acts.entry(place).or_default().push_back(act);
        self
    }

    /// Replaces what EHLO offers.
    pub fn offering(mut self, offers: &[&str]) -> Self {
        self.offers = offers.iter().map(|&offer| offer.to_owned()).collect();
        self
    }
}

/// A message that was taken, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The envelope sender.
    pub from: String,
    /// The recipients that were accepted.
    pub to: Vec<String>,
    /// The message, dots unstuffed, with its line ends.
    pub data: String,
    /// Whether the reply to the final dot was positive.
    pub taken: bool,
}

/// What was received, over all connections.
#[derive(Debug, Default)]
pub struct Record {
    /// Messages with their final dot.
    pub messages: Vec<Received>,
    /// Every command line, without its line end.
    pub commands: Vec<String>,
    /// Every octet.
    pub octets: Vec<u8>,
    /// How many connections were made.
    pub connections: usize,
}

/// A listening relay on loopback; it lives as long as the process.
#[derive(Debug, Clone)]
pub struct ScriptedRelay {
    /// Its TCP port.
    pub port: u16,
    record: Arc<Mutex<Record>>,
}

impl ScriptedRelay {
    /// Starts listening.
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            record: Arc::default(),
        };
        let (record, script) = (Arc::clone(&relay.record), Arc::new(Mutex::new(script)));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                record.lock().unwrap().connections += 1;
                let (record, script) = (Arc::clone(&record), Arc::clone(&script));
                thread::spawn(move || {
                    let _ = Talk::new(&socket, record, script).run();
                    let _ = socket.shutdown(Shutdown::Both);
                });
            }
        });
        relay
    }

    /// Looks at the record.
    pub fn record<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.lock().unwrap())
    }

    /// The messages that were taken.
    pub fn taken(&self) -> Vec<Received> {
        self.record(|record| record.messages.iter().filter(|m| m.taken).cloned().collect())
    }

    /// The command lines that begin with `verb`.
    pub fn commands(&self, verb: &str) -> Vec<String> {
        self.record(|record| {
            let lines = record.commands.iter();
            lines
                .filter(|line| line.to_uppercase().starts_with(verb))
                .cloned()
                .collect()
        })
    }

    /// Whether these octets were ever received.
    pub fn has_seen(&self, octets: &[u8]) -> bool {
        self.record(|record| record.octets.windows(octets.len()).any(|window| window == octets))
    }
}

/// None ends the connection.
type Step = Option<()>;

struct Talk<'a> {
    reader: BufReader<&'a TcpStream>,
    writer: &'a TcpStream,
    record: Arc<Mutex<Record>>,
    script: Arc<Mutex<Script>>,
    /// The transaction under way.
    envelope: Option<(String, Vec<String>)>,
}

impl<'a> Talk<'a> {
    fn new(socket: &'a TcpStream, record: Arc<Mutex<Record>>, script: Arc<Mutex<Script>>) -> Self {
        Self {
            reader: BufReader::new(socket),
            writer: socket,
            record,
            script,
            envelope: None,
        }
    }

    fn run(&mut self) -> Step {
        self.answer("CONNECT", "220 relay.test ESMTP")?;
        loop {
            let line = self.line()?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.record.lock().unwrap().commands.push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
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
                    // What follows is no TLS: the handshake fails at the client.
                    self.write(b"this is no TLS\r\n")?;
                    return self.read_to_end();
                }
                "AUTH" => self.log_in(&line)?,
                "MAIL" if self.envelope.is_some() => self.write(b"503 5.5.1 nested MAIL\r\n")?,
                "RCPT" if self.envelope.is_none() => self.write(b"503 5.5.1 no MAIL\r\n")?,
                "MAIL" => {
                    if self.answer("MAIL", "250 2.1.0 ok")? {
                        self.envelope = Some((between(&line), Vec::new()));
                    }
                }
                "RCPT" => {
                    if self.answer("RCPT", "250 2.1.5 ok")? {
                        self.envelope.get_or_insert_default().1.push(between(&line));
                    }
                }
                "DATA" if self.envelope.as_ref().is_none_or(|(_, to)| to.is_empty()) => {
                    self.write(b"554 5.5.1 no recipients\r\n")?
                }
                "DATA" => {
                    if self.answer("DATA", "354 go on")? {
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
                    return None;
                }
                _ => self.write(b"502 5.5.2 what?\r\n")?,
            }
        }
    }

    fn message(&mut self) -> Step {
        let mut data = Vec::new();
        let mut first = true;
        loop {
            let line = self.line()?;
            if std::mem::take(&mut first) {
                self.answer("BODY", "")?;
            }
            if line == b".\r\n" {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let (from, to) = self.envelope.take().unwrap_or_default();
        let data = String::from_utf8(data).expect("a message of ASCII");
        let (act, good) = (self.next("DOT"), "250 2.0.0 taken");
        // Recorded before the reply leaves, so that whoever has the reply finds the record.
        let taken = match &act {
            Act::Good => true,
            Act::Say(bytes) => bytes.starts_with(b"2"),
            _ => false,
        };
        self.record.lock().unwrap().messages.push(Received {
            from,
            to,
            data,
            taken,
        });
        self.act(act, good).map(|_| ())
    }

    fn log_in(&mut self, line: &str) -> Step {
        let (user, password) = self.script.lock().unwrap().login.clone();
        let given = if let Some(token) = line.strip_prefix("AUTH PLAIN ") {
            token.to_owned()
        } else {
            self.write(b"334 VXNlcm5hbWU6\r\n")?;
            let user = self.line()?;
            self.write(b"334 Kennwort=\r\n")?;
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
        let mut script = self.script.lock().unwrap();
        let acts = script.acts.get_mut(place);
        acts.and_then(VecDeque::pop_front).unwrap_or(Act::Good)
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
                None
            }
            Act::Drop => None,
            Act::Hang => {
                self.read_to_end();
                None
            }
        }
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.reader
            .read_until(b'\n', &mut line)
            .ok()
            .filter(|&count| count > 0)?;
        self.record.lock().unwrap().octets.extend_from_slice(&line);
        Some(line)
    }

    fn write(&mut self, bytes: &[u8]) -> Step {
        self.writer.write_all(bytes).ok()
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

/// Base64, written here so that the relay shares no code with what it tests.
pub fn encode(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * index)) as usize & 63];
            encoded.push(if index <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    encoded
}
