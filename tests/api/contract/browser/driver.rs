//! A headless Chromium, driven by chromedriver over WebDriver (W3C).

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::skipped::skipped;

/// How long to wait for an element to appear on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The Tab key in WebDriver's encoding. Some pages read a field only when it loses the focus.
const TAB: char = '\u{e004}';

/// A browser with one page. It ends when this is dropped.
pub(super) struct Browser {
    driver: Child,
    address: String,
    session: String,
    http: reqwest::Client,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser. Returns `None` and prints a notice if there is no Chromium or no chromedriver.
    pub(super) async fn open() -> Option<Self> {
        let (Some(chromium), Some(chromedriver)) = (chromium(), find("chromedriver")) else {
            skipped("a test in a real browser", "chromium or chromedriver is not installed");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let wanted = capabilities(&chromium, profile.path().to_str().unwrap());
        let mut driver = Command::new(chromedriver).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let address = format!("127.0.0.1:{}", port(&mut driver));
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
            http: reqwest::Client::builder().timeout(PATIENCE * 2).build().unwrap(),
            _profile: profile,
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = browser.request(Method::POST, "/session", &wanted).await;
        browser.session = format!("/session/{}", opened["sessionId"].as_str().unwrap());
        Some(browser)
    }

    pub(super) async fn go(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// Runs the body of an asynchronous JavaScript function and returns its result.
    pub(super) async fn run(&self, script: &str, arguments: Value) -> Value {
        self.command("/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// Clicks the first element that matches, once it exists.
    pub(super) async fn click(&self, css: &str) {
        let element = self.element(css).await;
        self.run("arguments[0].click()", json!([element])).await;
    }

    /// Replaces the content of the first element that matches, and leaves the field.
    pub(super) async fn write(&self, css: &str, text: &str) {
        let element = self.element(css).await;
        let id = element.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.command(&format!("/element/{id}/clear"), json!({})).await;
        self.command(&format!("/element/{id}/value"), json!({ "text": format!("{text}{TAB}") })).await;
    }

    /// Returns the text of the first element that matches, once it exists.
    pub(super) async fn text(&self, css: &str) -> String {
        let element = self.element(css).await;
        self.run("return arguments[0].textContent", json!([element])).await.as_str().unwrap().to_owned()
    }

    /// Returns the errors and warnings of the console.
    pub(super) async fn console_errors(&self) -> Vec<String> {
        let bad = |entry: &Value| ["SEVERE", "WARNING"].contains(&entry["level"].as_str().unwrap());
        let log = self.log("browser").await;
        log.iter().filter(|entry| bad(entry)).map(|entry| entry["message"].to_string()).collect()
    }

    /// Returns the addresses that the page requested over the network.
    pub(super) async fn requests(&self) -> Vec<String> {
        let messages = self.log("performance").await;
        let messages = messages.iter().map(|entry| serde_json::from_str(entry["message"].as_str().unwrap()).unwrap());
        let sent = messages.filter(|message: &Value| message["message"]["method"] == "Network.requestWillBeSent");
        let urls = sent.map(|message| message["message"]["params"]["request"]["url"].as_str().unwrap().to_owned());
        // The browser's own pages and `data:` addresses need no network.
        urls.filter(|url| url.starts_with("http") || url.starts_with("ws")).collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        self.command("/se/log", json!({ "type": kind })).await.as_array().unwrap().clone()
    }

    /// Waits for an element to exist. The driver does the waiting.
    async fn element(&self, css: &str) -> Value {
        self.command("/element", json!({ "using": "css selector", "value": css })).await
    }

    async fn command(&self, command: &str, body: Value) -> Value {
        self.request(Method::POST, &format!("{}{command}", self.session), &body).await
    }

    async fn request(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.http.request(method, format!("http://{}{path}", self.address)).json(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{path} {body}: {} {}", value["error"], value["message"]);
        value.clone()
    }
}

impl Drop for Browser {
    /// The driver closes the browser together with the session, before it answers.
    fn drop(&mut self) {
        let end = format!("DELETE {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", self.session);
        if let Ok(mut stream) = TcpStream::connect(&self.address) {
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = stream.write_all(end.as_bytes());
            let _ = stream.read(&mut [0; 1024]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Returns the port that the driver listens on.
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
    let started = lines.find(|line| line.contains("started successfully on port ")).unwrap();
    started.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap()
}

/// Settings for a new and empty browser that makes no requests of its own.
fn capabilities(chromium: &str, profile: &str) -> Value {
    let mut arguments = vec![
        "--headless".to_owned(),
        "--disable-gpu".into(),
        "--disable-dev-shm-usage".into(),
        "--disable-quic".into(),
        "--no-first-run".into(),
        "--disable-background-networking".into(),
        "--disable-component-update".into(),
        "--disable-sync".into(),
        format!("--user-data-dir={profile}"),
    ];
    if rustix::process::geteuid().is_root() {
        arguments.push("--no-sandbox".into());
    }
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": chromium, "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "implicit": PATIENCE.as_millis(), "script": PATIENCE.as_millis() }
    })
}

fn chromium() -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    let found = names.into_iter().find_map(find).or_else(|| mac.exists().then_some(mac));
    found.map(|path| path.to_str().unwrap().to_owned())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}
