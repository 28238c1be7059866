//! Registers operations: in each worker to serve them, and once to describe them in the API document.

use actix_web::{dev::HttpServiceFactory, web::ServiceConfig};
use utoipa_actix_web::{OpenApiFactory, service_config::ServiceConfig as DescribedConfig};

/// The registry that operations are added to.
///
/// Describing the operations takes some megabytes and a third of the start-up time, so the workers do not do it.
pub enum Routes<'a, 'd> {
    /// The routes of a worker.
    Served(&'a mut ServiceConfig),
    /// The API document.
    Described(&'a mut DescribedConfig<'d>),
}

impl Routes<'_, '_> {
    /// Registers an operation.
    pub fn service(&mut self, operation: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        match self {
            Self::Served(config) => {
                config.service(operation);
            }
            Self::Described(config) => {
                config.service(operation);
            }
        }
        self
    }

    /// Registers the operations of a resource.
    pub fn configure(&mut self, routes: impl FnOnce(&mut Routes<'_, '_>)) -> &mut Self {
        routes(self);
        self
    }
}
