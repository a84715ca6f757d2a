//! A TCP connection through this process, which can be cut and mended.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes everything on to another address; it ends with the test process.
pub struct Bridge {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: bool,
    open: Vec<TcpStream>,
    left: Vec<TcpStream>,
}

impl Bridge {
    pub fn to(target: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let mut state = shared.lock().unwrap();
                // One that comes while it is cut is taken and left without a word: worse than a refusal.
                if state.cut {
                    state.left.push(near);
                    continue;
                }
                let far = TcpStream::connect(&target).unwrap();
                state
                    .open
                    .extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                pass(near.try_clone().unwrap(), far.try_clone().unwrap());
                pass(far, near);
            }
        });
        Self { port, state }
    }

    /// Ends every connection, and answers no new one.
    pub fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut = true;
        for stream in state.open.drain(..) {
            // One that has ended already is as well.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets new connections through, and ends those that were left waiting.
    pub fn mend(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut = false;
        state.left.clear();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
