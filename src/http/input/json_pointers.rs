//! JSON pointers (RFC 6901), from the paths that garde, serde and the reader of unknown fields report.

/// Returns the pointer of a path of garde, such as `themes[0].fi`.
pub(super) fn of_garde(path: &garde::Path) -> String {
    let mut pointer = String::new();
    for part in path.to_string().split(['.', '[']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(part.trim_end_matches(']'));
    }
    pointer
}

/// Returns the pointer of the field that serde could not read.
pub(super) fn of_serde(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => push_key(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_key(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        pointer
    })
}

/// Returns the pointer of a field that serde ignored.
pub(super) fn of_ignored(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", of_ignored(parent)),
        Path::Map { parent, key } => {
            let mut pointer = of_ignored(parent);
            push_key(&mut pointer, key);
            pointer
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => of_ignored(parent),
    }
}

/// Appends a key to a pointer.
pub(super) fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}
