//! PostgreSQL goes away in the middle of an edition and comes back.

use crate::database::Database;
use crate::hooked::{At, Hooked};
use crate::world::{TestClock, World, assert_everybody, deliver, until};
use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A way to the server that can be cut.
#[derive(Clone)]
struct Line {
    port: u16,
    cut: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            sockets: Arc::default(),
        };
        let ours = line.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else {
                    return;
                };
                ours.join(client, server);
            }
        });
        line
    }

    fn join(&self, client: TcpStream, server: TcpStream) {
        let mut sockets = self.sockets.lock().unwrap();
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            thread::spawn(move || {
                let _ = copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        sockets.extend([client, server]);
    }

    fn cut(&self) {
        let sockets = self.sockets.lock().unwrap();
        self.cut.store(true, Ordering::SeqCst);
        for socket in sockets.iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

async fn without_a_database_nothing_is_sent(database: Database) {
    const READERS: usize = 1_200;
    const CONNECTIONS: usize = 3;
    let mut url = url::Url::parse(&database.url).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let line = Line::to(server);
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(line.port)).unwrap();
    let world = World::new(database, READERS);
    let cut = line.clone();
    let relay = Hooked::start(move |moment| {
        // Whoever overtakes the hundredth waits for the cut too: no reply after it can be recorded.
        if moment.at == At::Dot && moment.number >= 100 {
            cut.cut();
        }
        None
    });
    let other_relay = Hooked::start(|_| None);
    let other = world.app(other_relay.port, 2).await;
    let clock = TestClock::new();
    let app = world
        .app_at(url.as_str(), Arc::clone(&clock), relay.port, CONNECTIONS)
        .await;
    world.plan(&other).await;
    let cut_off = tokio::spawn(async move { deliver(&app).await });
    until("the line is cut", || relay.taken().len() >= 100).await;
    // To the other process its leases have run out, while to itself they hold: until the other has delivered
    // everything, nothing but the outcomes that can't be recorded keeps it from sending.
    world.clock.advance(Duration::from_secs(70));
    deliver(&other).await.unwrap();
    clock.advance(Duration::from_secs(70));
    let before = relay.taken().len();
    line.mend();
    // It may have given up or found its way back; it sends nothing more either way.
    let _ = cut_off.await.unwrap();
    let taken = relay.taken().len();
    assert_eq!(taken, before);
    assert!(taken <= 100 + CONNECTIONS, "{taken}");
    assert_everybody(
        &[relay.taken(), other_relay.taken()].concat(),
        READERS,
        CONNECTIONS,
    );
    assert_eq!(world.deliveries("sent").await, 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_without_its_server_stops() {
    Database::postgres()
        .await
        .run(without_a_database_nothing_is_sent)
        .await;
}
