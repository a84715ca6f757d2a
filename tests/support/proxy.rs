//! A way through this process to another address: with a delay, and one that can fall silent or be cut.
//!
//! The delay is that of a long line: what is sent while earlier bytes are on their way travels right
//! behind them, so that throughput stays and only the round trip grows.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Chunks of at most 16 KiB that may be on their way in one direction of a connection.
const ON_THE_WAY: usize = 4096;

/// Passes everything on to another address; it ends with the test process.
#[derive(Clone)]
pub struct Proxy {
    /// Where it listens on loopback.
    pub port: u16,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stalled: bool,
    cut: bool,
    /// How many wait for the end of a stall.
    held: usize,
    open: Vec<TcpStream>,
}

/// When something arrives, and what; nothing is the end.
type Travelling = (Instant, Vec<u8>);

impl Proxy {
    /// A way to `target` on which every byte takes `delay` in either direction: half of a round trip.
    pub fn to(target: String, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            gate: Arc::default(),
        };
        let gate = Arc::clone(&proxy.gate);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let (gate, target) = (Arc::clone(&gate), target.clone());
                thread::spawn(move || join(&gate, near, &target, delay));
            }
        });
        proxy
    }

    /// From now on nothing arrives any more, and nobody is told: a line that is broken somewhere.
    pub fn stall(&self) {
        self.gate.state.lock().unwrap().stalled = true;
    }

    /// Ends every connection, and refuses new ones.
    pub fn cut(&self) {
        let mut state = self.gate.state.lock().unwrap();
        state.cut = true;
        for stream in state.open.drain(..) {
            // One that has ended already is as well.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Everything passes again; what was under way during a stall arrives now.
    pub fn mend(&self) {
        let mut state = self.gate.state.lock().unwrap();
        (state.stalled, state.cut) = (false, false);
        self.gate.changed.notify_all();
    }
}

impl Gate {
    fn wait_until_open(&self) {
        let mut state = self.state.lock().unwrap();
        state.held += 1;
        self.changed.notify_all();
        let mut open = self.changed.wait_while(state, |state| state.stalled).unwrap();
        open.held -= 1;
    }
}

fn join(gate: &Arc<Gate>, near: TcpStream, target: &str, delay: Duration) {
    // The first packet of a connection does not arrive either.
    gate.wait_until_open();
    let Ok(far) = TcpStream::connect(target) else {
        return;
    };
    {
        let mut state = gate.state.lock().unwrap();
        if state.cut {
            return;
        }
        for stream in [&near, &far] {
            stream.set_nodelay(true).unwrap();
            state.open.push(stream.try_clone().unwrap());
        }
    }
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (sender, receiver) = sync_channel(ON_THE_WAY);
        let gate = Arc::clone(gate);
        thread::spawn(move || take(from, &sender, delay));
        thread::spawn(move || bring(&receiver, to, &gate));
    }
}

/// Notes for everything that comes when it is to arrive.
fn take(mut from: TcpStream, sender: &SyncSender<Travelling>, delay: Duration) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        if sender
            .send((Instant::now() + delay, bytes[..count].to_vec()))
            .is_err()
            || count == 0
        {
            return;
        }
    }
}

fn bring(receiver: &Receiver<Travelling>, mut to: TcpStream, gate: &Gate) {
    while let Ok((due, bytes)) = receiver.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        gate.wait_until_open();
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        address
    }

    /// 200 chunks there and back: one delay each way in all, not one for each chunk.
    #[test]
    fn the_delay_is_of_the_line_and_not_of_each_chunk() {
        let delay = Duration::from_millis(50);
        let proxy = Proxy::to(echo(), delay);
        let stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let begun = Instant::now();
        let mut writer = stream.try_clone().unwrap();
        let writing = thread::spawn(move || {
            for _ in 0..200 {
                writer.write_all(&[7; 1000]).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut back = vec![0; 200_000];
        (&stream).read_exact(&mut back).unwrap();
        writing.join().unwrap();
        assert!(begun.elapsed() >= 2 * delay);
        assert!(begun.elapsed() < 40 * delay, "{:?}", begun.elapsed());
    }

    #[test]
    fn what_stalls_arrives_when_the_line_is_mended_and_what_is_cut_ends() {
        let proxy = Proxy::to(echo(), Duration::ZERO);
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
        let mut byte = [0];
        stream.write_all(b"a").unwrap();
        stream.read_exact(&mut byte).unwrap();
        proxy.stall();
        stream.write_all(b"b").unwrap();
        let state = proxy.gate.state.lock().unwrap();
        let patience = Duration::from_secs(30);
        let held = &proxy.gate.changed;
        let (state, timeout) = held
            .wait_timeout_while(state, patience, |state| state.held == 0)
            .unwrap();
        assert!(!timeout.timed_out(), "it was not held");
        drop(state);
        proxy.mend();
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"b");
        proxy.cut();
        assert_eq!(stream.read(&mut byte).unwrap_or(0), 0);
    }
}
