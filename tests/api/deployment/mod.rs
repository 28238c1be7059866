//! What operators install: the systemd unit, the manifests for Kubernetes, the container image, the notices.

mod kubernetes;
mod notices;
mod secret_volume;
mod systemd;

use std::{fs, path::Path};

use kuntatutorit::config::SETTINGS;
use regex::Regex;

/// Returns a file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the first group of each match in this text.
fn found<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let matches = Regex::new(pattern).unwrap();
    let first = matches.captures_iter(text).map(|found| found.get(1).unwrap().as_str());
    first.collect()
}

/// Returns the only number that this pattern finds in a text.
#[track_caller]
fn number(pattern: &str, text: &str) -> u32 {
    let [number] = found(pattern, text)[..] else { panic!("{pattern}") };
    number.parse().unwrap()
}

#[track_caller]
fn assert_settings(names: &[&str]) {
    assert!(!names.is_empty());
    let unknown: Vec<_> = names.iter().filter(|name| !SETTINGS.iter().any(|setting| setting.name == **name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are no settings");
}

#[test]
fn the_containers_get_existing_settings_and_enough_time_to_stop() {
    let dockerfile = read("Dockerfile");
    let line = dockerfile.lines().find(|line| line.starts_with("ENV ")).unwrap();
    assert_settings(&found(r"([A-Z_]+)=", line));
    let compose = read("docker-compose.yml");
    let service = compose.split("\n  service:").nth(1).unwrap();
    assert_settings(&found(r"(?m)^      ([A-Z_]+): ", service));
    // The default of DRAIN_SECONDS, and the time for requests in flight.
    assert!(number(r"stop_grace_period: (\d+)s", service) >= 2 + 25 + 3);
}

/// Every file that the program contains is in the context of the image's build.
#[test]
fn the_context_of_the_image_has_everything_that_the_build_reads() {
    let included: Vec<String> =
        read(".dockerignore").lines().filter_map(|line| Some(line.strip_prefix('!')?.to_owned())).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![root.join("src")];
    let mut embedded = Vec::new();
    while let Some(directory) = directories.pop() {
        for path in fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let files = found(r#"include_(?:str|bytes)!\("([^"]+)"\)"#, &text).into_iter();
                embedded.extend(files.map(|file| fs::canonicalize(directory.join(file)).unwrap()));
            }
        }
    }
    assert!(embedded.len() > 5, "{embedded:?}");
    let root = fs::canonicalize(root).unwrap();
    for file in embedded {
        let top = file.strip_prefix(&root).unwrap().components().next().unwrap();
        assert!(included.iter().any(|name| Path::new(name) == Path::new(&top)), "{}", file.display());
    }
}
