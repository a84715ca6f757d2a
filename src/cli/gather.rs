//! `postrider gather`: pull every source.

use super::Done;
use super::output::Output;
use crate::app::{App, Options, SourceReport};
use crate::domain::Result;

pub(super) async fn run(options: &Options, output: &Output) -> Result<Done> {
    let app = App::open(options).await?;
    let reports = output.busy("gathering", app.gather()).await?;
    say(output, &reports)?;
    if reports.is_empty() {
        output.line("no source: add a [[source]] to the configuration")?;
    }
    output.json(&reports)?;
    app.close().await;
    let failed = reports.iter().any(|report| report.failed.is_some());
    Ok(if failed { Done::WithTrouble } else { Done::Fully })
}

/// Says what each source gave; what is wrong goes to standard error.
pub(super) fn say(output: &Output, reports: &[SourceReport]) -> Result<()> {
    for report in reports {
        if let Some(failed) = &report.failed {
            output.warning(format!("source {}: {failed}", report.source));
            continue;
        }
        output.line(format!(
            "source {}: {} new, {} changed, {} unchanged, {} rejected",
            report.source,
            report.new,
            report.changed,
            report.unchanged,
            report.rejections()
        ))?;
        for rejection in &report.rejected {
            output.warning(format!("{}: rejected: {}", rejection.place, rejection.reason));
        }
        if report.rejected_more > 0 {
            output.warning(format!(
                "source {}: and {} more rejected, not listed",
                report.source, report.rejected_more
            ));
        }
        for note in &report.notes {
            output.line(format!("source {}: {note}", report.source))?;
        }
    }
    Ok(())
}
