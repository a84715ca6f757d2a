//! A web server for tests that answers what a script says, over real TCP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use async_trait::async_trait;
use postrider::domain::{FetchState, Result, Timestamp};
use postrider::gather::FetchMemory;

/// What a client asked for; header names in lower case.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What the server sends after the headers.
#[derive(Debug, Clone)]
pub enum Body {
    Whole(Vec<u8>),
    /// The same bytes so many times, as fast as the client takes them.
    Repeated(Vec<u8>, usize),
    /// These bytes, and then nothing until the client leaves.
    Hanging(Vec<u8>),
}

#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Whole(Vec::new()),
        }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Body::Whole(body.into()),
            ..Self::new(200)
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

/// A server on a free port; it ends with the test.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    sent: Arc<AtomicU64>,
}

impl Server {
    pub async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), script).await
    }

    pub async fn start_at(ip: IpAddr, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::new(AtomicU64::new(0));
        let (script, seen, count) = (Arc::new(script), Arc::clone(&requests), Arc::clone(&sent));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen, count) = (Arc::clone(&script), Arc::clone(&seen), Arc::clone(&count));
                tokio::spawn(async move {
                    // A client that leaves early is part of some tests.
                    let _ = serve(stream, &*script, &seen, &count).await;
                });
            }
        });
        Self {
            address,
            requests,
            sent,
        }
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The paths that were asked for, in order.
    pub fn paths(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|request| request.path.clone())
            .collect()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The bytes of bodies that clients took.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

async fn serve(
    stream: TcpStream,
    script: &(dyn Fn(&Request) -> Reply + Send + Sync),
    seen: &Mutex<Vec<Request>>,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let request = Request { path, headers };
    let reply = script(&request);
    seen.lock().unwrap().push(request);
    let mut head = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Body::Whole(bytes) = &reply.body {
        head.push_str(&format!("Content-Length: {}\r\n", bytes.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let (chunk, times) = match &reply.body {
        Body::Whole(bytes) | Body::Hanging(bytes) => (bytes, 1),
        Body::Repeated(bytes, times) => (bytes, *times),
    };
    for _ in 0..times {
        stream.write_all(chunk).await?;
        sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
    }
    stream.flush().await?;
    if matches!(reply.body, Body::Hanging(_)) {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    stream.shutdown().await
}

/// A memory of addresses that lasts as long as the test.
#[derive(Default)]
pub struct Memory(Mutex<HashMap<(String, String), FetchState>>);

impl Memory {
    pub fn of(&self, address: &Url) -> FetchState {
        let key = ("source".to_owned(), address.to_string());
        self.0.lock().unwrap().get(&key).cloned().unwrap_or_default()
    }

    /// What the caller of a source does after storing what it gave.
    pub async fn stored(&self, fetched: &[(String, FetchState)]) {
        for (address, state) in fetched {
            self.remember("source", address, state).await.unwrap();
        }
    }
}

#[async_trait]
impl FetchMemory for Memory {
    async fn recall(&self, source: &str, address: &str) -> Result<FetchState> {
        let key = (source.to_owned(), address.to_owned());
        Ok(self.0.lock().unwrap().get(&key).cloned().unwrap_or_default())
    }

    async fn remember(&self, source: &str, address: &str, state: &FetchState) -> Result<()> {
        self.0
            .lock()
            .unwrap()
            .insert((source.to_owned(), address.to_owned()), state.clone());
        Ok(())
    }
}

/// The instant at which tests begin.
pub const NOW: Timestamp = Timestamp(1_600_000_000_000);
