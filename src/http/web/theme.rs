//! Light, dark, or as the system says: kept in a cookie, so that a page is made in its colours and nothing flashes.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use cookie::Cookie;
use cookie::time::Duration;
use pages::chrome::Theme;
use serde::Deserialize;

use super::next;
use super::signed::{Signed, SignedForm};
use super::visit::Visit;
use crate::http::origin::Origin;
use crate::http::session_cookie;

/// The cookie.
const NAME: &str = "symbolist_theme";
/// How long the choice is remembered.
const AGE: Duration = Duration::days(365);

/// The form in the account menu.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    csrf: String,
}

impl SignedForm for Choice {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// Returns the theme that a browser asks for.
pub(super) fn of(headers: &HeaderMap) -> Theme {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(std::result::Result::ok);
    cookies
        .find(|cookie| cookie.name() == NAME)
        .map_or(Theme::System, |cookie| Theme::from_text(cookie.value()))
}

/// `POST /theme`: back to the page that the form stood on.
pub(crate) async fn choose(
    _: Visit,
    origin: Origin,
    headers: HeaderMap,
    Signed(choice): Signed<Choice>,
) -> Response {
    let theme = Theme::from_text(&choice.theme);
    let kept = session_cookie::set(NAME, theme.as_str().to_owned(), AGE, &origin);
    let back = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let back = back.and_then(|back| back.strip_prefix(origin.as_str())).unwrap_or("/");
    ([(header::SET_COOKIE, kept)], Redirect::to(next::safe(back))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_says_the_theme() {
        let theme = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, line.parse().unwrap());
            of(&headers)
        };
        assert_eq!(theme("a=b; symbolist_theme=dark"), Theme::Dark);
        assert_eq!(theme("symbolist_theme=light"), Theme::Light);
        assert_eq!(theme("symbolist_theme=\"><script>"), Theme::System);
        assert_eq!(of(&HeaderMap::new()), Theme::System);
    }
}
