//! The contract: the OpenAPI document, the database schema, and the rules that hold for every operation.

mod any_input;
mod bounds;
mod browser;
mod command_line;
mod document;
mod document_schemas;
mod env_file;
mod every_path;
mod every_resource;
mod generated_data;
mod idempotency;
mod lists;
mod moved_clock;
mod references;
mod registry;
mod structure;
mod value_rules;
