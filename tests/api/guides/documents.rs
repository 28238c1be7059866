//! What the documents name exists: files, functions, commands, tests.

use std::{fs, path::Path};

use regex::Regex;

use super::ROOT;

/// A document's path and its text.
type Document = (String, String);

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

fn documents() -> Vec<Document> {
    let mut paths: Vec<String> = ["README", "CONTRIBUTING", "CHANGELOG", "SECURITY", "data/README", "benches/README"]
        .map(|name| format!("{name}.md"))
        .into();
    for directory in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(Path::new(ROOT).join(directory)).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        paths.extend(files.map(|file| format!("{directory}/{}", file.file_name().into_string().unwrap())));
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// The first group of each match in these documents for which `exists` is false.
fn missing(pattern: &str, documents: &[Document], exists: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let of_one = |(path, text): &Document| {
        let named = pattern.captures_iter(text).map(|found| found[1].to_owned());
        named.filter(|named| !exists(path, named)).map(|named| format!("{path}: {named}")).collect::<Vec<_>>()
    };
    documents.iter().flat_map(of_one).collect()
}

#[test]
fn the_readme_has_at_most_120_lines() {
    assert!(read("README.md").lines().count() <= 120);
}

#[test]
fn every_link_leads_to_a_file() {
    let exists = |path: &str, link: &str| Path::new(ROOT).join(path).parent().unwrap().join(link).exists();
    assert_eq!(missing(r"\]\(([^):#]+)[)#]", &documents(), exists), [""; 0]);
}

#[test]
fn every_path_that_a_document_names_exists() {
    // The changelog may name what is gone by now.
    let documents: Vec<_> = documents().into_iter().filter(|(path, _)| path != "CHANGELOG.md").collect();
    let pattern = r"`((?:src|tests|docs|scripts|contract|migrations|benches|examples)/[\w./-]*)`";
    assert_eq!(missing(pattern, &documents, |_, named| Path::new(ROOT).join(named).exists()), [""; 0]);
}

#[test]
fn every_make_command_that_a_document_names_exists() {
    let makefile = read("Makefile");
    let exists = |_: &str, target: &str| makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    assert_eq!(missing(r"`make (?:-s )?(\w+)", &documents(), exists), [""; 0]);
}

#[test]
fn the_files_in_the_architecture_define_the_names_beside_them() {
    let text = read("docs/architecture.md");
    let rows = Regex::new(r"\| `(\w+)` \| `((?:src|tests|migrations)/[\w/.-]+\.(?:rs|sql))`").unwrap();
    let rows: Vec<_> = rows.captures_iter(&text).map(|row| (row[1].to_owned(), row[2].to_owned())).collect();
    assert!(rows.len() > 60, "{rows:?}");
    let is_there = |name: &str, file: &str| {
        let source = fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_default();
        let definition = r"(?:fn|const|static|struct|enum|trait|macro_rules!|create table|create function)";
        Regex::new(&format!(r"{definition} {name}\b")).unwrap().is_match(&source)
    };
    let absent = rows.iter().filter(|(name, file)| !is_there(name, file));
    assert_eq!(absent.map(|(name, file)| format!("{name} in {file}")).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_test_that_a_document_names_exists() {
    let tests = files(&Path::new(ROOT).join("tests/api"));
    let exists = |_: &str, filters: &str| {
        let is_there = |filter: &str| tests.iter().any(|test| test.contains(&filter.replace("::", "/")));
        filters.split(' ').all(is_there)
    };
    assert_eq!(missing(r"cargo test --test api -- ([\w: ]+)`", &documents(), exists), [""; 0]);
}

/// The paths of all files in a directory and below.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] }).collect()
}
