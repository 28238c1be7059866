//! The notices that the program prints.

use crate::support::process::program;

#[test]
fn the_program_prints_the_licence_of_every_package_and_none_is_copyleft() {
    let output = program().arg("licences").env("PORT", "not-a-port").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, packages) = text.split_once("Packages with their licences as SPDX expressions:\n\n").unwrap();
    let packages: Vec<_> = packages.split("\n\n").next().unwrap().lines().collect();
    assert!(packages.len() > 200, "{}", packages.len());
    for name in ["actix-web", "aws-lc-sys", "diesel", "libmimalloc-sys", "tokio-postgres"] {
        assert!(packages.iter().any(|package| package.starts_with(&format!("  {name} "))), "{name}");
    }
    let copyleft: Vec<_> =
        packages.iter().filter(|package| package.contains("GPL") || package.contains("MPL")).collect();
    assert!(copyleft.is_empty(), "{copyleft:?}");
    for notice in ["Swagger UI (Apache-2.0)", "Apache License", "Statistics Finland (CC BY 4.0)"] {
        assert!(text.contains(notice), "{notice}");
    }
}
