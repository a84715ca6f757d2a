//! Connections: how many, how long, and how they end.

use super::visitor::Peer;
use super::writing::InTime;
use super::{TIME, router, watchers_alone};
use crate::app::App;
use crate::domain::Result;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::add_extension::AddExtension;

/// Connections served at once; further ones wait. Below the usual limit of 1,024 open files.
const OPEN: usize = 512;
/// How long a client may take to send the head of a request, and to rest between two.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a client may take for an answer that has been made for it.
const ANSWER_TIME: Duration = Duration::from_secs(120);
/// How long requests under way may take to end after a stop.
const GRACE: Duration = Duration::from_secs(8);
/// The rest after a connection could not be taken, as when files run out.
const REST: Duration = Duration::from_millis(200);

/// Serves until `stop` becomes true; requests under way then end, and slow ones are cut off.
///
/// # Errors
/// None at present: a connection's trouble is its own.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: watch::Receiver<bool>) -> Result<()> {
    take_connections(router(app, TIME), listener, stop).await;
    Ok(())
}

/// As [`serve`], for those alone who watch whether all is well.
///
/// # Errors
/// As there.
pub async fn serve_watchers(app: Arc<App>, listener: TcpListener, stop: watch::Receiver<bool>) -> Result<()> {
    take_connections(watchers_alone(app, TIME), listener, stop).await;
    Ok(())
}

async fn take_connections(routes: Router, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(OPEN));
    let mut open = JoinSet::new();
    let shared_stop = stop.clone();
    loop {
        tokio::select! {
            (stream, peer, slot) = take(&listener, &slots) => {
                let (routes, stop) = (routes.clone(), shared_stop.clone());
                open.spawn(async move {
                    converse(stream, peer, routes, stop, ANSWER_TIME).await;
                    drop(slot);
                });
            }
            // What has ended is forgotten.
            Some(_) = open.join_next() => {}
            // A sender that is gone is a stop as well.
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!(
            "some requests did not end within {} s and were cut off",
            GRACE.as_secs()
        );
    }
}

/// Answers the requests of one connection until it ends, or until `stop`: then after the one under way.
async fn converse(
    stream: TcpStream,
    peer: Peer,
    routes: Router,
    mut stop: watch::Receiver<bool>,
    answer_time: Duration,
) {
    // Without it, a small answer may wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    let stream = TokioIo::new(InTime::new(stream, answer_time));
    let mut connection =
        pin!(http.serve_connection(stream, TowerToHyperService::new(AddExtension::new(routes, peer))));
    let stopped = async {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}

/// The next connection, once there is a slot for it.
async fn take(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a slot in the end.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, Peer(peer.ip()), slot),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// More than the buffers of a connection hold.
    const LENGTH: usize = 64 << 20;

    /// A client that has asked for an answer of `LENGTH` bytes, and the connection that gives it.
    async fn asked(answer_time: Duration) -> (TcpStream, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let routes = Router::new().route("/", get(|| async { vec![b'x'; LENGTH] }));
        let (running, stop) = watch::channel(false);
        let server = tokio::spawn(async move {
            converse(stream, Peer(peer.ip()), routes, stop, answer_time).await;
            drop(running);
        });
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        (client, server)
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_place() {
        let (client, server) = asked(Duration::from_millis(50)).await;
        let ended = tokio::time::timeout(Duration::from_secs(30), server).await;
        assert!(ended.is_ok(), "the place is held for ever");
        drop(client);
    }

    #[tokio::test]
    async fn a_trickle_is_not_taking_an_answer() {
        let (mut client, mut server) = asked(Duration::from_millis(200)).await;
        let trickle = async {
            let mut some = [0; 4096];
            // As slow as this, it would take minutes.
            while client.read(&mut some).await.is_ok_and(|count| count > 0) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout(Duration::from_secs(30), &mut server) => ended.is_ok(),
            () = trickle => true,
        };
        assert!(ended, "the place is held for minutes");
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_everything() {
        let (mut client, server) = asked(Duration::from_secs(60)).await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.len() > LENGTH);
        server.await.unwrap();
    }
}
