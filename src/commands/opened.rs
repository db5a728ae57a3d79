//! The app for a command beside the server: opened, used once, closed.

use super::Place;
use crate::app::{App, Role};
use crate::config::Config;
use crate::config::database::Address;
use crate::error::{Context as _, Error, Result};

/// Opens the app as a guest of the data folder and runs `work` with it. The server may run meanwhile.
pub(super) fn with_app<T>(place: &Place, work: impl AsyncFnOnce(&App) -> Result<T>) -> Result<T> {
    with_config(place.load(&[])?, work)
}

/// As [`with_app`], with a configuration at hand.
pub(super) fn with_config<T>(
    config: Config,
    work: impl AsyncFnOnce(&App) -> Result<T>,
) -> Result<T> {
    if let Address::Sqlite(path) = config.database_address()
        && !path.exists()
    {
        return Err(Error::Invalid(format!(
            "there is no database at {}: start `symbolist serve` first, or name its folder with --data",
            path.display()
        )));
    }
    runtime()?.block_on(async {
        let app = App::build(config, executable()?, Role::Guest).await?;
        let done = work(&app).await;
        app.db.clone().close().await;
        done
    })
}

/// Returns the threads that async work runs on.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting threads")
}

/// Returns the path of this program.
pub(super) fn executable() -> Result<std::path::PathBuf> {
    std::env::current_exe().context("finding the path of this program")
}
