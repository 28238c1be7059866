//! Middleware that adds the headers of every response.

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use crate::{
    config::Config,
    http::input::caller::Public,
    shutdown::Stopping,
    telemetry::request_id::{RequestId, X_REQUEST_ID},
};

const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const DOCUMENTATION_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Adds the headers of every response.
pub async fn add_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let conditions = HeaderConditions::of(&request);
    match next.call(request).await {
        Ok(response) => {
            let (request, mut response) = response.map_into_boxed_body().into_parts();
            let is_public = is_public(&request, response.status());
            conditions.add_headers(&mut response, is_public);
            Ok(ServiceResponse::new(request, response))
        }
        Err(mut error) => {
            error.add_response_mapper(move |mut response| {
                conditions.add_headers(&mut response, false);
                response
            });
            Err(error)
        }
    }
}

/// Returns whether the response is the same for everybody, so that caches may share it.
fn is_public(request: &HttpRequest, status: StatusCode) -> bool {
    request.extensions().get::<Public>().is_some() && (status.is_success() || status == StatusCode::NOT_MODIFIED)
}

/// The properties of the request on which the headers of its response depend.
struct HeaderConditions {
    request_id: RequestId,
    is_documentation: bool,
    is_https: bool,
    is_stopping: bool,
}

impl HeaderConditions {
    fn of(request: &ServiceRequest) -> Self {
        Self {
            request_id: RequestId::of(request),
            is_documentation: request.path().starts_with("/docs") || ["/", "/openapi.json"].contains(&request.path()),
            is_https: request.app_data::<Data<Config>>().is_some_and(|config| config.public_url.starts_with("https:")),
            is_stopping: request.app_data::<Data<Stopping>>().is_some_and(|stopping| stopping.has_begun()),
        }
    }

    // `const` blocks check the fixed values at compile time, and not for each response.
    fn add_headers(&self, response: &mut HttpResponse, is_public: bool) {
        if self.is_stopping {
            // The shutdown would cut a connection that is kept alive in the middle of its next request.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        let headers = response.headers_mut();
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
            headers.remove(header::CONTENT_ENCODING);
        }
        if let Ok(id) = HeaderValue::from_str(self.request_id.as_str()) {
            headers.insert(const { HeaderName::from_static(X_REQUEST_ID) }, id);
        }
        let policy = if self.is_documentation {
            const { HeaderValue::from_static(DOCUMENTATION_POLICY) }
        } else {
            const { HeaderValue::from_static(API_POLICY) }
        };
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, const { HeaderValue::from_static("nosniff") });
        headers.insert(header::REFERRER_POLICY, const { HeaderValue::from_static("no-referrer") });
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if self.is_https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, const { HeaderValue::from_static("max-age=31536000") });
        }
        if !headers.contains_key(header::CACHE_CONTROL) {
            let caching = match (self.is_documentation, is_public) {
                (true, _) => const { HeaderValue::from_static("public, max-age=300") },
                (false, true) => const { HeaderValue::from_static("public, max-age=60") },
                (false, false) => const { HeaderValue::from_static("private, no-store") },
            };
            headers.insert(header::CACHE_CONTROL, caching);
        }
        merge_vary(headers);
    }
}

/// Writes one `Vary`. A response always depends on the caller and on the encodings that it accepts.
fn merge_vary(headers: &mut HeaderMap) {
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, const { HeaderValue::from_static("Authorization, Accept-Encoding") });
        return;
    }
    let mut names = vec!["Authorization".to_owned(), "Accept-Encoding".to_owned()];
    let present = headers.get_all(header::VARY).filter_map(|value| value.to_str().ok());
    for name in present.flat_map(|value| value.split(',')).map(str::trim) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(header::VARY, names);
    }
}
