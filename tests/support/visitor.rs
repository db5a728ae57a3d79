//! Somebody with a browser: cookies are kept, redirects are seen, forms are sent as pages have them.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

use super::server::{Answer, Server};
use super::wait::until;

/// A browser without JavaScript.
#[derive(Debug)]
pub(crate) struct Visitor {
    client: reqwest::Client,
    url: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Opens a browser.
    pub(crate) fn of(server: &Server) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build();
        Self {
            client: client.expect("a client can be made"),
            url: server.credentials.url.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a browser and logs the owner in.
    pub(crate) async fn logged_in(server: &Server) -> Self {
        let mut visitor = Self::of(server);
        let credentials = &server.credentials;
        visitor.log_in(&credentials.email, &credentials.password, "/").await.expect(303);
        visitor
    }

    /// Fills in the form of the log-in page and sends it.
    pub(crate) async fn log_in(&mut self, email: &str, password: &str, next: &str) -> Answer {
        let csrf = self.get("/login").await.csrf();
        let fields = [("email", email), ("password", password), ("next", next), ("csrf", &csrf)];
        self.post("/login", &fields).await
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.send(Method::POST, path, Some(fields.join("&"))).await
    }

    /// Waits until an event is digested and returns the path of its page.
    pub(crate) async fn wait_digested(&mut self, event_id: &str) -> String {
        let path = format!("/default/first/events/{event_id}/");
        until(&format!("event {event_id}"), async || self.get(&path).await.location()).await
    }

    async fn send(&mut self, method: Method, path: &str, form: Option<String>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(form) = form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let answer = Answer::of(request.send().await.expect("the server answers")).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            self.keep(line.to_str().expect("cookies are ASCII"));
        }
        answer
    }

    fn keep(&mut self, line: &str) {
        let (name, rest) = line.split_once('=').expect("a cookie has a value");
        let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Answer {
    /// Returns the token of the page's first form.
    #[track_caller]
    pub(crate) fn csrf(&self) -> String {
        let found = self
            .body
            .split_once("name=\"csrf\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        found.unwrap_or_else(|| panic!("no form in {}", self.body)).0.to_owned()
    }

    /// Returns where the answer leads.
    pub(crate) fn location(&self) -> Option<String> {
        self.headers.get(LOCATION).map(|path| path.to_str().expect("paths are ASCII").to_owned())
    }
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|byte| match byte {
            byte if is_plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
