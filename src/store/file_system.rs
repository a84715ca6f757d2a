//! SQLite's write-ahead log needs memory that all its processes share, which no network file system gives.

use crate::domain::{Problem, Result};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Kinds of file system that several machines can mount (statfs(2), linux/magic.h), and their names.
///
/// 9p is not among them: containers and virtual machines have it as the disk of one machine.
const SHARED: [(u32, &str); 12] = [
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x1983_0326, "BeeGFS"),
];
/// A program stands behind it, which may keep the files anywhere.
const FUSE: u32 = 0x6573_5546;
/// Programs behind FUSE that keep files on other machines.
const REMOTE_PROGRAMS: [&str; 9] = [
    "sshfs",
    "glusterfs",
    "ceph",
    "s3fs",
    "rclone",
    "gcsfuse",
    "davfs",
    "smbnetfs",
    "juicefs",
];

/// Refuses to keep the database file `path` in a `folder` on a network file system.
///
/// # Errors
/// Names the file, the kind, and what to do instead. A kind that can't be found out is not refused.
pub(super) fn refuse_network(path: &Path, folder: &Path) -> Result<()> {
    // The file may be a link that leads elsewhere.
    let place = if path.exists() { path } else { folder };
    let Ok(found) = rustix::fs::statfs(place) else {
        return Ok(());
    };
    // The number has 32 bits; some platforms give it with a sign.
    let magic = u32::try_from(found.f_type & 0xFFFF_FFFF).unwrap_or_default();
    let program = (magic == FUSE).then(|| program_behind(place)).flatten();
    network_kind(magic, program.as_deref()).map_or(Ok(()), |kind| Err(refusal(path, &kind)))
}

fn refusal(path: &Path, kind: &str) -> Problem {
    Problem::configuration(format!(
        "the database {} is on a network file system ({kind}), where SQLite can't be shared safely",
        path.display()
    ))
    .hint("keep the file on a disk of this machine, or use PostgreSQL: `[database] url = \"postgres://…\"`")
}

/// The name of the network file system with this number, or behind FUSE that of this program.
fn network_kind(magic: u32, program: Option<&str>) -> Option<String> {
    if magic == FUSE {
        let program = program?;
        return REMOTE_PROGRAMS
            .contains(&program)
            .then(|| format!("FUSE: {program}"));
    }
    let shared = SHARED.iter().find(|(number, _)| *number == magic);
    shared.map(|(_, name)| (*name).to_owned())
}

/// What follows `fuse.` in the type of the mount that holds `place`.
fn program_behind(place: &Path) -> Option<String> {
    let device = place.metadata().ok()?.dev();
    let number = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    mounted_as(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, &number)
}

/// The same from the text of proc(5)'s `mountinfo` and a device such as `0:52`.
fn mounted_as(mounts: &str, device: &str) -> Option<String> {
    let line = mounts
        .lines()
        .find(|line| line.split(' ').nth(2) == Some(device))?;
    // Fields of no fixed number end with a dash.
    let kind = line.split_once(" - ")?.1.split(' ').next()?;
    kind.strip_prefix("fuse.").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_several_machines_can_mount_is_told_from_a_disk() {
        let kind = |magic, program| network_kind(magic, program);
        assert_eq!(kind(0x6969, None).as_deref(), Some("NFS"));
        assert_eq!(kind(0xFF53_4D42, None).as_deref(), Some("CIFS"));
        assert_eq!(kind(0xFE53_4D42, None).as_deref(), Some("SMB2"));
        assert_eq!(kind(FUSE, Some("sshfs")).as_deref(), Some("FUSE: sshfs"));
        // ext4, tmpfs, btrfs, overlay, ZFS, 9p; and a FUSE disk of this machine.
        for local in [
            0xEF53,
            0x0102_1994,
            0x9123_683E,
            0x794C_7630,
            0x2FC1_2FC1,
            0x0102_1997,
        ] {
            assert_eq!(kind(local, Some("sshfs")), None, "{local:x}");
        }
        assert_eq!(kind(FUSE, Some("ntfs-3g")), None);
        assert_eq!(kind(FUSE, None), None);
    }

    #[test]
    fn the_program_behind_a_mount_is_found_by_its_device() {
        let mounts = "\
36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw\n\
41 36 0:52 / /mnt/far\\040away rw,nosuid shared:7 master:2 - fuse.sshfs host:/srv rw,user_id=0\n\
42 36 0:53 / /mnt/plain rw - fuse /dev/fuse rw\n";
        assert_eq!(mounted_as(mounts, "0:52").as_deref(), Some("sshfs"));
        for other in ["98:0", "0:53", "0:5"] {
            assert_eq!(mounted_as(mounts, other), None, "{other}");
        }
    }

    #[test]
    fn the_disk_of_the_tests_is_taken_and_a_refusal_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        refuse_network(&folder.path().join("db"), folder.path()).unwrap();
        let said = refusal(Path::new("/mnt/far/db"), "NFS").to_string();
        for part in ["/mnt/far/db", "NFS", "PostgreSQL", "disk of this machine"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
