//! Roles without special rights: one that owns the database, and a weaker one for serving.

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};

use crate::support::{
    databases::empty_database,
    process::{Service, outcome, program_on},
};

/// The roles as docs/operations.md creates them, with names of their own for each run of this test.
fn roles(database: &str) -> (String, String, String) {
    let (owner, server) = (format!("owner_{database}"), format!("server_{database}"));
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let (_, block) = guide.split_once("```sql\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    // PostgreSQL's \c is psql's.
    let commands = block.replace("kunta_owner", &owner).replace("kunta_service", &server);
    (owner, server, commands)
}

#[tokio::test]
async fn the_documented_roles_can_migrate_and_serve() {
    let url = empty_database();
    let database = url.rsplit('/').next().unwrap().to_owned();
    let (owner, server, commands) = roles(&database);
    let commands = commands.replace("DATABASE kuntatutorit", &format!("DATABASE {database}"));
    let mut superuser = AsyncPgConnection::establish(&url).await.unwrap();
    superuser.batch_execute(&commands).await.unwrap();
    let (owner_url, server_url) =
        (url.replace("postgres@", &format!("{owner}@")), url.replace("postgres@", &format!("{server}@")));

    let refused = outcome(&server_url, &["migrate"], "");
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && text.contains("MIGRATION_DATABASE_URL"), "{text}");

    let mut program = program_on(&server_url);
    program.env("MIGRATION_DATABASE_URL", &owner_url).env("PUBLIC_READ", "true");
    let service = Service::start(program);
    service.anonymous().get("/readyz").await.expect(200);
    let municipalities = service.anonymous().get("/v1/municipalities?limit=100").await.expect(200);
    assert_eq!(municipalities.body["items"].as_array().unwrap().len(), 26);

    // Functions that run with the rights of the owner see no table of the caller.
    let mut weaker = AsyncPgConnection::establish(&server_url).await.unwrap();
    let refused = weaker.batch_execute("create temporary table ledger_epochs (ordinal int)").await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    let own = "create temporary table ledger_epochs (like public.ledger_epochs); insert into ledger_epochs values \
               (1, gen_random_uuid(), true, 0, 0, 0, 0, 0, now()); \
               do $$ begin assert is_ledger_epoch_current(); end $$";
    superuser.batch_execute(own).await.unwrap();

    // Once migrated, the weaker role is enough.
    drop(service);
    let added = ["account", "add", "--role", "coordinator", "--email", "a@b.example"];
    let output = outcome(&server_url, &added, "salasana on pitkä\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verified = outcome(&server_url, &["verify"], "");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test]
async fn one_ordinary_role_is_enough() {
    let url = empty_database();
    let database = url.rsplit('/').next().unwrap().to_owned();
    let owner = format!("only_{database}");
    let mut superuser = AsyncPgConnection::establish(&url).await.unwrap();
    let commands = format!("create role {owner} login; alter database {database} owner to {owner}");
    superuser.batch_execute(&commands).await.unwrap();
    let mut program = program_on(&url.replace("postgres@", &format!("{owner}@")));
    program.env("PUBLIC_READ", "true");
    let service = Service::start(program);
    service.anonymous().get("/readyz").await.expect(200);
    service.anonymous().get("/v1/events").await.expect(200);
}
