//! The bytes below an SMTP session: our own socket, time-outs, TLS, and replies put in order.
//!
//! lettre reads strict replies only, and gets out of step when one is malformed or late. So it is
//! handed this stream instead of a socket: it sees one well-formed reply for each command of its own,
//! while what the relay really said is kept here for the session to judge. After the first time-out,
//! broken connection or garbage nothing more is read or written.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::reply::{self, Lines};
use super::retry::{Happened, Silence, Stage};

/// A shared handle: lettre's connection holds one, the session the other.
#[derive(Debug, Clone)]
pub(super) struct Wire(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    peer: SocketAddr,
    /// How long the relay may take until it takes more, and until it answers.
    block: Duration,
    answer: Duration,
    /// Runs while something is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
    /// What the relay sent and nobody has read yet.
    raw: Vec<u8>,
    /// One reply in the form for lettre, and how much of it was read.
    ready: (Vec<u8>, usize),
    /// The replies as they came, oldest first.
    replies: VecDeque<Lines>,
    /// Why there will be no more replies.
    silence: Option<Silence>,
    /// Octets handed to the transport.
    written: u64,
}

#[derive(Debug)]
enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Wire {
    /// Opens a TCP connection to the first address that answers, each within `limit`.
    pub(super) async fn connect(host: &str, port: u16, limit: Duration) -> Result<Self, Happened> {
        let failed = |silence| Happened::NoReply(Stage::Connect, silence);
        let addresses = timeout(limit, lookup_host((host, port)))
            .await
            .map_err(|_| failed(Silence::TimedOut))?
            .map_err(|error| failed(Silence::Dropped(error.to_string())))?;
        let mut last = Silence::Dropped("the name has no address".to_owned());
        for address in addresses {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => {
                    // Without it Nagle's algorithm holds the final dot back for 40 ms.
                    socket
                        .set_nodelay(true)
                        .map_err(|error| failed(Silence::Dropped(error.to_string())))?;
                    return Ok(Self::over(socket, address, limit));
                }
                Ok(Err(error)) => last = Silence::Dropped(error.to_string()),
                Err(_) => last = Silence::TimedOut,
            }
        }
        Err(failed(last))
    }

    fn over(socket: TcpStream, peer: SocketAddr, limit: Duration) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            transport: Transport::Plain(socket),
            peer,
            block: limit,
            answer: limit,
            deadline: None,
            raw: Vec::new(),
            ready: (Vec::new(), 0),
            replies: VecDeque::new(),
            silence: None,
            written: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts TLS on top of the plain connection.
    ///
    /// Refuses when plain text is left over: whoever put it behind the reply to STARTTLS wants it
    /// to be read as if it had come through TLS (RFC 3207, 6).
    pub(super) async fn start_tls(
        &self,
        connector: &TlsConnector,
        name: ServerName<'static>,
    ) -> Result<(), Happened> {
        let (socket, limit) = {
            let mut inner = self.lock();
            if !inner.raw.is_empty() {
                inner.silence = Some(Silence::Garbage("plain text after STARTTLS".to_owned()));
                return Err(Happened::Unsafe(
                    Stage::StartTls,
                    "plain text came after the reply to STARTTLS: the connection is tampered with".to_owned(),
                ));
            }
            match std::mem::replace(&mut inner.transport, Transport::Gone) {
                Transport::Plain(socket) => (socket, inner.answer),
                other => {
                    inner.transport = other;
                    return Ok(());
                }
            }
        };
        match timeout(limit, connector.connect(name, socket)).await {
            Ok(Ok(stream)) => {
                self.lock().transport = Transport::Tls(Box::new(stream));
                Ok(())
            }
            Ok(Err(error)) => {
                self.lock().silence = Some(Silence::Dropped("TLS failed".to_owned()));
                Err(Happened::Unsafe(Stage::StartTls, format!("TLS failed: {error}")))
            }
            Err(_) => {
                self.lock().silence = Some(Silence::TimedOut);
                Err(Happened::NoReply(Stage::StartTls, Silence::TimedOut))
            }
        }
    }

    /// Writes a message, its final dot and what follows in one go: split, the dot would wait for an
    /// acknowledgement. lettre would copy it all twice.
    pub(super) async fn write_parts(&mut self, parts: [&[u8]; 3]) -> io::Result<()> {
        let mut slices = parts.map(IoSlice::new);
        let mut rest = slices.as_mut_slice();
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match self.write_vectored(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => IoSlice::advance_slices(&mut rest, count),
            }
        }
        self.flush().await
    }

    /// Reads the next reply, past lettre.
    pub(super) async fn next_reply(&self) -> Result<Lines, Silence> {
        let read = poll_fn(|cx| self.lock().poll_reply(cx)).await;
        read.or_else(|_| self.take_reply())
    }

    /// The reply that lettre has read, or why there is none.
    pub(super) fn take_reply(&self) -> Result<Lines, Silence> {
        let mut inner = self.lock();
        match inner.replies.pop_front() {
            Some(lines) => Ok(lines),
            None => Err(inner
                .silence
                .get_or_insert_with(|| Silence::Garbage("no reply was read".to_owned()))
                .clone()),
        }
    }

    /// A reply that came before the relay closed the connection under our writing.
    pub(super) async fn last_words(&self) -> Option<Lines> {
        let (mut transport, mut raw, limit) = {
            let mut inner = self.lock();
            let transport = std::mem::replace(&mut inner.transport, Transport::Gone);
            (transport, std::mem::take(&mut inner.raw), inner.answer)
        };
        let read = async {
            let mut chunk = [0u8; 2048];
            loop {
                if let Ok(Some(lines)) = reply::take(&mut raw) {
                    return Some(lines);
                }
                let count = match &mut transport {
                    Transport::Plain(socket) => socket.read(&mut chunk).await,
                    Transport::Tls(stream) => stream.read(&mut chunk).await,
                    Transport::Gone => return None,
                };
                match count {
                    Ok(count) if count > 0 => raw.extend_from_slice(chunk.get(..count)?),
                    _ => return None,
                }
            }
        };
        timeout(limit, read).await.ok().flatten()
    }

    /// How long the relay may take from now on: to take more of what is written, and to answer.
    pub(super) fn wait_for(&self, block: Duration, answer: Duration) {
        let mut inner = self.lock();
        (inner.block, inner.answer) = (block, answer);
    }

    /// Octets handed over so far.
    pub(super) fn written(&self) -> u64 {
        self.lock().written
    }

    /// Whether replies can still come.
    pub(super) fn is_alive(&self) -> bool {
        self.lock().silence.is_none()
    }

    /// The other end.
    pub(super) fn peer(&self) -> SocketAddr {
        self.lock().peer
    }

    /// The TLS version in use, such as `TLSv1_3`.
    pub(super) fn tls_version(&self) -> Option<String> {
        match &self.lock().transport {
            Transport::Tls(stream) => {
                let version = stream.get_ref().1.protocol_version();
                Some(version.map_or_else(|| "TLS".to_owned(), |version| format!("{version:?}")))
            }
            Transport::Plain(_) | Transport::Gone => None,
        }
    }
}

impl Inner {
    /// Remembers the first trouble; from then on the connection is dead.
    fn fail(&mut self, silence: Silence) -> io::Error {
        let kind = match &silence {
            Silence::Dropped(_) => io::ErrorKind::ConnectionAborted,
            Silence::TimedOut => io::ErrorKind::TimedOut,
            Silence::Garbage(_) => io::ErrorKind::InvalidData,
        };
        let error = io::Error::new(kind, silence.to_string());
        self.silence.get_or_insert(silence);
        error
    }

    fn check_alive(&mut self) -> io::Result<()> {
        match self.silence.clone() {
            Some(silence) => Err(self.fail(silence)),
            None => Ok(()),
        }
    }

    /// Waits no longer than `limit` for whatever was pending.
    fn or_deadline<T>(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<io::Result<T>> {
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(self.fail(Silence::TimedOut)))
    }

    /// Whether the relay has taken what was written, in time.
    fn taken<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match polled {
            Poll::Pending => self.or_deadline(cx, self.block),
            Poll::Ready(Ok(done)) => {
                self.deadline = None;
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.fail(Silence::Dropped(error.to_string())))),
        }
    }

    /// For lettre: the reply that it reads is kept for the session.
    fn poll_read(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let (ready, given) = &mut self.ready;
            let rest = ready.get(*given..).unwrap_or_default();
            if !rest.is_empty() {
                let part = rest.get(..out.remaining()).unwrap_or(rest);
                out.put_slice(part);
                *given += part.len();
                return Poll::Ready(Ok(()));
            }
            let lines = ready!(self.poll_reply(cx))?;
            self.ready = (lines.normalised(), 0);
            self.replies.push_back(lines);
        }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Lines>> {
        self.check_alive()?;
        loop {
            match reply::take(&mut self.raw) {
                Ok(Some(lines)) => {
                    self.deadline = None;
                    return Poll::Ready(Ok(lines));
                }
                Ok(None) => {}
                Err(garbage) => return Poll::Ready(Err(self.fail(Silence::Garbage(garbage)))),
            }
            let mut chunk = [0u8; 1024];
            let mut buffer = ReadBuf::new(&mut chunk);
            let polled = match &mut self.transport {
                Transport::Plain(socket) => Pin::new(socket).poll_read(cx, &mut buffer),
                Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, &mut buffer),
                Transport::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            };
            match polled {
                Poll::Pending => return self.or_deadline(cx, self.answer),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    return Poll::Ready(Err(self.fail(Silence::Dropped("closed by the relay".to_owned()))));
                }
                Poll::Ready(Ok(())) => self.raw.extend_from_slice(buffer.filled()),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(self.fail(Silence::Dropped(error.to_string()))));
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.check_alive()?;
        // One command, one reply: anything more would be taken for the answer to this command.
        // Only 421 may come unasked, and is the right answer then.
        if !self.raw.is_empty() && !self.raw.starts_with(b"421") {
            let what = "more replies than commands".to_owned();
            return Poll::Ready(Err(self.fail(Silence::Garbage(what))));
        }
        let polled = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bytes),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, bytes),
            Transport::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        let polled = self.taken(cx, polled);
        if let Poll::Ready(Ok(count)) = polled {
            self.written += u64::try_from(count).unwrap_or_default();
        }
        polled
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_alive()?;
        let polled = match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Transport::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        self.taken(cx, polled)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Transport::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_read(cx, out)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.lock().poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.lock().poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer())
    }
}
