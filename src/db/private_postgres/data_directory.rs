use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::time::Duration;

use rustix::process::geteuid;

use super::error::{LocalError, io_error};
use super::log::lock_within;

pub(super) const CLUSTER: &str = "cluster";
pub(super) const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Systems differ in how long the path of a socket may be; this fits them all.
const SOCKET_PATH_LIMIT: usize = 100;
/// A killed process keeps its lock for a moment.
const LOCK_LIMIT: Duration = Duration::from_millis(500);

/// The data directory, locked for us, and the user who runs the server on it.
#[derive(Debug)]
pub(super) struct DataDirectory {
    pub(super) data_dir: PathBuf,
    pub(super) cluster: PathBuf,
    pub(super) lock: File,
    user: Option<User>,
}

/// The user that the server runs as when we are root.
#[derive(Debug)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl DataDirectory {
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, LocalError> {
        let data_dir = make_data_dir(data_dir).map_err(io_error("make", data_dir))?;
        let lock = lock(&data_dir)?;
        let cluster = data_dir.join(CLUSTER);
        let user = server_user(&cluster)?;
        Ok(Self { data_dir, cluster, lock, user })
    }

    /// The major version of PostgreSQL that made the cluster, if there is one.
    pub(super) fn cluster_version(&self) -> Result<Option<u32>, LocalError> {
        if !self.cluster.exists() {
            return Ok(None);
        }
        let path = self.cluster.join("PG_VERSION");
        fs::read_to_string(&path)
            .and_then(|text| text.trim().parse().map_err(io::Error::other))
            .map(Some)
            .map_err(io_error("read the version in", path))
    }

    /// A command that runs as the server's user, with nothing in its
    /// environment that could change how PostgreSQL works or is secret.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env_clear().env("LC_ALL", "C");
        for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        if let Some(user) = &self.user {
            // For root, this also drops the supplementary groups.
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Checks that the server's user can enter the data directory and the one
    /// with the programs, by having it try.
    pub(super) fn check_reach(&self, bin_dir: &Path) -> Result<(), LocalError> {
        const FIRST_BLOCKED: &str = r#"for dir; do [ -x "$dir" ] || { printf %s "$dir"; exit 1; }; done"#;
        let Some(user) = &self.user else {
            return Ok(());
        };
        let mut dirs: Vec<&Path> = bin_dir.ancestors().chain(self.data_dir.ancestors()).collect();
        dirs.sort_by_key(|dir| dir.as_os_str().len());
        let output = self
            .command(Path::new("/bin/sh"))
            .args(["-c", FIRST_BLOCKED, "sh"])
            .args(dirs)
            .output()
            .map_err(io_error("run as the database server's user", "/bin/sh"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(LocalError::Unreachable { user: user.name.clone(), blocked: OsString::from_vec(output.stdout).into() })
    }

    /// An empty directory for a new cluster; one left half-made is removed.
    pub(super) fn make_draft(&self) -> Result<PathBuf, LocalError> {
        let draft = self.data_dir.join("cluster.new");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(io_error("remove", &draft))?;
        }
        self.make_private_dir(&draft)?;
        Ok(draft)
    }

    /// The directory for the socket: in the data directory, or in a temporary
    /// one if the path would be too long or has a comma, which would split it
    /// for both the server and its clients.
    pub(super) fn make_socket_dir(&self) -> Result<PathBuf, LocalError> {
        let data_dir = self.data_dir.as_os_str().as_bytes();
        let name = format!("kuntatutorit-{:016x}", hash(data_dir));
        let fallback = Path::new("/tmp").join(&name);
        let fits = |dir: &PathBuf| {
            let socket = dir.join(SOCKET_NAME).into_os_string().into_vec();
            socket.len() <= SOCKET_PATH_LIMIT && !socket.contains(&b',')
        };
        let mut choices = vec![self.data_dir.join("socket")];
        // Root's own temporary directory may be closed to the server's user.
        if self.user.is_none() {
            choices.push(env::temp_dir().join(name));
        }
        let dir = choices.into_iter().find(fits).unwrap_or(fallback);
        self.make_private_dir(&dir)?;
        Ok(dir)
    }

    /// Makes sure of a directory that only the server's user can enter. In a
    /// temporary directory someone else may have made it, to get between us
    /// and the server: such a one is refused.
    fn make_private_dir(&self, path: &Path) -> Result<(), LocalError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_error("make", path)(cause));
            }
            _ => {}
        }
        let ours = geteuid().as_raw();
        let (uid, gid) = self.user.as_ref().map_or((ours, None), |user| (user.uid, Some(user.gid)));
        let found = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
        let private = found.is_dir() && found.mode() & 0o777 == 0o700;
        if private && found.uid() == ours && uid != ours {
            return chown(path, Some(uid), gid).map_err(io_error("give away", path));
        }
        if private && found.uid() == uid {
            return Ok(());
        }
        Err(LocalError::NotPrivate { path: path.to_owned() })
    }
}

/// Makes the data directory, with its parents, and returns its real path.
fn make_data_dir(path: &Path) -> io::Result<PathBuf> {
    let missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(missing).collect();
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(cause) if !dir.is_dir() => return Err(cause),
            _ => let_through(dir)?,
        }
    }
    let path = fs::canonicalize(path)?;
    // A directory that has been put to some use is left as its owner wants it.
    if fs::read_dir(&path)?.next().is_none() {
        let_through(&path)?;
    }
    Ok(path)
}

/// When we are root, lets the server's user through the directory to its own.
fn let_through(dir: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let mut permissions = fs::metadata(dir)?.permissions();
    permissions.set_mode(permissions.mode() | 0o011);
    fs::set_permissions(dir, permissions)
}

/// Locks the directory for this process, until the file is closed.
fn lock(data_dir: &Path) -> Result<File, LocalError> {
    let path = data_dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error("open", &path))?;
    if !lock_within(LOCK_LIMIT, &file).map_err(io_error("lock", &path))? {
        let mut process = String::new();
        // The number is a help to the reader; the lock is what counts.
        let _ = file.read_to_string(&mut process);
        return Err(LocalError::InUse { data_dir: data_dir.to_owned(), process: process.trim().to_owned() });
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).map_err(io_error("write", &path))?;
    Ok(file)
}

/// Whom to run the server as: ourselves (`None`) unless we are root, else the
/// one who owns the cluster already, else `postgres` or `nobody`.
fn server_user(cluster: &Path) -> Result<Option<User>, LocalError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let path = "/etc/passwd";
    let passwd = fs::read_to_string(path).map_err(io_error("read", path))?;
    let users: Vec<User> = passwd.lines().filter_map(user_in).collect();
    let owner = fs::metadata(cluster).ok().map(|cluster| cluster.uid());
    let find = |wanted: &dyn Fn(&User) -> bool| users.iter().position(wanted);
    let chosen = find(&|user| user.uid != 0 && Some(user.uid) == owner)
        .or_else(|| find(&|user| user.name == "postgres"))
        .or_else(|| find(&|user| user.name == "nobody"));
    let user = chosen.and_then(|index| users.into_iter().nth(index));
    user.map(Some).ok_or(LocalError::NoServerUser)
}

fn user_in(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    Some(User { name: fields.next()?.to_owned(), uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// FNV-1a, because it must be the same in every build of the program.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
