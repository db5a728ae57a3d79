//! How to send the first event: a snippet per platform, with the real DSN in it, and what to upload so that
//! its traces can be read. Until it comes the page asks for it every few seconds.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::chrome::Project;
use crate::help::UploadHelp;

/// One platform's way to send the first event.
#[derive(Debug, Clone)]
pub(crate) struct Snippet {
    pub(crate) platform: &'static str,
    /// Id of the element.
    pub(crate) anchor: String,
    pub(crate) install: Option<&'static str>,
    pub(crate) code: String,
    /// What makes its traces readable: why, and the command.
    pub(crate) upload: Option<(&'static str, String)>,
    /// Whether it starts opened.
    pub(crate) is_open: bool,
}

/// The snippets of all platforms, as a piece of a page.
#[derive(Debug, Clone, Template)]
#[template(path = "first_event.html")]
pub(crate) struct FirstEvent {
    dsn: String,
    anchor: String,
    /// Where the page asks whether the event came.
    waiting_url: String,
    snippets: Vec<Snippet>,
}

impl HtmlSafe for FirstEvent {}

impl FirstEvent {
    /// `anchor` keeps ids apart where a page shows several; the project's platform opens its snippet.
    pub(crate) fn new(dsn: &str, anchor: &str, project: &Project) -> Self {
        Self {
            dsn: dsn.to_owned(),
            anchor: anchor.to_owned(),
            waiting_url: project.first_event_url(),
            snippets: snippets(dsn, anchor, project),
        }
    }
}

/// Why native programs and minified scripts need more than the SDK.
const STRIPPED: &str =
    "Release builds send addresses. With their debug files they become functions and lines:";
const MINIFIED: &str =
    "Minified scripts need their source maps. Put debug ids into the build and upload it:";

fn snippets(dsn: &str, anchor: &str, project: &Project) -> Vec<Snippet> {
    let open = match project.platform.as_deref() {
        Some("rust") => "Rust",
        Some("native" | "c" | "cpp" | "c++") => "C and C++",
        Some(python) if python.starts_with("python") => "Python",
        Some(node) if node.starts_with("node") => "Node.js",
        Some(page) if page.starts_with("javascript") => "Browser",
        Some(java) if java.starts_with("java") || java.starts_with("kotlin") => "Java",
        Some(go) if go.starts_with("go") => "Go",
        _ => "Terminal",
    };
    let help = UploadHelp {
        origin: origin(dsn),
        organization: project.organization.clone(),
        project: project.slug.clone(),
        ..UploadHelp::default()
    };
    let native = || Some((STRIPPED, help.debug_file(None, None)));
    let rust = || Some((STRIPPED, help.debug_file(None, Some("/target/release/app"))));
    let script = || Some((MINIFIED, help.inject_and_upload("")));
    let make = |platform: &'static str, install, code: String, upload| Snippet {
        platform,
        anchor: format!("{anchor}-{}", platform.to_ascii_lowercase().replace(['.', ' '], "")),
        install,
        code,
        upload,
        is_open: platform == open,
    };
    vec![
        make("Terminal", None, terminal(dsn), None),
        make("Rust", Some("cargo add sentry --features debug-images"), self::rust(dsn), rust()),
        make("Python", Some("pip install sentry-sdk"), python(dsn), None),
        make("Node.js", Some("npm install @sentry/node"), node(dsn), script()),
        make("Browser", Some("npm install @sentry/browser"), browser(dsn), script()),
        make("C and C++", Some("cmake -B build -D SENTRY_BACKEND=inproc"), native_c(dsn), native()),
        make("Java", Some("implementation(\"io.sentry:sentry:8.+\")"), java(dsn), None),
        make("Go", Some("go get github.com/getsentry/sentry-go"), go(dsn), None),
    ]
}

/// The server's address, as the DSN has it.
fn origin(dsn: &str) -> String {
    let parsed = dsn.parse::<protocol::dsn::Dsn>();
    parsed.map_or_else(|_| dsn.to_owned(), |dsn| format!("{}://{}", dsn.scheme, dsn.host))
}

/// Two ways without an SDK: the tool of the SDKs, and nothing but HTTP.
fn terminal(dsn: &str) -> String {
    format!(
        "SENTRY_DSN='{dsn}' sentry-cli send-event -m 'Hello from a terminal'\n\n# or without it\n{}",
        curl(dsn)
    )
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

fn native_c(dsn: &str) -> String {
    format!(
        "#include <sentry.h>\n\nint main(void) {{\n    sentry_options_t *options = sentry_options_new();\n    \
         sentry_options_set_dsn(options, \"{dsn}\");\n    sentry_options_set_release(options, \"app@1.0.0\");\n    \
         sentry_init(options);\n    sentry_capture_event(sentry_value_new_message_event(\n        \
         SENTRY_LEVEL_INFO, \"main\", \"the first event\"));\n    sentry_close();\n}}"
    )
}

fn java(dsn: &str) -> String {
    format!(
        "import io.sentry.Sentry;\n\nclass Main {{\n    public static void main(String[] args) {{\n        \
         Sentry.init(options -> options.setDsn(\"{dsn}\"));\n        Sentry.captureException(new \
         IllegalStateException(\"the first event\"));\n    }}\n}}"
    )
}

fn go(dsn: &str) -> String {
    format!(
        "package main\n\nimport (\n\t\"errors\"\n\t\"time\"\n\n\t\"github.com/getsentry/sentry-go\"\n)\n\nfunc main() \
         {{\n\tsentry.Init(sentry.ClientOptions{{Dsn: \"{dsn}\"}})\n\tdefer sentry.Flush(2 * \
         time.Second)\n\tsentry.CaptureException(errors.New(\"the first event\"))\n}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(platform: Option<&str>) -> Project {
        Project {
            organization: "default".to_owned(),
            slug: "app".to_owned(),
            name: "App".to_owned(),
            platform: platform.map(str::to_owned),
        }
    }

    #[test]
    fn every_snippet_holds_the_real_address_and_key() {
        for snippet in snippets("http://k3y@127.0.0.1:8000/1", "first", &project(None)) {
            assert!(snippet.code.contains("k3y"), "{}", snippet.platform);
            assert!(snippet.code.contains("127.0.0.1:8000"), "{}", snippet.platform);
            if let Some((_, command)) = snippet.upload {
                let place = "--url http://127.0.0.1:8000";
                assert!(command.contains(place) && command.contains("--project app"), "{command}");
            }
        }
        assert_eq!(
            endpoint("http://k3y@127.0.0.1:8000/1"),
            ("http://127.0.0.1:8000/api/1/store/".to_owned(), "k3y".to_owned())
        );
    }

    #[test]
    fn the_projects_platform_is_opened() {
        let open = |platform| {
            let all = snippets("http://k@h/1", "first", &project(platform));
            all.iter().find(|snippet| snippet.is_open).map(|snippet| snippet.platform)
        };
        assert_eq!(open(Some("python")), Some("Python"));
        assert_eq!(open(Some("javascript-react")), Some("Browser"));
        assert_eq!(open(None), Some("Terminal"));
    }
}
