//! `POST /api/{project}/store/`: one event, as SDKs sent it before there were envelopes.
//!
//! The body is JSON, base64 of JSON, or base64 of zlib of JSON.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use protocol::envelope::Envelope;

use super::envelope::{answer, is_envelope, of_event, project_id, user_agent};
use super::{body, credentials, envelope, spill};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::error::IngestError;
use crate::http::origin::ClientAddress;
use crate::ingest::accept::{self, Sender};

/// Media type of an envelope.
pub(super) const ENVELOPE_TYPE: &str = "application/x-sentry-envelope";

/// Accepts one event.
pub(crate) async fn accept(
    State(app): State<App>,
    Path(project): Path<String>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, IngestError> {
    if is_envelope(request.headers()) {
        return envelope::accept(State(app), Path(project), address, request).await;
    }
    let project = project_id(&project)?;
    let credentials = credentials::of_request(request.headers(), request.uri().query())?;
    let credentials = credentials.ok_or_else(credentials::missing)?;
    let key = credentials::admit(&app, &credentials, project).await?;
    let user_agent = user_agent(request.headers());
    let bytes_max = app.config.limits.event_bytes_max.0;
    // Base64 is a third longer than what it stands for.
    let body = body::read(&app, request, bytes_max.saturating_mul(2)).await?;
    let _turn = match body.len() > spill::MEMORY_BYTES_MAX {
        true => Some(app.intake.large_turn().await?),
        false => None,
    };
    let body = of_event(&decoded(body, bytes_max)?);
    let envelope = Envelope::parse(&body)
        .map_err(|error| Error::Invalid(format!("invalid event: {error}")))?;
    let address = Some(address.0.to_string());
    let sender = Sender { client: credentials.client, address, user_agent, sent_at_ms: None };
    let acceptance = accept::accept(&app, &key, sender, &body, &envelope).await?;
    Ok(answer(&acceptance))
}

fn decoded(body: Bytes, bytes_max: u64) -> Result<Bytes> {
    if body.is_empty() {
        return Err(Error::Invalid("empty request body, expected an event".to_owned()));
    }
    let is_json = |bytes: &[u8]| bytes.trim_ascii_start().first() == Some(&b'{');
    if is_json(&body) {
        return Ok(body);
    }
    let binary = BASE64_STANDARD.decode(body.trim_ascii()).map_err(|error| {
        Error::Invalid(format!("the event is neither JSON nor base64 ({error})"))
    })?;
    if is_json(&binary) { Ok(binary.into()) } else { body::inflate_zlib(&binary, bytes_max) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn old_bodies_are_decoded() {
        let json = br#"{"message":"x"}"#;
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(json).unwrap();
        let bodies = [
            json.to_vec(),
            BASE64_STANDARD.encode(json).into_bytes(),
            BASE64_STANDARD.encode(zlib.finish().unwrap()).into_bytes(),
        ];
        for body in bodies {
            assert_eq!(decoded(body.into(), 100).unwrap(), &json[..]);
        }
        assert!(decoded(Bytes::new(), 100).is_err());
        assert!(decoded(Bytes::from_static(b"???"), 100).is_err());
    }
}
