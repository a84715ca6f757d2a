//! Connections: how many, how long, and how they end.

use super::router;
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

/// Connections served at once; further ones wait. Below the usual limit of 1,024 open files.
const OPEN: usize = 512;
/// How long a client may take to send the head of a request, and to rest between two.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long requests under way may take to end after a stop.
const GRACE: Duration = Duration::from_secs(8);
/// The rest after a connection could not be taken, as when files run out.
const REST: Duration = Duration::from_millis(200);

/// Serves until `stop` becomes true; requests under way then end, and slow ones are cut off.
///
/// # Errors
/// None at present: a connection's trouble is its own.
pub async fn serve(app: Arc<App>, listener: TcpListener, mut stop: watch::Receiver<bool>) -> Result<()> {
    let routes = router(app);
    let slots = Arc::new(Semaphore::new(OPEN));
    let mut open = JoinSet::new();
    let shared_stop = stop.clone();
    loop {
        tokio::select! {
            (stream, slot) = take(&listener, &slots) => {
                let (routes, stop) = (routes.clone(), shared_stop.clone());
                open.spawn(async move {
                    converse(stream, routes, stop).await;
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
    Ok(())
}

/// Answers the requests of one connection until it ends, or until `stop`: then after the one under way.
async fn converse(stream: TcpStream, routes: Router, mut stop: watch::Receiver<bool>) {
    // Without it, a small answer may wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)));
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
async fn take(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a slot in the end.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
