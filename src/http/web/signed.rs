//! Forms that only our own pages can send.

use axum::Form;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::session_cookie;

/// What a form of a signed-in user brings beside its fields.
pub(crate) trait SignedForm: DeserializeOwned {
    /// Returns the token of the session that the form was made for.
    fn csrf(&self) -> &str;
}

/// A form of this very session: another page that sends one does not know the token.
#[derive(Debug)]
pub(crate) struct Signed<T>(pub(super) T);

impl<T: SignedForm> FromRequest<App> for Signed<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let key = session_cookie::read(request.headers())
            .ok_or_else(|| Error::Unauthorized("the session has ended".to_owned()))?;
        let form: T = read(request).await?;
        if key.is_csrf_token(app, form.csrf()) {
            Ok(Self(form))
        } else {
            Err(Error::Forbidden("the form is not of this session".to_owned()))
        }
    }
}

/// Reads the fields of a form; how long it may be is the router's limit.
///
/// # Errors
/// `Invalid` if it is none, or a field is missing.
pub(super) async fn read<T: DeserializeOwned>(request: Request) -> Result<T> {
    let read = Form::<T>::from_request(request, &()).await;
    read.map(|Form(form)| form).map_err(|rejection| Error::Invalid(rejection.body_text()))
}
