//! The route of a request.

use std::{cell::OnceCell, rc::Rc};

use actix_web::{HttpMessage as _, HttpRequest};

/// In a request's extensions: the template of its route, such as `/v1/tutors/{id}`, once it has been routed. To match the
/// path anew would cost as much as to route it.
#[derive(Clone, Debug, Default)]
pub struct Route(Rc<OnceCell<String>>);

impl Route {
    /// The route of this request; `none` when there is none.
    pub fn of(request: &HttpRequest) -> Self {
        let route = request.extensions().get::<Self>().cloned().unwrap_or_default();
        route.0.get_or_init(|| request.match_pattern().unwrap_or_else(|| "none".to_owned()));
        route
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        self.0.get().map_or("none", String::as_str)
    }
}
