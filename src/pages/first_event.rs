//! How to send the first event: a snippet per platform, with the real DSN in it.

use askama::Template;
use askama::filters::HtmlSafe;

/// One platform's way to send the first event.
#[derive(Debug, Clone)]
pub(crate) struct Snippet {
    pub(crate) platform: &'static str,
    /// Id of the element.
    pub(crate) anchor: String,
    pub(crate) install: Option<&'static str>,
    pub(crate) code: String,
    /// Whether it starts opened.
    pub(crate) is_open: bool,
}

/// The snippets of all platforms, as a piece of a page.
#[derive(Debug, Clone, Template)]
#[template(path = "first_event.html")]
pub(crate) struct FirstEvent {
    dsn: String,
    anchor: String,
    snippets: Vec<Snippet>,
}

impl HtmlSafe for FirstEvent {}

impl FirstEvent {
    /// `anchor` keeps ids apart where a page shows several; `platform` opens that snippet.
    pub(crate) fn new(dsn: &str, anchor: &str, platform: Option<&str>) -> Self {
        Self {
            dsn: dsn.to_owned(),
            anchor: anchor.to_owned(),
            snippets: snippets(dsn, anchor, platform),
        }
    }
}

fn snippets(dsn: &str, anchor: &str, platform: Option<&str>) -> Vec<Snippet> {
    let open = match platform {
        Some("rust" | "native") => "Rust",
        Some("python") => "Python",
        Some("node") => "Node.js",
        Some("javascript") => "Browser",
        _ => "curl",
    };
    let make = |platform: &'static str, install, code: String| Snippet {
        platform,
        anchor: format!("{anchor}-{}", platform.to_ascii_lowercase().replace('.', "")),
        install,
        code,
        is_open: platform == open,
    };
    vec![
        make("curl", None, curl(dsn)),
        make("Rust", Some("cargo add sentry --features debug-images"), rust(dsn)),
        make("Python", Some("pip install sentry-sdk"), python(dsn)),
        make("Node.js", Some("npm install @sentry/node"), node(dsn)),
        make("Browser", Some("npm install @sentry/browser"), browser(dsn)),
    ]
}

fn curl(dsn: &str) -> String {
    let (endpoint, key) = endpoint(dsn);
    format!(
        "curl '{endpoint}' \\\n  -H 'X-Sentry-Auth: Sentry sentry_version=7, sentry_key={key}' \\\n  -H \
         'Content-Type: application/json' \\\n  -d '{{\"message\": \"Hello from curl\", \"level\": \"info\"}}'"
    )
}

/// The address to post a single event to, and the public key.
fn endpoint(dsn: &str) -> (String, String) {
    match dsn.parse::<protocol::dsn::Dsn>() {
        Ok(dsn) => {
            (format!("{}://{}/api/{}/store/", dsn.scheme, dsn.host, dsn.project), dsn.public_key)
        }
        Err(_) => (dsn.to_owned(), String::new()),
    }
}

fn rust(dsn: &str) -> String {
    format!(
        "fn main() {{\n    let _guard = sentry::init((\n        \"{dsn}\",\n        sentry::ClientOptions {{ release: \
         sentry::release_name!(), ..Default::default() }},\n    ));\n    panic!(\"the first event\");\n}}"
    )
}

fn python(dsn: &str) -> String {
    format!(
        "import sentry_sdk\n\nsentry_sdk.init(dsn=\"{dsn}\")\nraise RuntimeError(\"the first event\")"
    )
}

fn node(dsn: &str) -> String {
    format!(
        "const Sentry = require(\"@sentry/node\");\n\nSentry.init({{ dsn: \"{dsn}\" }});\nthrow new Error(\"the first \
         event\");"
    )
}

fn browser(dsn: &str) -> String {
    format!(
        "import * as Sentry from \"@sentry/browser\";\n\nSentry.init({{ dsn: \"{dsn}\" }});\nSentry.captureMessage(\"the \
         first event\");"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_holds_the_real_address_and_key() {
        for snippet in snippets("http://k3y@127.0.0.1:8000/1", "first", None) {
            assert!(snippet.code.contains("k3y"), "{}", snippet.platform);
            assert!(snippet.code.contains("127.0.0.1:8000"), "{}", snippet.platform);
        }
        assert_eq!(
            endpoint("http://k3y@127.0.0.1:8000/1"),
            ("http://127.0.0.1:8000/api/1/store/".to_owned(), "k3y".to_owned())
        );
    }

    #[test]
    fn the_projects_platform_is_opened() {
        let open = |platform| {
            let all = snippets("http://k@h/1", "first", platform);
            all.iter().find(|snippet| snippet.is_open).map(|snippet| snippet.platform)
        };
        assert_eq!(open(Some("python")), Some("Python"));
        assert_eq!(open(None), Some("curl"));
    }
}
