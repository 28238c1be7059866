//! PostgreSQL as operators have it: with TLS, several hosts, a pooler, or a role that is no superuser.

mod failover;
mod poolers;
mod roles;
mod settings;
mod tls;
mod tls_service;
