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
    // A proxy writes one of the two headers, and may pass the other on as the caller wrote it: where they disagree,
    // neither is believed.
    let told = [forwarded(request), listed(request, "x-forwarded-for")];
    let mut told = told.into_iter().filter(|chain| !chain.is_empty()).map(|chain| nearest(chain, trusted));
    match (told.next().flatten(), told.next()) {
        (Some(address), None) => Some(address),
        (Some(address), Some(other)) if other == Some(address) => Some(address),
        _ => Some(peer),
    }
}

/// The nearest proxy wrote the end of the chain; what an unreadable entry hides cannot be believed.
fn nearest(chain: Vec<Option<IpAddr>>, trusted: &[IpAddr]) -> Option<IpAddr> {
    chain.into_iter().rev().find(|address| address.is_none_or(|address| !trusted.contains(&address))).flatten()
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
