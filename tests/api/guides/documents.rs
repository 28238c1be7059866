//! What the documents name exists: files, functions, tests.

use std::{fs, path::Path};

use super::ROOT;

/// All documents, by path.
fn documents() -> Vec<(String, String)> {
    let mut paths: Vec<String> = ["README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "data/README", "benches/README"]
        .map(|name| format!("{name}.md"))
        .into();
    for directory in ["docs", "docs/decisions"] {
        let files = fs::read_dir(Path::new(ROOT).join(directory)).unwrap().map(|file| file.unwrap().file_name());
        let names = files.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        paths.extend(names.map(|name| format!("{directory}/{name}")));
    }
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(Path::new(ROOT).join(path)).unwrap())).collect()
}

fn matches<'a>(pattern: &str, text: &'a str) -> Vec<Vec<&'a str>> {
    let pattern = regex::Regex::new(pattern).unwrap();
    let captures = pattern.captures_iter(text);
    captures.map(|found| found.iter().skip(1).flatten().map(|group| group.as_str()).collect()).collect()
}

#[test]
fn the_readme_has_at_most_120_lines() {
    assert!(include_str!("../../../README.md").lines().count() <= 120);
}

#[test]
fn every_link_leads_to_a_file() {
    for (path, text) in documents() {
        let directory = Path::new(ROOT).join(&path).parent().unwrap().to_owned();
        for link in matches(r"\]\(([^):#]+)\)", &text) {
            assert!(directory.join(link[0]).exists(), "{path} links to {}, which does not exist", link[0]);
        }
    }
}

#[test]
fn every_path_that_a_document_names_exists() {
    for (path, text) in documents() {
        // Names of what a contributor adds, such as `src/resources/<area>/<name>/`, are not paths yet.
        for named in matches(r"`((?:src|tests|docs|scripts|contract|migrations|benches|examples)/[\w./-]*)`", &text) {
            // What the changelog tells of may be gone by now.
            assert!(
                path == "CHANGELOG.md" || Path::new(ROOT).join(named[0]).exists(),
                "{path} names {}, which does not exist",
                named[0]
            );
        }
    }
}

#[test]
fn every_function_of_the_architecture_is_in_its_file() {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/architecture.md")).unwrap();
    let named = matches(r"\| `(?:\w+::)*(\w+)` \| `(src/[\w/]+\.rs)` \|", &text);
    assert!(named.len() > 10, "{named:?}");
    for row in named {
        let source = fs::read_to_string(Path::new(ROOT).join(row[1])).unwrap();
        let (function, kind) = (format!("fn {}", row[0]), format!("struct {}", row[0]));
        assert!(source.contains(&function) || source.contains(&kind), "{} is not in {}", row[0], row[1]);
    }
}

#[test]
fn every_test_that_a_document_names_exists() {
    let tests = files(&Path::new(ROOT).join("tests/api"));
    for (path, text) in documents() {
        for filters in matches(r"cargo test --test api -- ([\w: ]+)`", &text) {
            for filter in filters[0].split(' ') {
                let module = filter.replace("::", "/");
                assert!(tests.iter().any(|test| test.contains(&module)), "{path} names the test {filter}");
            }
        }
    }
}

/// The paths of all files below.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] }).collect()
}
