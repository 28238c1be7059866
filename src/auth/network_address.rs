//! The network addresses of callers, as sign-in and the rate limits count them.

use std::net::{IpAddr, Ipv4Addr};

use sha2::{Digest as _, Sha256};

/// The network address of a caller and the network around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkAddress {
    /// An IPv4 address or an IPv6 /64 network, which is what one subscriber has; none when it is unknown.
    address: Option<IpAddr>,
    /// The IPv4 /24 or IPv6 /48 network around it, which is what one organisation or one attacker usually has.
    prefix: Option<IpAddr>,
}

/// An IPv4 /24 or IPv6 /48 network; none when the address of the caller is unknown.
pub type Prefix = Option<IpAddr>;

impl NetworkAddress {
    /// Returns the network address of a caller. An IPv4 address that is mapped into IPv6 counts as the IPv4 address.
    pub fn of(caller: Option<IpAddr>) -> Self {
        let caller = caller.map(|address| address.to_canonical());
        let prefix = caller.map(|address| match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00)),
            IpAddr::V6(_) => first_segments(address, 3),
        });
        Self { address: caller.map(|address| first_segments(address, 4)), prefix }
    }

    /// Returns the network around the address.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// Returns the address; none when it is unknown.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns the address as text.
    pub fn address_text(&self) -> String {
        text(self.address)
    }

    /// Returns the network around the address as text.
    pub fn prefix_text(&self) -> String {
        text(self.prefix)
    }

    /// Returns the hash of the address, as known addresses are stored; none when the address is unknown.
    pub fn hash(&self) -> Option<Vec<u8>> {
        self.address.map(|address| Sha256::digest(address.to_string()).to_vec())
    }
}

fn text(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

/// Returns an IPv6 address with all but its first segments of 16 bits set to zero. An IPv4 address stays as it is.
fn first_segments(address: IpAddr, count: usize) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let mut segments = v6.segments();
    segments.iter_mut().skip(count).for_each(|segment| *segment = 0);
    IpAddr::from(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_counted_by_subscriber_and_by_network() {
        for (caller, address, prefix) in [
            ("203.0.113.7", "203.0.113.7", "203.0.113.0"),
            ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1::"),
            ("2001:db8:1:ffff::1", "2001:db8:1:ffff::", "2001:db8:1::"),
            ("::1", "::", "::"),
        ] {
            let of = NetworkAddress::of(Some(caller.parse().unwrap()));
            assert_eq!((&*of.address_text(), &*of.prefix_text()), (address, prefix), "{caller}");
        }
        assert_eq!(NetworkAddress::of(None).address_text(), "unknown");
    }
}
