//! `symbolist serve`: the server, from an empty folder to a clean end.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::credentials::{self, Credentials};
use super::{Place, logging, opened, output};
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
        let config = place.load(&[("--listen", "listen", &self.listen)])?;
        logging::start(&config.log);
        make_data_folder(&config.data)?;
        opened::runtime()?.block_on(serve(config))
    }
}

/// Makes the data folder, unless it exists.
pub(super) fn make_data_folder(data: &Path) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(data);
    made.context(format!("making the data folder {}", data.display()))
}

async fn serve(config: Config) -> Result<()> {
    // Before anything else, so that a taken port leaves nothing behind.
    let listener = Listener::bind(config.server.listen).await?;
    let app = App::build(config, opened::executable()?, Role::Server).await?;
    let url = credentials::url(&app.config, listener.address);
    welcome(&app, &url).await?;
    info!("listening on {url}");
    let runner = Runner::start(&app).await?;
    let router = routes::router(app.clone());
    let served = async {
        listener.serve(&app, router).await;
        runner.drain().await;
        app.db.clone().close().await;
    };
    tokio::select! {
        () = served => info!("stopped"),
        () = stop_when_asked(&app) => warn!("asked to stop again: stopped at once"),
    }
    Ok(())
}

/// Makes what a new installation has and tells it, or keeps the written address true.
async fn welcome(app: &App, url: &str) -> Result<()> {
    let data = &app.config.data;
    if let Some(first) = first_start::run(app).await? {
        let credentials = Credentials::new(first, url);
        // Both are tried: if one is impossible, the secrets are not lost.
        let printed = output::print(&told(&credentials, data));
        credentials.write(data)?;
        return printed.or_else(|error| {
            warn!("could not print the credentials: {error}");
            Ok(())
        });
    }
    match Credentials::read(data) {
        Some(credentials) if credentials.url != url => credentials.moved_to(url).write(data),
        _ => Ok(()),
    }
}

fn told(credentials: &Credentials, data: &Path) -> String {
    format!(
        "Symbolist is set up. This is shown once; it is also in {}:\n\n  \
         address   {}\n  login     {}\n  password  {}\n  DSN       {}\n  token     {}\n\n",
        credentials::path(data).display(),
        credentials.url,
        credentials.email,
        credentials.password,
        credentials.dsn,
        credentials.token,
    )
}

/// Waits for SIGTERM or Ctrl-C and tells everybody to stop; returns when asked a second time.
async fn stop_when_asked(app: &App) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without signals the process ends by being killed, which it survives.
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
