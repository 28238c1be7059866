//! The address of the next page of a list, in `Link` (RFC 8288).

use actix_web::{HttpRequest, http::header::HeaderValue, web::Data};
use utoipa::openapi::{HeaderBuilder, OpenApi, RefOr, Type, path::Operation, schema::ObjectBuilder};

use crate::config::Config;

/// The parameters that say where a page begins. `from` is the one of `/v1/changes`.
const STARTS: [&str; 2] = ["cursor", "from"];

/// Returns the value of `Link` with the address of the page at this cursor: the address of this request, from there on.
pub(super) fn next_link(request: &HttpRequest, cursor: &str) -> Option<HeaderValue> {
    let base = request.app_data::<Data<Config>>().map_or("", |config| config.public_url.as_str());
    let mut link = format!("<{base}{}?", request.uri().path());
    for parameter in request.query_string().split('&').filter(|parameter| !parameter.is_empty()) {
        let name = url::form_urlencoded::parse(parameter.as_bytes()).next();
        if name.is_some_and(|(name, _)| !STARTS.contains(&&*name)) {
            link.push_str(parameter);
            link.push('&');
        }
    }
    link.push_str("cursor=");
    link.push_str(cursor);
    link.push_str(">; rel=\"next\"");
    HeaderValue::try_from(link).ok()
}

/// Describes the header at every list of the document.
pub fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let list = item.get.as_mut().filter(|operation| is_list(operation));
        if let Some(RefOr::T(response)) = list.and_then(|list| list.responses.responses.get_mut("200")) {
            let text =
                "`<address>; rel=\"next\"` with the address of the next page (RFC 8288); absent on the last page";
            let schema = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().schema(Some(schema)).description(Some(text)).build();
            response.headers.insert("Link".to_owned(), header.into());
        }
    }
}

fn is_list(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == STARTS[0]))
}
