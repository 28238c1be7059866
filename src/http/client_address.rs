//! The caller's network address, through the proxies that are trusted and no others.

use std::net::IpAddr;

use actix_web::{HttpRequest, http::header, web::Data};

use crate::config::Config;

/// The address that the request came from: the last one in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is
/// not a trusted proxy, if the connection itself comes from one.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let trusted = request.app_data::<Data<Config>>().map_or(&[][..], |config| &config.trusted_proxies);
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let mut chain = forwarded(request);
    if chain.is_empty() {
        chain = listed(request, "x-forwarded-for");
    }
    // The nearest proxy wrote the end of the chain; what an unreadable entry hides cannot be believed.
    for address in chain.into_iter().rev() {
        match address {
            Some(address) if trusted.contains(&address) => {}
            Some(address) => return Some(address),
            None => break,
        }
    }
    Some(peer)
}

fn forwarded(request: &HttpRequest) -> Vec<Option<IpAddr>> {
    let values = request.headers().get_all(header::FORWARDED).filter_map(|value| value.to_str().ok());
    let of = |element: &str| {
        element.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for").then(|| parse(value))
        })
    };
    values.flat_map(|value| value.split(',')).map(|element| of(element).flatten()).collect()
}

fn listed(request: &HttpRequest, name: &str) -> Vec<Option<IpAddr>> {
    let values = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(parse).collect()
}

/// An address with or without port, quotes and brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    bare.parse().ok().or_else(|| bare.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
}
