//! The file `.env` in the working directory, which has settings.

use std::{
    cell::Cell,
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
};

use rustix::process::geteuid;

const PATH: &str = ".env";
const GROUP_OR_OTHERS_WRITE: u32 = 0o022;

/// Why the file cannot be used. No message quotes the file, because a line of it may contain a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvFileError {
    /// Another user may change the file or exchange it for another one, and so choose the database and the keys.
    #[error(
        "the file .env in this directory belongs to the user with the id {0}; the service reads only one that belongs to \
         you or to root: take it over with `chown`, remove it, or start in another directory"
    )]
    Foreign(u32),
    /// Other users may change the file.
    #[error("the file .env in this directory has mode {0:04o}, so other users can change it; run `chmod go-w .env`")]
    Writable(u32),
    /// A line is not a setting.
    #[error("line {0} of the file .env is not NAME=value; correct it, and put a value with spaces in quotes")]
    Line(usize),
    /// A line has a NUL, which no environment variable can contain.
    #[error("line {0} of the file .env has a NUL character; remove it")]
    Nul(usize),
    /// The system refused to read the file.
    #[error("the file .env in this directory cannot be read: {0}; correct it or remove it")]
    Io(#[from] io::Error),
}

/// Sets the environment variables that the file names, except those that are already set. Does nothing if there is no file.
pub(crate) fn load() -> Result<(), EnvFileError> {
    let mut file = match File::open(PATH) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    // The file itself, and the link if the name is one.
    require_owner(&file.metadata()?)?;
    require_owner(&fs::symlink_metadata(PATH)?)?;
    let mode = file.metadata()?.mode() & 0o7777;
    if mode & GROUP_OR_OTHERS_WRITE != 0 {
        return Err(EnvFileError::Writable(mode));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    if let Some(at) = content.iter().position(|byte| *byte == 0) {
        return Err(EnvFileError::Nul(1 + count_newlines(&content[..at])));
    }
    // Some editors write a byte order mark at the start of a file.
    set_variables(content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&content))
}

fn require_owner(metadata: &Metadata) -> Result<(), EnvFileError> {
    match metadata.uid() {
        0 => Ok(()),
        uid if uid == geteuid().as_raw() => Ok(()),
        uid => Err(EnvFileError::Foreign(uid)),
    }
}

fn set_variables(content: &[u8]) -> Result<(), EnvFileError> {
    let lines_read = Cell::new(0);
    dotenvy::from_read(Lines { rest: content, read: &lines_read }).map_err(|error| match error {
        // A value in quotes can have several lines. The number is that of its first one.
        dotenvy::Error::LineParse(text, _) => {
            EnvFileError::Line(lines_read.get() - count_newlines(text.trim_end().as_bytes()))
        }
        // Such as a line that is not UTF-8.
        _ => EnvFileError::Line(lines_read.get()),
    })
}

fn count_newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

/// Hands out one line at a time, so that the number of lines read is the number of the line that is being parsed.
struct Lines<'a> {
    rest: &'a [u8],
    read: &'a Cell<usize>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |end| end + 1);
        let length = line.min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        if length == line && length > 0 {
            self.read.set(self.read.get() + 1);
        }
        Ok(length)
    }
}
