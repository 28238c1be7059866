//! Trace ids of callers (W3C Trace Context). The service only writes them to the log, so that an operator finds the lines that
//! belong to a trace; it trusts them for nothing else.

use actix_web::dev::ServiceRequest;

/// The header that carries the id.
const TRACEPARENT: &str = "traceparent";
/// The length of a header of version 00: version, trace id, parent id and flags, with hyphens in between.
const LENGTH: usize = 55;

/// Returns the trace id of a request: 32 lower-case hexadecimal digits; none when there is no valid `traceparent`.
pub fn trace_id(request: &ServiceRequest) -> Option<String> {
    let mut values = request.headers().get_all(TRACEPARENT);
    match (values.next(), values.next()) {
        (Some(value), None) => parse(value.to_str().ok()?).map(str::to_owned),
        _ => None,
    }
}

/// Returns the trace id in a header. A later version may have more after the flags.
fn parse(header: &str) -> Option<&str> {
    let (known, rest) = header.split_at_checked(LENGTH)?;
    let parts: Vec<&str> = known.split('-').collect();
    let [version, trace_id, parent_id, flags] = parts[..] else { return None };
    let has_form = [(version, 2), (trace_id, 32), (parent_id, 16), (flags, 2)]
        .iter()
        .all(|(part, length)| part.len() == *length && part.bytes().all(is_lower_hex));
    let is_whole = rest.is_empty() || version != "00" && rest.starts_with('-');
    let is_valid = has_form && is_whole && version != "ff" && has_digit(trace_id) && has_digit(parent_id);
    is_valid.then_some(trace_id)
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// Returns whether an id is valid: not all of its digits are zero.
fn has_digit(id: &str) -> bool {
    id.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn the_trace_id_of_a_valid_header_is_read() {
        for header in [
            format!("00-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331-ff"),
            format!("01-{TRACE}-b7ad6b7169203331-01"),
            format!("cc-{TRACE}-b7ad6b7169203331-01-what the future adds"),
        ] {
            assert_eq!(parse(&header), Some(TRACE), "{header}");
        }
    }

    #[test]
    fn other_headers_have_no_trace_id() {
        for header in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-b7ad6b7169203331"),
            format!("00-{TRACE}-b7ad6b7169203331-01-"),
            format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            format!("01-{TRACE}-b7ad6b7169203331-01more"),
            format!("ff-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-b7ad6b7169203331-0g"),
            format!("00_{TRACE}_b7ad6b7169203331_01"),
            format!("0-{TRACE}f-b7ad6b7169203331-01"),
            format!("00-{}ä-b7ad6b7169203331-01", "a".repeat(30)),
        ] {
            assert_eq!(parse(&header), None, "{header}");
        }
    }
}
