//! Signing keys in a volume as Kubernetes mounts a Secret: the directory has mode 1777 and is read-only, the keys are links to
//! files of root, and a group of the service may read them.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use kuntatutorit::auth::keys::key_ring::KeyRing;
use tempfile::TempDir;

use crate::support::skipped::skipped;

/// Mounts the volume at `$1` with the key `$2` in a file of mode `$3`, with the option `$4`, and lists the keys as user 10001.
const MOUNT: &str = r#"
set -eu
mount -t tmpfs -o mode=1777 tmpfs "$1"
mkdir "$1/..2026_11_29"
install -m "$3" -o 0 -g 10001 "$2" "$1/..2026_11_29/20260101T000000Z-x.pem"
ln -s ..2026_11_29 "$1/..data"
ln -s ..data/20260101T000000Z-x.pem "$1/20260101T000000Z-x.pem"
mount -o "remount,$4,mode=1777" "$1"
exec setpriv --reuid 10001 --regid 10001 --groups 10001 --inh-caps=-all "$5" key list
"#;

/// Lists the keys of the volume. Returns `None` and prints a notice where this cannot be tried.
fn list_keys(mode: &str, option: &str) -> Option<Output> {
    let (volume, keys) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let key = KeyRing::generate(&keys.path().join("keys")).unwrap().path;
    // The user of the service must be able to reach the volume and the program.
    let program = volume.path().with_extension("program");
    std::fs::set_permissions(volume.path(), Permissions::from_mode(0o755)).unwrap();
    let can_mount =
        Command::new("unshare").args(["--mount", "true"]).output().is_ok_and(|tried| tried.status.success());
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    if !can_mount || !has_setpriv || !Path::new("/proc/self/ns/mnt").exists() {
        skipped("a test of keys in a secret volume", "only root can mount one, with unshare and setpriv");
        return None;
    }
    std::fs::copy(env!("CARGO_BIN_EXE_kuntatutorit"), &program).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", MOUNT, "sh"]).arg(volume.path()).arg(key).args([mode, option]).arg(&program);
    let output = command.current_dir("/").env("KEY_DIR", volume.path()).env("HOME", "/").output().unwrap();
    std::fs::remove_file(program).unwrap();
    Some(output)
}

#[track_caller]
fn assert_refused(mode: &str, option: &str, reason: &str) {
    let Some(output) = list_keys(mode, option) else { return };
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains(reason), "{text}");
}

#[test]
fn keys_in_a_secret_volume_are_accepted() {
    let Some(output) = list_keys("0440", "ro") else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("20260101T000000Z-x.pem"));
}

#[test]
fn keys_in_a_secret_volume_that_everybody_can_read_are_refused() {
    assert_refused("0444", "ro", "has mode 0444, so other users may have read it");
}

#[test]
fn a_volume_to_which_everybody_can_write_is_refused() {
    assert_refused("0440", "rw", "has mode 1777, so other users can add keys");
}
