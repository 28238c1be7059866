//! Load from `wrk`. Each measurement has a Lua script, which prints its counts in one line at the end.

use std::{fmt::Write as _, process::Command};

use super::cost::Usage;

/// The result of one run of wrk, with the CPU time that it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    /// The median latency in milliseconds.
    pub(crate) p50: f64,
    /// The 99th percentile of the latency in milliseconds.
    pub(crate) p99: f64,
    /// The CPU time of the server for each request, in microseconds.
    pub(crate) server: f64,
    /// The CPU time of PostgreSQL for each request, in microseconds.
    pub(crate) postgres: f64,
    /// The share of requests that got a status of 400 or more, or no response.
    pub(crate) failed: f64,
}

/// A server under load: its URL, and the ids of its process and of the postmaster.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) server: u32,
    pub(crate) postmaster: u32,
}

/// The end of every script: prints the counts.
const DONE: &str = "
done = function(summary, latency)
  local e = summary.errors
  print(string.format('RESULT %d %d %f %f %d', summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, e.status + e.connect + e.read + e.write + e.timeout))
end
";

/// Sends the requests of the script for this many seconds over this many connections.
pub(crate) fn run(target: &Target, script: &str, connections: u32, seconds: f64) -> Sample {
    let file = tempfile::NamedTempFile::with_suffix(".lua").unwrap();
    std::fs::write(file.path(), format!("{script}{DONE}")).unwrap();
    let usage = || (Usage::of_process(target.server), Usage::of_postgres(target.postmaster));
    let (server, postgres) = usage();
    let duration = format!("{}s", seconds.ceil());
    let output = Command::new("wrk")
        .args(["-t1", "-c", &connections.to_string(), "-d", &duration, "--timeout", "10s", "-s"])
        .arg(file.path())
        .arg(&target.url)
        .output()
        .unwrap();
    let (server_after, postgres_after) = usage();
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed.lines().find_map(|line| line.strip_prefix("RESULT "));
    let line = line.unwrap_or_else(|| panic!("wrk printed: {printed}{}", String::from_utf8_lossy(&output.stderr)));
    let figures: Vec<f64> = line.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [requests, micros, p50, p99, failed] = figures[..] else { panic!("{line}") };
    let each = |now: Usage, then: &Usage| now.since(then).as_secs_f64() * 1e6 / requests;
    Sample {
        per_second: requests / (micros / 1e6),
        p50,
        p99,
        server: each(server_after, &server),
        postgres: each(postgres_after, &postgres),
        failed: failed / requests,
    }
}

/// Returns a script that sends these requests in turn. `@N@` in a body or a header becomes a number that is never repeated.
pub(crate) fn script(run: u64, requests: &[Request]) -> String {
    let mut lua = format!("local run, n = {run}, 0\nlocal requests = {{\n");
    for Request { method, path, headers, body } in requests {
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("[{name:?}]={}", quoted(value))).collect();
        let body = body.as_ref().map_or("nil".to_owned(), |body| quoted(body));
        let _ = writeln!(lua, "{{{method:?},{},{{{}}},{body}}},", quoted(path), headers.join(","));
    }
    lua.push_str("}\n");
    lua.push_str(if requests.iter().any(Request::is_unique) { UNIQUE } else { FIXED });
    lua
}

/// Formats all requests before the first is sent, so that wrk does little for each.
const FIXED: &str = "
local ready = {}
init = function()
  for i, g in ipairs(requests) do ready[i] = wrk.format(g[1], g[2], g[3], g[4]) end
end
request = function()
  n = n % #ready + 1
  return ready[n]
end
";
/// Formats each request with a new number.
const UNIQUE: &str = "
request = function()
  n = n + 1
  local g, number = requests[(n - 1) % #requests + 1], run .. '-' .. n
  local headers = {}
  for name, value in pairs(g[3]) do headers[name] = value:gsub('@N@', number) end
  return wrk.format(g[1], g[2], headers, (g[4]:gsub('@N@', number)))
end
";

/// A request that wrk sends.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

impl Request {
    pub(crate) fn get(path: String, token: &str) -> Self {
        Self { method: "GET", path, headers: vec![("Authorization", format!("Bearer {token}"))], body: None }
    }

    pub(crate) fn post(path: &str, token: &str, body: String) -> Self {
        let request = Self { method: "POST", body: Some(body), ..Self::get(path.to_owned(), token) };
        request.with("Content-Type", "application/json")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn is_unique(&self) -> bool {
        let has = |text: &String| text.contains("@N@");
        self.body.iter().any(has) || self.headers.iter().any(|(_, value)| has(value))
    }
}

/// Returns the text as a literal of Lua.
pub(crate) fn quoted(text: &str) -> String {
    format!("[==[{text}]==]")
}
