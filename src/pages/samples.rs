//! Writes every sample page, and the assets they use, into a folder: `samples OUTDIR`.

use std::fs;
use std::path::PathBuf;

use pages::asset::{ASSETS_PATH, asset, asset_url};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: samples OUTDIR")?);
    let assets = folder.join(ASSETS_PATH.trim_matches('/'));
    fs::create_dir_all(&assets)?;
    for name in ["app.css", "app.js", "icon.svg"] {
        let url = asset_url(name);
        let path = url.strip_prefix(ASSETS_PATH).unwrap_or(name);
        let found = asset(path).ok_or_else(|| format!("asset {name} is not embedded"))?;
        fs::write(assets.join(path), found.bytes)?;
    }
    for (name, html) in pages::sample::all()? {
        fs::write(folder.join(format!("{name}.html")), html)?;
    }
    Ok(())
}
