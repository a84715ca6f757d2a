//! Who holds a lease: a process, named so that this machine can tell whether it is still alive.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name for one holder in this process: boot id, PID namespace, pid, start time, and a number.
pub fn new() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    format!(
        "{}/{}/{pid}/{}/{number}",
        boot_id(),
        pid_namespace(),
        start_time(&pid.to_string()).unwrap_or_default()
    )
}

/// Whether `owner` is certainly a process that is gone.
///
/// A holder of another boot is gone when the database can't be shared between machines
/// (`one_machine`); of another machine or PID namespace nothing is known, its lease must run out.
pub fn is_dead(owner: &str, one_machine: bool) -> bool {
    let mut parts = owner.split('/');
    let (Some(boot), Some(namespace), Some(pid), Some(start)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    if boot != boot_id() {
        return one_machine;
    }
    if namespace != pid_namespace() || pid.is_empty() || !pid.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    match start_time(pid) {
        Some(now) => now != start,
        // Not to be seen is not dead: /proc may hide other users' processes.
        None => is_gone(pid),
    }
}

/// Whether no process has this number, or one that has ended and was not waited for yet.
fn is_gone(pid: &str) -> bool {
    let Some(pid) = pid.parse().ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    match rustix::process::test_kill_process(pid) {
        Ok(()) => fs::exists(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or(false),
        Err(error) => error == rustix::io::Errno::SRCH,
    }
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid")
        .map(|link| link.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Field 22 of proc(5)'s `stat`; `None` when the process is gone or a zombie.
fn start_time(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name, in parentheses, may itself hold spaces and parentheses.
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_living_from_the_dead() {
        let me = new();
        assert!(!is_dead(&me, true), "{me}");
        let mut parts: Vec<&str> = me.split('/').collect();
        parts[3] = "1";
        assert!(
            is_dead(&parts.join("/"), false),
            "a pid that another process got since"
        );
        let mut parts: Vec<&str> = me.split('/').collect();
        parts[0] = "another-boot";
        assert!(!is_dead(&parts.join("/"), false), "another machine may be alive");
        assert!(
            is_dead(&parts.join("/"), true),
            "before the reboot of the only machine"
        );
        assert!(!is_dead("", true) && !is_dead("x", true));
    }
}
