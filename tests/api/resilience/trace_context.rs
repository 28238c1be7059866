//! The trace id of a caller is in the log line of its request.

use std::time::{Duration, Instant};

use crate::support::{
    databases::fresh_database,
    process::{Service, program_on},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Waits until the log has a line for this request, and returns it.
async fn line_of(service: &Service, request_id: &str) -> String {
    let began = Instant::now();
    loop {
        let log = service.log();
        let found = log.lines().find(|line| line.contains(request_id) && line.contains("request answered"));
        if let Some(line) = found {
            return line.to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_valid_trace_id_is_logged_and_any_other_is_ignored() {
    for format in ["json", "human"] {
        let mut serve = program_on(&fresh_database());
        serve.env("LOG_FORMAT", format);
        let service = Service::start(serve);
        let send = |id: &str, traceparent: &str| {
            let caller = service.anonymous().with("x-request-id", id).with("traceparent", traceparent);
            async move { caller.get("/livez").await.expect(200) }
        };
        send("traced", &format!("00-{TRACE}-b7ad6b7169203331-01")).await;
        send("forged", &format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase())).await;
        let line = line_of(&service, "traced").await;
        assert!(line.contains("trace_id") && line.contains(TRACE), "{line}");
        let line = line_of(&service, "forged").await;
        assert!(!line.contains("trace_id"), "{line}");
    }
}
