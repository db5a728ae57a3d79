//! Whether the process lives, whether it can work, and what it counted.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::warn;

use crate::app::App;
use crate::error::Result;

/// Content type of OpenMetrics.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers as long as the process does.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Asks the database and the blob store, really.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let (database, blobs) = tokio::join!(app.db.ping(), app.blobs.check());
    let (database, blobs) = (verdict("database", database), verdict("blob store", blobs));
    let is_stopping = app.shutdown.is_cancelled();
    let is_ready = database == "ok" && blobs == "ok" && !is_stopping;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body =
        json!({"ready": is_ready, "database": database, "blobs": blobs, "stopping": is_stopping});
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
