//! `postrider subscribers forget` and `data`: what somebody may ask for.

use super::Done;
use super::output::Output;
use crate::app::App;
use crate::domain::{EmailAddress, Result};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Their address; a reader's, or one that stands in a list or an outbox only.
    address: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn forget(app: &App, output: &Output, arguments: &Arguments) -> Result<Done> {
    let address = EmailAddress::parse(&arguments.address)?;
    if output.is_interactive()
        && !arguments.yes
        && !output.agrees(&format!(
            "Erase everything about {address}? This can't be undone."
        ))?
    {
        output.line("nothing was erased")?;
        return Ok(Done::Fully);
    }
    let forgotten = output.busy("erasing", app.forget(&address)).await?;
    output.line(format!(
        "{address}: {}; {} deleted from outboxes, {} taken out of lists{}",
        if forgotten.subscriber {
            "erased from the database"
        } else {
            "was no subscriber; what else the database had of them is erased"
        },
        counted(forgotten.messages, "message"),
        counted(forgotten.rows, "row"),
        if forgotten.lists.is_empty() {
            String::new()
        } else {
            format!(" ({})", forgotten.lists.join(", "))
        }
    ))?;
    output.line(
        "a keyed hash of the address stays, so that no list brings them back; they can sign up again",
    )?;
    output.json(&forgotten)?;
    for left in &forgotten.left {
        output.warning(left);
    }
    Ok(if forgotten.left.is_empty() {
        Done::Fully
    } else {
        Done::WithTrouble
    })
}

/// Writes everything that is kept about whoever has `address`: JSON for people as well.
pub(super) async fn data(app: &App, address: &str) -> Result<()> {
    let data = app.data_of(&EmailAddress::parse(address)?).await?;
    Output::new(true).json(&data)
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
