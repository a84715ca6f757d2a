//! Taking a batch, and giving back one that can't be delivered.

use std::sync::Arc;

use super::patience::answered;
use super::worker::Courier;
use crate::domain::problem::Kind;
use crate::domain::{Problem, Result};
use crate::store::ledger::Batch;

/// A batch and the name it is leased under.
pub(super) struct Leased {
    pub(super) batch: Batch,
    pub(super) owner: Arc<str>,
}

/// The name to lease under, renewed where it would not hold for a while yet.
pub(super) async fn owner(courier: &Courier) -> Result<Arc<str>> {
    let owner = courier.tenure.owner();
    if courier.tenure.holds(&owner, courier.clock.now()) {
        return Ok(owner);
    }
    courier.renew().await?;
    Ok(courier.tenure.owner())
}

/// Leases a batch.
pub(super) async fn lease(courier: &Courier) -> Result<Option<Leased>> {
    let owner = owner(courier).await?;
    let now = courier.clock.now();
    let but = [courier.unfit.editions(now), courier.brake.editions()].concat();
    let until = now.plus(courier.tenure.term());
    let batch = answered(courier.store.lease_batch_but(&owner, now, until, &but)).await?;
    if let Some(batch) = &batch {
        courier.brake.leased(batch.edition);
    }
    Ok(batch.map(|batch| Leased { batch, owner }))
}

/// Gives a batch back whose messages can't be made, and leaves its edition alone for a while.
///
/// # Errors
/// The problem itself when it is the database's: that says nothing about the edition.
pub(super) async fn put_off(courier: &Courier, leased: &Leased, problem: Problem) -> Result<()> {
    let edition = leased.batch.edition;
    let now = courier.clock.now();
    if problem.kind() == Kind::Database {
        answered(courier.store.release_batch(&leased.batch, &leased.owner, now)).await?;
        return Err(problem);
    }
    let text = crate::domain::text::one_line(&problem.to_string());
    answered(courier.store.set_edition_trouble(edition, &text)).await?;
    if courier.unfit.add(edition, now.plus(courier.backoff.max), problem) {
        tracing::error!(edition, text, "the edition's messages can't be made");
    }
    answered(courier.store.release_batch(&leased.batch, &leased.owner, now)).await
}
