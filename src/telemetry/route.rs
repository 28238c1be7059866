//! Routes of requests, for the log and the metrics.

use std::{cell::OnceCell, rc::Rc};

use actix_web::{HttpMessage as _, HttpRequest};

/// The template of a request's route, such as `/v1/tutors/{id}`. Once the request has been routed, the extensions of the
/// request store it, because matching the path again would cost as much as routing it.
#[derive(Clone, Debug, Default)]
pub struct Route(Rc<OnceCell<String>>);

impl Route {
    /// Returns the route of this request; it is `none` for a path that the service does not have.
    pub fn of(request: &HttpRequest) -> Self {
        let route = request.extensions().get::<Self>().cloned().unwrap_or_default();
        route.0.get_or_init(|| request.match_pattern().unwrap_or_else(|| "none".to_owned()));
        route
    }

    /// Returns the template.
    pub fn as_str(&self) -> &str {
        self.0.get().map_or("none", String::as_str)
    }
}
