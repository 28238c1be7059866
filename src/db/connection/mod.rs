//! Opening connections to PostgreSQL. Every connection of the service is opened here.

mod conn;
mod establish;
mod pool;
mod pooler;
mod session;

pub(super) use self::establish::establish_with;
pub use self::{conn::Conn, establish::establish, pool::pool, pooler::require_session_pooling};
