//! The network address of the caller, behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use actix_web::{HttpRequest, http::header, web::Data};
use ipnet::IpNet;

use crate::config::Config;

/// Returns the address that the request came from. When the connection comes from a trusted proxy, that is the last address
/// in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not a trusted proxy.
pub fn client_address(request: &HttpRequest) -> Option<IpAddr> {
    // A socket for IPv6 and IPv4 gives an IPv4 address as one that is mapped into IPv6.
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = request.app_data::<Data<Config>>().map_or(&[][..], |config| &config.trusted_proxies);
    if !is_trusted(peer, trusted) {
        return Some(peer);
    }
    // A proxy writes one of the two headers and may pass on the other as the caller wrote it. When they disagree, the
    // service trusts neither.
    let chains = [forwarded(request), x_forwarded_for(request)];
    let mut found = chains.into_iter().filter(|chain| !chain.is_empty()).map(|chain| last_untrusted(chain, trusted));
    match (found.next().flatten(), found.next()) {
        (Some(address), None) => Some(address),
        (Some(address), Some(other)) if other == Some(address) => Some(address),
        _ => Some(peer),
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// Returns the last address of a chain that is not a trusted proxy. The nearest proxy wrote the end of the chain. Entries
/// before an unreadable one are not trusted.
fn last_untrusted(chain: Vec<Option<IpAddr>>, trusted: &[IpNet]) -> Option<IpAddr> {
    chain.into_iter().rev().find(|address| address.is_none_or(|address| !is_trusted(address, trusted))).flatten()
}

fn forwarded(request: &HttpRequest) -> Vec<Option<IpAddr>> {
    let values = request.headers().get_all(header::FORWARDED).filter_map(|value| value.to_str().ok());
    let address_of = |element: &str| {
        element.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for").then(|| parse(value))
        })
    };
    values.flat_map(|value| value.split(',')).map(|element| address_of(element).flatten()).collect()
}

fn x_forwarded_for(request: &HttpRequest) -> Vec<Option<IpAddr>> {
    let values = request.headers().get_all(header::X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(parse).collect()
}

/// Parses an address with or without a port, quotes and brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let address: Option<IpAddr> =
        bare.parse().ok().or_else(|| bare.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}
