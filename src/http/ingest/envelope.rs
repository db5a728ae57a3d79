//! `POST /api/{project}/envelope/`

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use protocol::envelope::{Envelope, EnvelopeHeader};
use protocol::id::ProjectId;
use serde_json::json;

use super::credentials::{self, Credentials};
use super::{body, spill, store};
use crate::app::App;
use crate::db::project_key::Admission;
use crate::error::{Error, Result};
use crate::http::error::IngestError;
use crate::http::origin::ClientAddress;
use crate::ingest::accept::{self, Acceptance, Sender};

/// Longest `User-Agent` that is kept, in characters.
const USER_AGENT_CHARS_MAX: usize = 300;
/// What SDKs may stop sending, because nothing of it is kept; they then save the bandwidth for a day.
const UNSUPPORTED: &str = "86400:transaction;span;profile;profile_chunk;replay;log_item;log_byte;\
     trace_metric;metric_bucket:organization:unsupported";

/// Accepts an envelope.
pub(crate) async fn accept(
    State(app): State<App>,
    Path(project): Path<String>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, IngestError> {
    let project = project_id(&project)?;
    let credentials = credentials::of_request(request.headers(), request.uri().query())?;
    let user_agent = user_agent(request.headers());
    // Known keys are checked before the body is read: nobody makes us inflate for nothing.
    let mut admission = None;
    if let Some(credentials) = &credentials {
        admission = Some(credentials::admit(&app, credentials, project).await?);
    }
    let body = body::read(&app, request, app.config.limits.envelope_bytes_max.0).await?;
    let _turn = match body.len() > spill::MEMORY_BYTES_MAX {
        true => Some(app.intake.large_turn().await?),
        false => None,
    };
    let envelope = Envelope::parse(&body)
        .map_err(|error| Error::Invalid(format!("invalid event envelope: {error}")))?;
    let key =
        authenticate(&app, &envelope.header, admission, credentials.as_ref(), project).await?;
    let client = credentials.and_then(|credentials| credentials.client).or_else(|| {
        envelope.header.sdk.as_ref().map(|(name, version)| format!("{name}/{version}"))
    });
    let address = Some(address.0.to_string());
    let sender = Sender { client, address, user_agent, sent_at_ms: None };
    let acceptance = accept::accept(&app, &key, sender, &body, &envelope).await?;
    Ok(answer(&acceptance))
}

/// The key of the request, else that of the envelope's DSN; where both speak, they must agree.
async fn authenticate(
    app: &App,
    header: &EnvelopeHeader,
    admission: Option<Admission>,
    credentials: Option<&Credentials>,
    project: ProjectId,
) -> Result<Admission> {
    let Some(dsn) = &header.dsn else { return admission.ok_or_else(credentials::missing) };
    let (of_dsn, dsn_project) = credentials::of_dsn(dsn)?;
    let mismatch = |what: &str| {
        Error::Invalid(format!(
            "invalid event envelope: {what} header mismatch between envelope and request"
        ))
    };
    if dsn_project != project {
        return Err(mismatch("project id"));
    }
    match (admission, credentials) {
        (Some(_), Some(credentials)) if credentials.public_key != of_dsn.public_key => {
            Err(mismatch("public key"))
        }
        (Some(admission), _) => Ok(admission),
        (None, _) => credentials::admit(app, &of_dsn, project).await,
    }
}

/// Reads the project of the path.
pub(super) fn project_id(text: &str) -> Result<ProjectId> {
    text.parse().map_err(|_| {
        Error::Invalid(format!(
            "bad project path parameter `{text}`: expected the number at the end of the DSN"
        ))
    })
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(value.chars().take(USER_AGENT_CHARS_MAX).collect())
}

/// `{"id": …}`, or 429 where the event was all there was and its key is too fast.
pub(super) fn answer(acceptance: &Acceptance) -> Response {
    if let Some(limited) = acceptance.rate_limited {
        let seconds = limited.retry_after_s;
        let body = json!({"detail": format!("the project's key sends too fast: try again in {seconds} s")});
        let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
        let limits = format!("{seconds}:error;default:key:usage_exceeded");
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        if let Ok(limits) = HeaderValue::from_str(&limits) {
            headers.insert("x-sentry-rate-limits", limits);
        }
        return response;
    }
    let body = match acceptance.event_id {
        Some(event_id) => json!({"id": event_id}),
        None => json!({}),
    };
    let mut response = Json(body).into_response();
    if acceptance.has_unsupported {
        let headers = response.headers_mut();
        headers.insert("x-sentry-rate-limits", HeaderValue::from_static(UNSUPPORTED));
    }
    response
}

/// Wraps a single event into an envelope, so that there is one way in.
pub(super) fn of_event(json: &[u8]) -> Bytes {
    let header = format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n", json.len());
    Bytes::from([header.as_bytes(), json].concat())
}

/// Says whether a request to the old endpoint carries an envelope.
pub(super) fn is_envelope(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(store::ENVELOPE_TYPE))
}
