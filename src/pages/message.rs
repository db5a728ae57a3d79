//! A page that says one thing: not found, not allowed, something broke, nothing here yet.

use askama::Template;

use crate::chrome::{Chrome, Theme};
use crate::page::{Page, RenderError};

/// What happened, and what to do next.
#[derive(Debug, Clone, Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    /// The signed-in surroundings, where somebody is signed in.
    pub chrome: Option<Chrome>,
    /// Its colours, where there are no surroundings.
    pub theme: Theme,
    /// HTTP status; 200 hides it.
    pub status: u16,
    /// One short sentence.
    pub title: String,
    /// What it means, one or two sentences.
    pub detail: String,
    /// The next step: words and where they lead.
    pub next: Option<(String, String)>,
    /// A command that helps, for operators.
    pub command: Option<String>,
    /// The id under which the logs know this request.
    pub request_id: Option<String>,
}

impl Page for MessagePage {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl MessagePage {
    fn new(chrome: Option<Chrome>, status: u16, title: &str, detail: &str) -> Self {
        Self {
            theme: chrome.as_ref().map_or(Theme::System, |chrome| chrome.theme),
            chrome,
            status,
            title: title.to_owned(),
            detail: detail.to_owned(),
            next: Some(("Go to your projects".to_owned(), "/".to_owned())),
            command: None,
            request_id: None,
        }
    }

    /// 404: the address leads nowhere, or to something this user may not see.
    pub fn not_found(chrome: Option<Chrome>) -> Self {
        Self::new(
            chrome,
            404,
            "There is nothing at this address",
            "The issue or event may have been removed after its retention time, or it belongs to a project that \
             your account is not a member of.",
        )
    }

    /// 403: known, but not allowed.
    pub fn forbidden(chrome: Option<Chrome>) -> Self {
        Self::new(
            chrome,
            403,
            "This was not done",
            "The form was too old, or came from another site. Nothing was changed. Go back, reload the page and \
             try again.",
        )
    }

    /// 500: our fault.
    pub fn failed(chrome: Option<Chrome>, request_id: Option<String>) -> Self {
        let title = "Something broke on our side";
        let detail = "Events are still accepted and kept. The reason is in the server's log; reload the page to try \
                      again.";
        Self { request_id, ..Self::new(chrome, 500, title, detail) }
    }

    /// 503: too busy, or starting.
    pub fn busy() -> Self {
        let title = "The server is busy or starting";
        let detail = "Its database did not answer in time. Wait a few seconds and reload the page.";
        Self { next: None, ..Self::new(None, 503, title, detail) }
    }

    /// Any other refusal; `detail` says why.
    pub fn refused(status: u16, detail: &str) -> Self {
        Self::new(None, status, "This request was not answered", detail)
    }

    /// An event that was accepted and is not digested yet.
    pub fn waiting(chrome: Chrome, error: Option<&str>, issues_url: &str) -> Self {
        let detail = match error {
            None => {
                "It was received and is stored. It is symbolicated and put into its issue in a moment; this page \
                 goes there by itself."
                    .to_owned()
            }
            Some(error) => format!(
                "It was received and is stored. The last try to digest it failed and is repeated: {error}"
            ),
        };
        let title = "This event waits to be digested";
        Self::new(Some(chrome), 200, title, &detail).leading_to("Go to the issues", issues_url)
    }

    /// An event that could not be digested.
    pub fn parked(chrome: Chrome, error: &str, issues_url: &str) -> Self {
        let detail = format!(
            "It was received and is stored, but every try to digest it failed, so it was put aside. The last \
             error: {error}"
        );
        let title = "This event could not be digested";
        Self::new(Some(chrome), 200, title, &detail).leading_to("Go to the issues", issues_url)
    }

    fn leading_to(self, words: &str, url: &str) -> Self {
        Self { next: Some((words.to_owned(), url.to_owned())), ..self }
    }

    /// No account exists yet.
    pub fn first_run() -> Self {
        let detail = "The first start writes an owner account, a token and a DSN into credentials.json in the data \
                      folder, readable only by the account that runs the server. Sign in with its email and \
                      password.";
        Self {
            next: Some(("Sign in".to_owned(), "/login".to_owned())),
            command: Some("cat symbolist-data/credentials.json".to_owned()),
            ..Self::new(None, 200, "Symbolist is running", detail)
        }
    }
}
