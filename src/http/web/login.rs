//! Signing in and out.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::time::Duration;
use pages::chrome::Theme;
use pages::login::Login;
use serde::Deserialize;

use super::html::Html;
use super::next;
use super::signed::{self, Signed, SignedForm};
use super::theme;
use super::visit::Visit;
use crate::accounts::session::{self, SessionKey};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::origin::{ClientAddress, Origin};
use crate::http::session_cookie;

/// Name of the cookie that the log-in form's token belongs to, before there is a session.
const FORM_COOKIE: &str = "symbolist_login";
/// How long a log-in form may lie.
const FORM_AGE_MAX: Duration = Duration::hours(1);
/// What is said of a form that lay too long, or came from elsewhere.
const STALE: &str = "This form was too old or came from another site. Please try again.";

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    #[serde(default)]
    next: String,
}

/// The fields of the form.
#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    csrf: String,
}

/// `GET /login`.
pub(crate) async fn show(
    State(app): State<App>,
    origin: Origin,
    headers: HeaderMap,
    Query(target): Query<Target>,
) -> Result<Response> {
    if let Some(key) = session_cookie::read(&headers)
        && session::find(&app, &key).await?.is_some()
    {
        return Ok(Redirect::to(next::safe(&target.next)).into_response());
    }
    let login = Login { theme: theme::of(&headers), next: target.next, ..blank() };
    Ok(form(&app, &origin, &headers, login))
}

/// `POST /login`.
pub(crate) async fn submit(
    State(app): State<App>,
    origin: Origin,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response> {
    let headers = request.headers().clone();
    let sent: Credentials = signed::read(request).await?;
    let retry = |words: String| Login {
        theme: theme::of(&headers),
        error: Some(words),
        email: sent.email.clone(),
        next: sent.next.clone(),
        csrf: None,
    };
    let is_ours = session_cookie::read_named(&headers, FORM_COOKIE)
        .is_some_and(|key| key.is_csrf_token(&app, &sent.csrf));
    if !is_ours {
        let error = Error::Forbidden(STALE.to_owned());
        let page = form(&app, &origin, &headers, retry(STALE.to_owned()));
        return Ok(refused(&error, page));
    }
    match session::log_in(&app, address, &sent.email, &sent.password).await {
        Ok(key) => {
            let mut response = Redirect::to(next::safe(&sent.next)).into_response();
            let over = session_cookie::set(FORM_COOKIE, String::new(), Duration::ZERO, &origin);
            response.headers_mut().append(header::SET_COOKIE, session_cookie::begin(&key, &origin));
            response.headers_mut().append(header::SET_COOKIE, over);
            Ok(response)
        }
        Err(error @ (Error::Unauthorized(_) | Error::TooManyRequests { .. })) => {
            let page = form(&app, &origin, &headers, retry(sentence(&error.to_string())));
            Ok(refused(&error, page))
        }
        Err(error) => Err(error),
    }
}

/// The form of `POST /logout`.
#[derive(Deserialize)]
pub(crate) struct Leave {
    #[serde(default)]
    csrf: String,
}

impl SignedForm for Leave {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// `POST /logout`.
pub(crate) async fn leave(
    State(app): State<App>,
    visit: Visit,
    origin: Origin,
    _form: Signed<Leave>,
) -> Result<Response> {
    session::log_out(&app, visit.key()).await?;
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().append(header::SET_COOKIE, session_cookie::end(&origin));
    Ok(response)
}

fn blank() -> Login {
    Login {
        theme: Theme::System,
        error: None,
        email: String::new(),
        next: String::new(),
        csrf: None,
    }
}

/// The page, with a token that belongs to a cookie of its own: nobody else can send this form.
fn form(app: &App, origin: &Origin, headers: &HeaderMap, login: Login) -> Response {
    let known = session_cookie::read_named(headers, FORM_COOKIE);
    let key = known.unwrap_or_else(SessionKey::random);
    let next = next::safe(&login.next).to_owned();
    let page = Login { next, csrf: Some(key.csrf_token(app)), ..login };
    let mut response = Html(page).into_response();
    let kept = session_cookie::set(FORM_COOKIE, key.text(), FORM_AGE_MAX, origin);
    response.headers_mut().append(header::SET_COOKIE, kept);
    response
}

/// The status of a refusal, without the failure itself: the page says it already.
fn refused(error: &Error, mut response: Response) -> Response {
    *response.status_mut() = error.status();
    if let Some(retry_after_s) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    }
    response
}

/// `the password is wrong` → `The password is wrong.`
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
