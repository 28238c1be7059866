//! The structure of `src`: no file imports itself through others, and no file imports from a layer above its own. Computed
//! from the imports and the paths in the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The layers of the library, from the top down. The table in `src/lib.rs` has the same order.
const LAYERS: &[&str] = &[
    "server",
    "metrics_server",
    "seed",
    "resources",
    "http",
    "auth",
    "housekeeping",
    "db",
    "telemetry",
    "config",
    "connection_parameters",
    "registry",
    "domain",
    "problem",
    "schema",
    "connections",
    "admission",
    "clock",
    "shutdown",
];

/// The files of the library by module, and the files that each imports.
struct Structure {
    modules: BTreeMap<Vec<String>, String>,
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl Structure {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        // The command line is a crate of its own on top of the library.
        files.retain(|file| !file.starts_with("cli/") && file != "main.rs");
        let modules: BTreeMap<_, _> = files.iter().map(|file| (module(file), file.clone())).collect();
        let mut structure = Self { modules, imports: BTreeMap::new() };
        for file in files {
            let code = code_of(&fs::read_to_string(root.join(&file)).unwrap());
            let imported = structure.imported(&module(&file), &code);
            structure.imports.insert(file.clone(), imported.into_iter().filter(|other| *other != file).collect());
        }
        structure
    }

    /// The files that this code names in `use` declarations and in paths.
    fn imported(&self, module: &[String], code: &str) -> BTreeSet<String> {
        let mut paths = Vec::new();
        let mut rest = String::new();
        for (index, part) in code.split("use ").enumerate() {
            let is_use = index > 0 && ["crate::", "super::", "self::"].iter().any(|start| part.starts_with(start));
            match part.split_once(';') {
                Some((tree, after)) if is_use => {
                    expand(tree, &[], &mut paths);
                    rest.push_str(after);
                }
                _ => rest.push_str(part),
            }
        }
        for path in rest.split("crate::").skip(1) {
            let path = path.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next().unwrap();
            paths.push(std::iter::once("crate").chain(path.split("::")).map(str::to_owned).collect());
        }
        paths.iter().filter_map(|path| self.file_of(&absolute(path, module))).collect()
    }

    /// The file of the longest module that the path begins with.
    fn file_of(&self, path: &[String]) -> Option<String> {
        (1..=path.len()).rev().find_map(|length| self.modules.get(&path[..length]).cloned())
    }

    /// A chain of imports from a file back to itself.
    fn circle_of(&self, file: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut chains = vec![vec![file.to_owned()]];
        while let Some(chain) = chains.pop() {
            for next in &self.imports[chain.last().unwrap()] {
                let longer: Vec<_> = chain.iter().chain([next]).cloned().collect();
                if next == file {
                    return Some(longer);
                }
                if seen.insert(next.clone()) {
                    chains.push(longer);
                }
            }
        }
        None
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// The module of a file: `db/mod.rs` and `db.rs` are both `db`.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The code without comments, unit tests and visibilities such as `pub(in crate::db)`.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines: Vec<_> = code.lines().map(|line| line.split("//").next().unwrap()).collect();
    lines.join(" ").replace("pub(in crate::", "pub(in ")
}

/// The paths of a use tree such as `a::{b, c::d}`.
fn expand(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let (head, group) = tree.split_once('{').map_or((tree, None), |(head, group)| (head, Some(group)));
    let head = head.split(" as ").next().unwrap();
    let segments = head.split("::").map(str::trim).filter(|segment| !segment.is_empty() && *segment != "self");
    let path: Vec<_> = prefix.iter().cloned().chain(segments.map(str::to_owned)).collect();
    let Some(group) = group else { return paths.push(path) };
    let (mut depth, mut start) = (0, 0);
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                if !group[start..index].trim().is_empty() {
                    expand(&group[start..index], &path, paths);
                }
                start = index + 1;
            }
            _ => {}
        }
    }
}

/// The path from the root of the crate.
fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    match path.first().map(String::as_str) {
        Some("crate") => path[1..].to_vec(),
        Some("super") => module[..module.len().saturating_sub(supers)].iter().chain(&path[supers..]).cloned().collect(),
        // `self::` was dropped when the tree was expanded.
        _ => module.iter().chain(path).cloned().collect(),
    }
}

fn layer(file: &str) -> usize {
    let top = file.split('/').next().unwrap().trim_end_matches(".rs");
    LAYERS.iter().position(|layer| *layer == top).unwrap_or_else(|| panic!("{file} is in no layer of this test"))
}

#[test]
fn no_file_imports_itself_through_others() {
    let structure = Structure::read();
    let imports: usize = structure.imports.values().map(BTreeSet::len).sum();
    assert!(imports > 300, "this test found only {imports} imports");
    let circles: Vec<_> = structure.imports.keys().filter_map(|file| structure.circle_of(file)).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn no_file_imports_from_a_layer_above_its_own() {
    let structure = Structure::read();
    let mut upward = Vec::new();
    for (file, imported) in structure.imports.iter().filter(|(file, _)| *file != "lib.rs") {
        upward.extend(
            imported.iter().filter(|other| layer(other) < layer(file)).map(|other| format!("{file} -> {other}")),
        );
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn the_table_in_the_library_has_the_layers_in_this_order() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let table: Vec<_> = library.lines().filter(|line| line.starts_with("//! | [`")).collect();
    let named: Vec<_> = table
        .iter()
        .flat_map(|line| line.split('|').nth(1).unwrap().split(','))
        .map(|name| name.trim_matches([' ', '[', ']', '`']))
        .collect();
    assert_eq!(named, LAYERS);
}

#[test]
fn use_trees_are_expanded() {
    let mut paths = Vec::new();
    expand("crate::{a::{self, B}, c::d as e, f}", &[], &mut paths);
    let joined: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(joined, ["crate::a", "crate::a::B", "crate::c::d", "crate::f"]);
}
