//! Admission to password hashing: how many sign-ins may hash or wait to hash at a time, and from where.
//!
//! An address gets another place while it holds fewer than half as many places as are free, and its network fewer than are
//! free. So a few addresses with any number of connections never take all places: the more they hold, the more is left
//! for the others. Two such addresses hold a quarter of the places each in the long run.
//!
//! An attacker with as many networks as there are places can take them all. Therefore further places are kept for addresses
//! from which an account has signed in before.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use super::network_address::{NetworkAddress, Prefix};

/// The places for everybody.
pub const PLACES: usize = 128;
/// The places that are kept for addresses from which an account has signed in before.
pub const KEPT_PLACES: usize = 32;

/// The places of one instance.
#[derive(Debug)]
pub struct HashingPlaces {
    for_all: Arc<Mutex<Holders>>,
    kept: Arc<Mutex<Holders>>,
}

/// The permission to hash a password. Dropping it makes room for another one.
#[derive(Debug)]
pub struct Place {
    holders: Arc<Mutex<Holders>>,
    address: NetworkAddress,
    is_known: bool,
}

/// How many places each address and each network hold. Those that hold none are not in the maps.
#[derive(Debug)]
struct Holders {
    free: usize,
    by_address: HashMap<NetworkAddress, usize>,
    by_prefix: HashMap<Prefix, usize>,
}

impl Default for HashingPlaces {
    fn default() -> Self {
        let holders = |free| {
            Arc::new(Mutex::new(Holders { free, by_address: HashMap::default(), by_prefix: HashMap::default() }))
        };
        Self { for_all: holders(PLACES), kept: holders(KEPT_PLACES) }
    }
}

impl HashingPlaces {
    /// Returns a place for this address, or none when it or its network already holds its share.
    pub fn admit(&self, address: NetworkAddress) -> Option<Place> {
        take(&self.for_all, address, false)
    }

    /// Returns a place for an address from which an account has signed in before.
    pub fn admit_known(&self, address: NetworkAddress) -> Option<Place> {
        self.admit(address).or_else(|| take(&self.kept, address, true)).map(|place| place.known(true))
    }
}

fn take(holders: &Arc<Mutex<Holders>>, address: NetworkAddress, is_known: bool) -> Option<Place> {
    let mut locked = holders.lock().unwrap_or_else(PoisonError::into_inner);
    locked.take(address).then(|| Place { holders: Arc::clone(holders), address, is_known })
}

impl Holders {
    /// Takes a place for this address, if its share allows it.
    fn take(&mut self, address: NetworkAddress) -> bool {
        let of_address = self.by_address.get(&address).copied().unwrap_or_default();
        let of_prefix = self.by_prefix.get(&address.prefix()).copied().unwrap_or_default();
        let is_within_share = (of_address == 0 || 2 * of_address < self.free) && of_prefix < self.free;
        if is_within_share {
            self.free -= 1;
            self.by_address.insert(address, of_address + 1);
            self.by_prefix.insert(address.prefix(), of_prefix + 1);
        }
        is_within_share
    }

    fn give_back(&mut self, address: NetworkAddress) {
        self.free += 1;
        decrement(&mut self.by_address, &address);
        decrement(&mut self.by_prefix, &address.prefix());
    }
}

fn decrement<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    match counts.get_mut(key) {
        Some(count) if *count > 1 => *count -= 1,
        _ => drop(counts.remove(key)),
    }
}

impl Place {
    /// Returns the place for a caller whose address is known or not.
    #[must_use]
    pub fn known(mut self, is_known: bool) -> Self {
        self.is_known |= is_known;
        self
    }

    /// Returns whether an account has signed in from the address before.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Returns the address that holds the place.
    pub fn address(&self) -> NetworkAddress {
        self.address
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).give_back(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> NetworkAddress {
        NetworkAddress::of(Some(text.parse().unwrap()))
    }

    /// Asks for this many places for each of these addresses in turn, and returns those that it got.
    fn ask(places: &HashingPlaces, times: usize, addresses: &[&str]) -> Vec<Place> {
        let turns = (0..times).flat_map(|_| addresses);
        turns.filter_map(|text| places.admit(address(text))).collect()
    }

    #[test]
    fn one_address_gets_enough_for_an_office_and_leaves_most_to_others() {
        let places = HashingPlaces::default();
        let held = ask(&places, 200, &["203.0.113.7"]);
        assert_eq!(held.len(), 43);
        assert_eq!(ask(&places, 20, &["198.51.100.9"]).len(), 20);
    }

    #[test]
    fn two_addresses_leave_room_for_twenty_sign_ins_of_a_third() {
        let places = HashingPlaces::default();
        let held = ask(&places, 200, &["203.0.113.7", "2001:db8::7"]);
        assert_eq!(held.len(), 64);
        assert_eq!(ask(&places, 20, &["198.51.100.9"]).len(), 20);
    }

    #[test]
    fn any_number_of_addresses_in_one_network_leave_half_of_the_places() {
        let places = HashingPlaces::default();
        let of_v4: Vec<_> = (0..200).map(|n| format!("203.0.113.{n}")).collect();
        let of_v6: Vec<_> = (0..200).map(|n| format!("2001:db8:7:{n}::1")).collect();
        for network in [of_v4, of_v6] {
            let network: Vec<_> = network.iter().map(String::as_str).collect();
            let held = ask(&places, 2, &network);
            assert_eq!(held.len(), 64);
            assert!(places.admit(address("198.51.100.9")).is_some());
        }
    }

    #[test]
    fn every_network_up_to_the_number_of_places_gets_one_and_known_addresses_get_one_beyond() {
        let places = HashingPlaces::default();
        let networks: Vec<_> = (0..PLACES + 50).map(|n| format!("10.{}.{}.7", n / 256, n % 256)).collect();
        let networks: Vec<_> = networks.iter().map(String::as_str).collect();
        let held = ask(&places, 3, &networks);
        assert_eq!(held.len(), PLACES);
        let home = address("198.51.100.9");
        assert!(places.admit(home).is_none());
        let kept: Vec<_> = (0..20).filter_map(|_| places.admit_known(home)).collect();
        assert!(kept.len() > 5 && places.admit_known(address("192.0.2.1")).is_some(), "{}", kept.len());
    }

    #[test]
    fn places_that_are_given_back_can_be_taken_again() {
        let places = HashingPlaces::default();
        for _ in 0..3 {
            assert_eq!(ask(&places, 200, &["203.0.113.7"]).len(), 43);
        }
        let holders = places.for_all.lock().unwrap();
        assert_eq!((holders.free, holders.by_address.len(), holders.by_prefix.len()), (PLACES, 0, 0));
    }
}
