//! Everything that is shared, built once.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::database::Address;
use crate::db;
use crate::db::engine::{DatabaseUrl, Db, Options};
use crate::db::project_key::Admission;
use crate::db::token::Token;
use crate::error::{Context as _, Result};
use crate::ingest::dictionaries::Shelf;
use crate::ingest::intake::Intake;
use crate::metrics::Metrics;
use crate::remembered::Remembered;
use crate::symbols::derived::{DERIVED_BYTES_MAX, Derived};
use crate::symbols::find::Opened;
use crate::symbols::worker::{Limits, Workers};
use crate::throttle::Throttle;

/// Keys that are remembered; one takes about 150 bytes.
const KEYS_MAX: usize = 10_000;
/// Tokens that are remembered.
const TOKENS_MAX: usize = 10_000;
/// Passwords hashed at the same time: each takes 19 MiB and a processor for 20 ms.
const PASSWORDS_AT_ONCE_MAX: usize = 2;

/// The server's shared parts. Cheap to clone; passed, never stored.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

/// What an [`App`] shares.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The database.
    pub(crate) db: Db,
    /// Uploaded files and large attachments.
    pub(crate) blobs: Blobs,
    /// The gate of the accept path.
    pub(crate) intake: Intake,
    /// What events are compressed with.
    pub(crate) dictionaries: Shelf,
    /// Child processes that open untrusted files.
    pub(crate) workers: Workers,
    /// Look-up files made of uploaded ones.
    pub(crate) derived: Derived,
    /// Look-up files that are open.
    pub(crate) opened: Opened,
    /// Time and ids.
    pub(crate) clock: Clock,
    /// What the operator decided.
    pub(crate) config: Config,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Who sleeps until there is work.
    pub(crate) wake: Wake,
    /// Cancelled when the server is asked to stop: background work ends at its next step.
    pub(crate) shutdown: CancellationToken,
    /// Secrets of this installation.
    pub(crate) secrets: Secrets,
    /// What public keys admit to.
    pub(crate) keys: Remembered<String, Option<Admission>>,
    /// Tokens by the SHA-256 of their text.
    pub(crate) tokens: Remembered<[u8; 32], Option<Arc<Token>>>,
    /// How many passwords may be hashed at the same time.
    pub(crate) passwords: Semaphore,
    /// Failed logins.
    pub(crate) throttle: Throttle,
}

/// Who sleeps until there is work.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// The digest: events were accepted.
    pub(crate) digest: Notify,
    /// The job runner: jobs were queued.
    pub(crate) jobs: Notify,
    /// Symbolication again: files arrived.
    pub(crate) resymbolicate: Notify,
    /// Housekeeping: a project has enough events for a dictionary.
    pub(crate) housekeeping: Notify,
}

/// Secrets of this installation, made at its first start.
pub(crate) struct Secrets {
    /// What forms are signed with.
    pub(crate) web: [u8; 32],
    /// What users' identities are hashed with before they are counted.
    pub(crate) user_hash: [u8; 32],
}

/// In which role a process opens the database and the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The server of the data folder: there is one.
    Server,
    /// A command beside it.
    Guest,
}

impl App {
    /// Opens everything.
    ///
    /// # Errors
    /// When the database or the blob store cannot be opened, or another server owns the data folder.
    pub(crate) async fn build(config: Config, executable: PathBuf, role: Role) -> Result<Self> {
        Self::build_with(Clock::system_with_random_process(), config, executable, role).await
    }

    /// As [`build`](Self::build), with a clock at hand.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub(crate) async fn build_with(
        clock: Clock,
        config: Config,
        executable: PathBuf,
        role: Role,
    ) -> Result<Self> {
        let address = config.database_address();
        let doing = format!("opening the database {address} (`database.url`)");
        let url = match address {
            Address::Sqlite(path) => DatabaseUrl::Sqlite { path },
            Address::Postgres(url) => DatabaseUrl::Postgres { url },
        };
        let metrics = Metrics::default();
        let options = Options {
            write_duration: metrics.write_duration.clone(),
            own_data_folder: role == Role::Server,
            postgres_connections_max: config.database.connections_max,
            ..Options::new(url)
        };
        let db = Db::open(&options).await.context(doing)?;
        let secrets = Secrets::load(&db).await.context("loading the secrets")?;
        let data = &config.data;
        let app = Self(Arc::new(Shared {
            db,
            blobs: Blobs::open(&config, data.join("tmp"))?,
            intake: Intake::new(&config.limits),
            dictionaries: Shelf::new(),
            workers: Workers::new(executable, data.join("tmp"), Limits::of_config(&config.workers)),
            derived: Derived::open(data.join("derived"), DERIVED_BYTES_MAX)?,
            opened: Opened::new(),
            clock,
            config,
            metrics,
            wake: Wake::default(),
            shutdown: CancellationToken::new(),
            secrets,
            keys: Remembered::new(KEYS_MAX),
            tokens: Remembered::new(TOKENS_MAX),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE_MAX),
            throttle: Throttle::default(),
        }));
        let shared = Arc::downgrade(&app.0);
        app.db.on_foreign_change(move || {
            if let Some(shared) = shared.upgrade() {
                shared.forget_access();
            }
        });
        Ok(app)
    }
}

impl Shared {
    /// Forgets which keys and tokens are good, after they changed.
    pub(crate) fn forget_access(&self) {
        self.keys.forget_all();
        self.tokens.forget_all();
    }
}

impl Secrets {
    async fn load(db: &Db) -> Result<Self> {
        let fresh: [[u8; 32]; 2] = rand::random();
        let [web, user_hash] = db
            .write(move |tx| {
                Box::pin(async move {
                    let web = db::secret::find_or_keep(tx, "web", fresh[0]).await?;
                    let user_hash = db::secret::find_or_keep(tx, "user_hash", fresh[1]).await?;
                    Ok([web, user_hash])
                })
            })
            .await?;
        Ok(Self { web, user_hash })
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! An app over an empty database, for tests of use cases. Nothing listens, and no job runs.

    use super::{App, Role};
    use crate::config::{Config, Sources};
    use crate::db::engine::testing::own_schema;

    /// An app and the folder it lives in; derefs to [`App`].
    pub(crate) struct TestApp {
        app: App,
        _folder: tempfile::TempDir,
    }

    impl TestApp {
        /// Opens everything in an empty folder, on SQLite.
        pub(crate) async fn new() -> Self {
            Self::on(None, &[]).await
        }

        /// Opens everything in an empty folder, on a PostgreSQL schema of its own.
        pub(crate) async fn postgres() -> Self {
            Self::on(Some(own_schema().await), &[]).await
        }

        /// As [`new`](Self::new), with variables of the environment.
        pub(crate) async fn with(environment: &[(&str, &str)]) -> Self {
            Self::on(None, environment).await
        }

        /// As [`postgres`](Self::postgres), with variables of the environment.
        pub(crate) async fn postgres_with(environment: &[(&str, &str)]) -> Self {
            Self::on(Some(own_schema().await), environment).await
        }

        async fn on(database: Option<String>, environment: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().expect("a folder for the test");
            let data = folder.path().display().to_string();
            let sources = Sources::default().flag("--data", "data", Some(data));
            let mut sources = sources.flag("--database-url", "database.url", database);
            let variable = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            sources.environment = environment.iter().map(variable).collect();
            let config = Config::load(&sources);
            let config = config.expect("the defaults are sound");
            let app = App::build(config, "/nowhere/symbolist".into(), Role::Server).await;
            Self { app: app.expect("the app opens"), _folder: folder }
        }
    }

    impl std::ops::Deref for TestApp {
        type Target = App;

        fn deref(&self) -> &App {
            &self.app
        }
    }
}
