//! A relay that asks the test at every step of a message what to answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where a session stands when the test is asked; the answer is not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Mail,
    Rcpt,
    Dot,
    /// The connection is over.
    End,
}

/// How often a place was reached so far, this time included, over all connections.
pub struct Moment {
    pub at: At,
    pub number: usize,
}

type Hook = dyn Fn(&Moment) -> Option<&'static str> + Send + Sync;

/// A message that was taken: its Message-ID and its reader.
pub type Taken = (String, String);

/// The relay; it lives as long as the process.
#[derive(Clone)]
pub struct Hooked {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Hooked {
    /// A relay that answers what `hook` says, or that all is well.
    pub fn start(hook: impl Fn(&Moment) -> Option<&'static str> + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind(("127.0.0.1", 0)).unwrap(), hook)
    }

    /// The same on a socket of the test's own.
    pub fn listen(
        listener: TcpListener,
        hook: impl Fn(&Moment) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            taken: Arc::default(),
        };
        let (taken, hook, counts) = (Arc::clone(&relay.taken), Arc::new(hook), Arc::default());
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                socket.set_nodelay(true).unwrap();
                let talk = Talk {
                    socket,
                    taken: Arc::clone(&taken),
                    hook: Arc::clone(&hook) as Arc<Hook>,
                    counts: Arc::clone(&counts),
                };
                thread::spawn(move || {
                    talk.run();
                    talk.ask(At::End)
                });
            }
        });
        relay
    }

    /// Everything that was answered well after its final dot, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}

struct Talk {
    socket: TcpStream,
    taken: Arc<Mutex<Vec<Taken>>>,
    hook: Arc<Hook>,
    counts: Arc<Mutex<[usize; 4]>>,
}

impl Talk {
    fn run(&self) -> Option<()> {
        let mut lines = BufReader::new(&self.socket).lines();
        let mut reader = String::new();
        let mut accepted = false;
        self.say("220 hooked")?;
        loop {
            let line = lines.next()?.ok()?;
            match line.split([' ', ':']).next()? {
                "EHLO" => self.say("250-hooked\r\n250 PIPELINING")?,
                "MAIL" => {
                    accepted = false;
                    self.answer(At::Mail, || ())?;
                }
                "RCPT" => {
                    reader = line.clone();
                    self.answer(At::Rcpt, || accepted = true)?;
                }
                "DATA" if !accepted => self.say("554 5.5.1 no valid recipients")?,
                "DATA" => {
                    self.say("354 go on")?;
                    let mut id = String::new();
                    loop {
                        let line = lines.next()?.ok()?;
                        if line == "." {
                            break;
                        }
                        if let Some(value) = line.strip_prefix("Message-ID:") {
                            id = value.trim().to_owned();
                        }
                    }
                    let taken = (id, reader.clone());
                    self.answer(At::Dot, || self.taken.lock().unwrap().push(taken))?;
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("250 ok")?,
            }
        }
    }

    fn ask(&self, at: At) -> Option<&'static str> {
        let number = {
            let mut counts = self.counts.lock().unwrap();
            counts[at as usize] += 1;
            counts[at as usize]
        };
        (self.hook)(&Moment { at, number })
    }

    fn answer(&self, at: At, good: impl FnOnce()) -> Option<()> {
        match self.ask(at) {
            Some(reply) => self.say(reply),
            None => {
                // Recorded first: whoever has the reply finds the record.
                good();
                self.say("250 ok")
            }
        }
    }

    fn say(&self, line: &str) -> Option<()> {
        (&self.socket).write_all(format!("{line}\r\n").as_bytes()).ok()
    }
}
