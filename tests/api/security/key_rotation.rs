//! The operator rotates the signing key while requests flow: no request with a token of a current key fails.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;

use crate::support::{
    client::Client,
    databases::fresh_database,
    process::{Service, program_on},
};

const CALLERS: usize = 4;

/// Starts two programs with one database, one key directory and one public URL.
struct Instances {
    services: [Service; 2],
    keys: tempfile::TempDir,
    database_url: String,
    credentials: String,
}

impl Instances {
    fn start() -> Self {
        let (keys, database_url) = (tempfile::TempDir::new().unwrap(), fresh_database());
        let kuntatutorit = || {
            let mut program = program_on(&database_url);
            program.env("KEY_DIR", keys.path()).env("PUBLIC_URL", "https://kuntatutorit.example");
            program
        };
        assert!(kuntatutorit().args(["key", "generate"]).output().unwrap().status.success());
        let services = [Service::start(kuntatutorit()), Service::start(kuntatutorit())];
        let add = ["client", "add", "--name", "x", "--source", "x", "--scopes", "municipalities:read"];
        let made = String::from_utf8(kuntatutorit().args(add).output().unwrap().stdout).unwrap();
        let credentials = format!("grant_type=client_credentials&{}", made.trim().replace('\n', "&"));
        Self { services, keys, database_url, credentials }
    }

    /// Makes a key whose file is this old, and returns the file.
    fn generate(&self, age: Duration) -> PathBuf {
        let before = files(self.keys.path());
        let mut program = program_on(&self.database_url);
        program.env("KEY_DIR", self.keys.path()).args(["key", "generate"]);
        assert!(program.output().unwrap().status.success());
        let new = files(self.keys.path()).into_iter().find(|file| !before.contains(file)).unwrap();
        fs::File::options().write(true).open(&new).unwrap().set_modified(SystemTime::now() - age).unwrap();
        new
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).filter(|path| path.extension().is_some()).collect()
}

/// The key of each token that was used, and how the request ended.
type Seen = Arc<Mutex<Vec<(String, u16)>>>;

/// Signs in at one instance and reads at the other until it is told to stop.
async fn call(at: Client, elsewhere: Client, credentials: String, seen: Seen, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let token = sign_in(&at, &credentials).await;
        let status = elsewhere.with_token(&token).get("/v1/municipalities/049").await.status;
        seen.lock().unwrap().push((kid(&token), status));
    }
}

async fn sign_in(at: &Client, credentials: &str) -> String {
    let form = at.with("content-type", "application/x-www-form-urlencoded");
    let answer = form.send(Method::POST, "/v1/auth/token", Some(credentials.to_owned())).await;
    answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn kid(token: &str) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_request_fails_while_the_signing_key_is_rotated() {
    let instances = Instances::start();
    let old_file = files(instances.keys.path()).remove(0);
    let [one, other] = [0, 1].map(|at| instances.services[at].anonymous());
    let (seen, stop) = (Seen::default(), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (at, elsewhere) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
            let credentials = instances.credentials.clone();
            tokio::spawn(call(at.clone(), elsewhere.clone(), credentials, Arc::clone(&seen), Arc::clone(&stop)))
        })
        .collect();
    let old_token = sign_in(&one, &instances.credentials).await;
    let new_file = instances.generate(Duration::from_secs(57));
    let new = new_file.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap().1.to_owned();

    let began = Instant::now();
    while !seen.lock().unwrap().iter().any(|(kid, _)| kid.starts_with(&new)) {
        assert!(began.elapsed() < Duration::from_secs(15), "the new key does not sign tokens yet");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // By now every caller has a new token from one of the instances.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let readers = [0, 1].map(|at| instances.services[at].token(&old_token));
    for reader in &readers {
        reader.get("/v1/municipalities/049").await.expect(200);
    }
    fs::remove_file(old_file).unwrap();
    let removed = Instant::now();
    for reader in &readers {
        while reader.get("/v1/municipalities/049").await.status != 401 {
            assert!(removed.elapsed() < Duration::from_secs(2), "tokens of a removed key are accepted");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let (of_new, of_old): (Vec<_>, Vec<_>) = seen.iter().partition(|(kid, _)| kid.starts_with(&new));
    assert!(
        of_new.len() > 20 && of_old.len() > 20,
        "{} requests used the new key and {} the old one",
        of_new.len(),
        of_old.len()
    );
    let failed: Vec<_> = seen.iter().filter(|(_, status)| *status != 200).collect();
    assert!(failed.is_empty(), "{} of {} requests failed: {:?}", failed.len(), seen.len(), failed[0]);
}
