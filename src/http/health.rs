//! Whether the process lives, whether it can work, and what it counted.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::warn;

use crate::app::App;
use crate::error::{Error, Result};

/// Content type of OpenMetrics.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Longest time the database may take to show that it is there.
const PING_TIME_MAX: Duration = Duration::from_secs(5);

/// Answers as long as the process does.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Asks the database, the blob store and the disk, really.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let ping = tokio::time::timeout(PING_TIME_MAX, app.db.ping());
    let (ping, blobs) = tokio::join!(ping, app.blobs.check());
    let ping = ping.unwrap_or_else(|_| Err(Error::internal("no answer within 5 s")));
    let (database, blobs) = (verdict("database", ping), verdict("blob store", blobs));
    let room = app.intake.disk.check(
        &app.config.data,
        app.config.limits.disk_free_bytes_min,
        app.clock.now_ms(),
    );
    let disk = if room.is_ok() { "ok" } else { "full" };
    let is_stopping = app.shutdown.is_cancelled();
    let is_ready = [database, blobs, disk] == ["ok"; 3] && !is_stopping;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": is_ready, "database": database, "blobs": blobs, "disk": disk, "stopping": is_stopping,
    });
    (status, Json(body)).into_response()
}

/// Says how a part is. Details are for the log: this page needs no login.
fn verdict(part: &str, checked: Result<()>) -> &'static str {
    match checked {
        Ok(()) => "ok",
        Err(error) => {
            warn!("the {part} does not answer: {error}");
            "failed"
        }
    }
}

/// Returns every metric.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response> {
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], app.metrics.text()?).into_response())
}
