//! Where operations are registered: to be served, by each worker, and once to be described.

use actix_web::{dev::HttpServiceFactory, web::ServiceConfig};
use utoipa_actix_web::{OpenApiFactory, service_config::ServiceConfig as DescribedConfig};

/// What becomes of the operations that are registered.
///
/// To describe them takes some megabytes and a third of the time to start: those who serve do without.
pub enum Routes<'a, 'd> {
    /// They are served.
    Served(&'a mut ServiceConfig),
    /// They are described in the document.
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

    /// Registers those of a resource.
    pub fn configure(&mut self, routes: impl FnOnce(&mut Routes<'_, '_>)) -> &mut Self {
        routes(self);
        self
    }
}
