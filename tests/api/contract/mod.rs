//! The contract: the OpenAPI document, the database schema, and the rules that hold for every operation.

mod any_input;
mod bounds;
mod browser;
mod command_line;
mod cors;
mod document;
mod document_schemas;
mod entity_tags;
mod env_file;
mod every_path;
mod every_resource;
mod examples;
mod generated_data;
mod idempotency;
mod lists;
mod moved_clock;
mod negotiation;
mod new_lines;
mod old_clients;
mod references;
mod registry;
mod same_answer;
mod starting;
mod structure;
mod value_rules;
