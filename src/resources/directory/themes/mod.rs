//! Themes: subjects of digital support, and forms in which it is given. A theme is identified by its slug.

mod api;
pub mod model;
pub mod scopes;
pub mod store;

use crate::http::routes::Routes;

pub(in crate::resources) fn routes(config: &mut Routes<'_, '_>) {
    config
        .service(api::list_themes)
        .service(api::create_theme)
        .service(api::get_theme)
        .service(api::replace_theme)
        .service(api::patch_theme)
        .service(api::delete_theme);
}
