//! The manifests for Kubernetes.

use std::{path::Path, process::Command};

use super::{assert_settings, found, number, read};
use crate::support::skipped::skipped;

/// The oldest and the newest version of Kubernetes with which the manifests are validated.
const VERSIONS: [&str; 2] = ["1.27", "1.37"];

#[test]
fn the_manifests_follow_the_schemas_of_kubernetes() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let validate = target.join("deploy/bin/kubernetes-validate");
    if !validate.exists() {
        let why = "kubernetes-validate is not installed; `scripts/prepare test` installs it";
        return skipped("a test of deploy/kubernetes.yaml", why);
    }
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes.yaml");
    for version in VERSIONS {
        let mut command = Command::new(&validate);
        let output = command.args(["--strict", "-k", version]).arg(&manifests).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{text}");
        for kind in ["deployment", "service", "poddisruptionbudget", "serviceaccount"] {
            assert!(text.contains(&format!("passed for resource {kind}/kuntatutorit")), "{text}");
        }
    }
}

#[test]
fn the_manifests_name_this_version_and_existing_settings_and_give_enough_time_to_stop() {
    let manifests = read("deploy/kubernetes.yaml");
    let images = found(r"image: registry\.example/kuntatutorit:(\S+)", &manifests);
    assert_eq!(images, [env!("CARGO_PKG_VERSION"); 2]);
    assert_settings(&found(r"- name: ([A-Z_]+)\n", &manifests));
    let drain = number(r#"- name: DRAIN_SECONDS\n\s+value: "(\d+)""#, &manifests);
    assert!(number(r"terminationGracePeriodSeconds: (\d+)", &manifests) >= drain + 25);
}
