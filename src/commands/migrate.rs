//! `symbolist migrate`: the server does the same when it starts; this is for deployments that want it apart.

use super::{Place, opened, output, serve};
use crate::app::{App, Role};
use crate::error::Result;

pub(super) fn run(place: &Place) -> Result<()> {
    let config = place.load(&[])?;
    serve::make_data_folder(&config.data)?;
    opened::runtime()?.block_on(async {
        let app = App::build(config, opened::executable()?, Role::Guest).await?;
        app.db.clone().close().await;
        output::print("the database is up to date\n")
    })
}
