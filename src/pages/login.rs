//! The page to sign in on.

use askama::Template;

use crate::chrome::Theme;
use crate::page::{Page, RenderError};

/// The form that sends `email`, `password`, `next` and `csrf` to `POST /login`.
#[derive(Debug, Clone, Template)]
#[template(path = "login.html")]
pub struct Login {
    /// Its colours.
    pub theme: Theme,
    /// Why the last try failed, for people.
    pub error: Option<String>,
    /// What stands in the e-mail field.
    pub email: String,
    /// Path to go to afterwards.
    pub next: String,
    /// Token against forged requests, where there is a session to hold it.
    pub csrf: Option<String>,
}

impl Page for Login {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl Login {
    /// A first visit.
    pub fn sample() -> Self {
        Self {
            theme: Theme::System,
            error: None,
            email: String::new(),
            next: "/".to_owned(),
            csrf: Some("csrf-token".to_owned()),
        }
    }

    /// A failed try.
    pub fn sample_refused() -> Self {
        Self {
            error: Some("No account has this e-mail address and password.".to_owned()),
            email: "owner@example.com".to_owned(),
            ..Self::sample()
        }
    }
}
