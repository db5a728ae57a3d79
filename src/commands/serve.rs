//! `symbolist serve`: the server, from an empty folder to a clean end.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::credentials::{self, Credentials};
use super::{Place, arenas, logging, opened, output};
use crate::accounts::first_start;
use crate::app::{App, Role};
use crate::config::Config;
use crate::error::{Context as _, Result};
use crate::http::listener::Listener;
use crate::http::routes;
use crate::jobs::runner::Runner;

/// Mode of the data folder: it holds events and secrets.
const FOLDER_MODE: u32 = 0o700;

/// Flags of the server.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        arenas::bound();
        let config = place.load(&[("--listen", "listen", &self.listen)])?;
        logging::start(&config.log);
        make_data_folder(&config.data)?;
        opened::runtime()?.block_on(serve(config))
    }
}

/// Makes the data folder, unless it exists.
pub(super) fn make_data_folder(data: &Path) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(data);
    let doing = || format!("making the data folder {}; choose another with --data", data.display());
    made.context(doing())
}

async fn serve(config: Config) -> Result<()> {
    let running = Running::start(config).await?;
    if let Some(credentials) = &running.first {
        output::print(&told(credentials, &running.app.config.data))?;
    }
    info!("listening on {}", running.url);
    running.run().await
}

/// A server that is ready to take connections.
pub(super) struct Running {
    /// Everything shared.
    pub(super) app: App,
    /// Where it is reached.
    pub(super) url: String,
    /// What the first start made, if this is the first start.
    pub(super) first: Option<Credentials>,
    listener: Listener,
    runner: Runner,
    signals: Signals,
}

impl Running {
    /// Binds, opens and migrates everything, and starts the background work.
    ///
    /// # Errors
    /// When the address is taken, the folder is another server's, or the stores cannot be opened.
    pub(super) async fn start(config: Config) -> Result<Self> {
        // Before anything else, so that a taken port leaves nothing behind.
        let listener = Listener::bind(config.server.listen).await?;
        let app = App::build(config, opened::executable()?, Role::Server).await?;
        // Not earlier: what is above may take long, and may be ended at any time.
        let signals = Signals::listen();
        let url = credentials::url(&app.config, listener.address);
        let first = welcome(&app, &url).await?;
        let runner = Runner::start(&app).await?;
        Ok(Self { app, url, first, listener, runner, signals })
    }

    /// Serves until asked to stop, then finishes what was begun.
    ///
    /// # Errors
    /// None today; the end of a server may learn to fail.
    pub(super) async fn run(self) -> Result<()> {
        let Self { app, listener, runner, signals, .. } = self;
        let router = routes::router(app.clone());
        let served = async {
            listener.serve(&app, router).await;
            runner.drain().await;
            app.db.clone().close().await;
        };
        tokio::select! {
            () = served => info!("stopped"),
            () = signals.stop_when_asked(&app) => warn!("asked to stop again: stopped at once"),
        }
        Ok(())
    }
}

/// Makes what a new installation has and writes it down, or keeps the written address true.
pub(super) async fn welcome(app: &App, url: &str) -> Result<Option<Credentials>> {
    let data = &app.config.data;
    if let Some(first) = first_start::run(app).await? {
        let credentials = Credentials::new(first, url);
        if let Err(error) = credentials.write(data) {
            // Told before it fails: the secrets stand nowhere else.
            output::print(&told(&credentials, data))?;
            return Err(error);
        }
        return Ok(Some(credentials));
    }
    match Credentials::read(data) {
        Some(credentials) if credentials.url != url => credentials.moved_to(url).write(data)?,
        _ => {}
    }
    Ok(None)
}

fn told(credentials: &Credentials, data: &Path) -> String {
    let Credentials { url, dsn, token, organization, project, .. } = credentials;
    format!(
        "Symbolist is set up. This is shown once; it is also in {}:\n\n  \
         address   {url}\n  login     {}\n  password  {}\n  DSN       {dsn}\n  token     {token}\n\n\
         What to do next\n\n  \
         1. Open {url} and sign in: it waits for the first event.\n  \
         2. Send one:  SENTRY_DSN='{dsn}' sentry-cli send-event -m 'Hello'\n     \
            or point an SDK at the DSN.\n  \
         3. Make traces readable, from the folder of a build:\n     \
            SENTRY_AUTH_TOKEN={token} sentry-cli --url {url} debug-files upload --org {organization} --project {project} --include-sources .\n  \
         4. A project for each program:  symbolist project create NAME --organization {organization}\n\n",
        credentials::path(data).display(),
        credentials.email,
        credentials.password,
    )
}

/// SIGTERM and Ctrl-C, listened for from before anybody knows that the server runs.
struct Signals(Option<(Signal, Signal)>);

impl Signals {
    fn listen() -> Self {
        let terminate = signal(SignalKind::terminate()).ok();
        // Without signals the process ends by being killed, which it survives.
        Self(terminate.zip(signal(SignalKind::interrupt()).ok()))
    }

    /// Waits for one and tells everybody to stop; returns when asked a second time.
    async fn stop_when_asked(self, app: &App) {
        let Some((mut terminate, mut interrupt)) = self.0 else {
            return std::future::pending().await;
        };
        for _ in 0..2 {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "Ctrl-C",
            };
            if app.shutdown.is_cancelled() {
                return;
            }
            info!("asked to stop ({name})");
            app.shutdown.cancel();
        }
    }
}
