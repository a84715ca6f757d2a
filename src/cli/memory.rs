//! How memory is asked for: from few arenas, whatever the number of threads.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What glibc reads before anything of ours runs (mallopt(3)); an operator's own value stays.
const ARENAS: &str = "MALLOC_ARENA_MAX";
/// One for the connections, one for the database's threads. With the usual eight a processor, what each
/// thread has given back lies idle: a third of the memory of a large edition, and no faster.
const FEW: &str = "2";

/// Starts the program anew, in the same process, when its allocator has not been told yet.
pub(super) fn begin_with_few_arenas() {
    if !cfg!(target_env = "gnu") || std::env::var_os(ARENAS).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    // It comes back only when it could not be done; then everything goes on as it is.
    let _ = Command::new(program)
        .arg0(name.as_deref().unwrap_or(OsStr::new("postrider")))
        .args(arguments)
        .env(ARENAS, FEW)
        .exec();
}
