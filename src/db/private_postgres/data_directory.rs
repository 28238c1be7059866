//! The data directory of a private server, and the user that the server runs as.

use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::AtomicBool,
    time::Duration,
};

use rustix::process::geteuid;

use super::{
    error::{PrivatePostgresError, io_error},
    log::lock_within,
};

/// The directory of the database cluster, in the data directory.
pub(super) const CLUSTER: &str = "cluster";
/// The start of the name that PostgreSQL gives its socket. The port follows.
pub(super) const SOCKET_PREFIX: &str = ".s.PGSQL.";
/// The longest path of a socket that every system accepts, in bytes.
const SOCKET_PATH_LIMIT: usize = 100;
/// The longest time to wait for the lock: a killed process still holds it for a moment.
const LOCK_LIMIT: Duration = Duration::from_millis(500);

/// The data directory, locked for this process.
#[derive(Debug)]
pub(super) struct DataDirectory {
    pub(super) data_dir: PathBuf,
    pub(super) cluster: PathBuf,
    _lock: File,
    user: Option<User>,
}

/// The user that the server runs as when this process runs as root.
#[derive(Debug)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl DataDirectory {
    /// Creates the data directory if it does not exist, and locks it.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        let data_dir = create_data_dir(data_dir).map_err(io_error("create", data_dir))?;
        let lock = lock(&data_dir)?;
        let cluster = data_dir.join(CLUSTER);
        let user = server_user(&cluster)?;
        Ok(Self { data_dir, cluster, _lock: lock, user })
    }

    /// Returns the major version of PostgreSQL that created the cluster, if there is one.
    pub(super) fn cluster_version(&self) -> Result<Option<u32>, PrivatePostgresError> {
        if !self.cluster.exists() {
            return Ok(None);
        }
        let path = self.cluster.join("PG_VERSION");
        fs::read_to_string(&path)
            .and_then(|text| text.trim().parse().map_err(io::Error::other))
            .map(Some)
            .map_err(io_error("read the version in", path))
    }

    /// Returns a command that runs as the server's user. Its environment has no secrets and no settings of PostgreSQL.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env_clear().env("LC_ALL", "C");
        for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        if let Some(user) = &self.user {
            // When root changes the user, the command also loses root's supplementary groups.
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Checks that the server's user can enter the data directory and the directory of the programs. A shell that runs as
    /// that user tries each.
    pub(super) fn check_access(&self, bin_dir: &Path) -> Result<(), PrivatePostgresError> {
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
        Err(PrivatePostgresError::Unreachable {
            user: user.name.clone(),
            blocked: OsString::from_vec(output.stdout).into(),
        })
    }

    /// Creates an empty directory for a new cluster. Removes one that an earlier attempt left unfinished.
    pub(super) fn create_unfinished_cluster(&self) -> Result<PathBuf, PrivatePostgresError> {
        let unfinished = self.data_dir.join("cluster.new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(io_error("remove", &unfinished))?;
        }
        self.create_private_dir(&unfinished)?;
        Ok(unfinished)
    }

    /// Creates the directory of the socket in the data directory, or in a temporary directory if the path would be too long
    /// or has a comma, at which both the server and its clients would split it.
    pub(super) fn create_socket_dir(&self) -> Result<PathBuf, PrivatePostgresError> {
        let data_dir = self.data_dir.as_os_str().as_bytes();
        let name = format!("kuntatutorit-{:016x}", hash(data_dir));
        let fallback = Path::new("/tmp").join(&name);
        let fits = |dir: &PathBuf| {
            let socket = dir.join(format!("{SOCKET_PREFIX}65535")).into_os_string().into_vec();
            socket.len() <= SOCKET_PATH_LIMIT && !socket.contains(&b',')
        };
        let mut choices = vec![self.data_dir.join("socket")];
        // The server's user may be unable to enter root's own temporary directory.
        if self.user.is_none() {
            choices.push(env::temp_dir().join(name));
        }
        let dir = choices.into_iter().find(fits).unwrap_or(fallback);
        self.create_private_dir(&dir)?;
        Ok(dir)
    }

    /// Creates a directory that only the server's user can enter. If it exists, it must already be such a directory: in a
    /// temporary directory, another user may have created it to pose as the server.
    fn create_private_dir(&self, path: &Path) -> Result<(), PrivatePostgresError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_error("create", path)(cause));
            }
            _ => {}
        }
        let ours = geteuid().as_raw();
        let (uid, gid) = self.user.as_ref().map_or((ours, None), |user| (user.uid, Some(user.gid)));
        let found = fs::symlink_metadata(path).map_err(io_error("inspect", path))?;
        let private = found.is_dir() && found.mode() & 0o777 == 0o700;
        if private && found.uid() == ours && uid != ours {
            return chown(path, Some(uid), gid).map_err(io_error("change the owner of", path));
        }
        if private && found.uid() == uid {
            return Ok(());
        }
        Err(PrivatePostgresError::NotPrivate { path: path.to_owned() })
    }
}

/// Creates the data directory with its parents, and returns its real path.
fn create_data_dir(path: &Path) -> io::Result<PathBuf> {
    let missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(missing).collect();
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(cause) if !dir.is_dir() => return Err(cause),
            _ => allow_server_user_to_enter(dir)?,
        }
    }
    let path = fs::canonicalize(path)?;
    // A directory that is already in use keeps the permissions that its owner gave it.
    if fs::read_dir(&path)?.next().is_none() {
        allow_server_user_to_enter(&path)?;
    }
    Ok(path)
}

/// Lets the server's user enter the directory when this process runs as root.
fn allow_server_user_to_enter(dir: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let mut permissions = fs::metadata(dir)?.permissions();
    permissions.set_mode(permissions.mode() | 0o011);
    fs::set_permissions(dir, permissions)
}

/// Locks the directory for this process until the file is closed.
fn lock(data_dir: &Path) -> Result<File, PrivatePostgresError> {
    let path = data_dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error("open", &path))?;
    if !lock_within(LOCK_LIMIT, &file, &AtomicBool::new(false)).map_err(io_error("lock", &path))? {
        let mut process = String::new();
        // The process id only helps the reader of the error. The lock decides.
        let _ = file.read_to_string(&mut process);
        return Err(PrivatePostgresError::InUse { data_dir: data_dir.to_owned(), process: process.trim().to_owned() });
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).map_err(io_error("write", &path))?;
    Ok(file)
}

/// Returns the user to run the server as. It is the user of this process (`None`) unless that is root. For root it is the
/// owner of the cluster, or else `postgres` or `nobody`.
fn server_user(cluster: &Path) -> Result<Option<User>, PrivatePostgresError> {
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
    user.map(Some).ok_or(PrivatePostgresError::NoServerUser)
}

/// Returns the user in a line of `/etc/passwd`.
fn user_in(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    Some(User { name: fields.next()?.to_owned(), uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

/// Returns the FNV-1a hash, which is the same in every build of the program.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
