//! What each page and the main answers of the API cost on the server: asked within this process, so that no
//! network and no second process is measured with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use clap::Args;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::accounts::session;
use crate::app::App;
use crate::commands::credentials::Credentials;
use crate::commands::{Place, opened, output};
use crate::error::{Error, Result};
use crate::http::origin::Origin;
use crate::http::{routes, session_cookie};

/// What a page may cost at the median.
const TARGET: Duration = Duration::from_millis(50);
/// Projects that are looked at, at most.
const PROJECTS_MAX: usize = 20;

/// Flags of the measurement.
#[derive(Debug, Args)]
pub(super) struct Pages {
    /// How often each page is asked for
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    rounds: u32,
}

impl Pages {
    pub(super) fn run(&self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| {
            let visitor = Visitor::signed_in(app).await?;
            let kinds = visitor.addresses().await?;
            let mut table = Vec::new();
            for (kind, paths) in kinds {
                table.push(visitor.measure(kind, &paths, self.rounds).await?);
            }
            output::print(&report(&table))
        })
    }
}

/// Somebody who looks at everything.
struct Visitor {
    router: Router,
    cookie: String,
    token: String,
    organization: String,
}

/// What asking for one kind of page costs.
struct Measured {
    kind: &'static str,
    pages: usize,
    times: Vec<Duration>,
    bytes: usize,
    slowest: (Duration, String),
}

impl Visitor {
    async fn signed_in(app: &App) -> Result<Self> {
        let credentials = Credentials::read(&app.config.data).ok_or_else(|| {
            Error::Invalid(format!(
                "there is no credentials.json in {}: measure a folder that `symbolist seed` filled",
                app.config.data.display()
            ))
        })?;
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let key = session::log_in(app, here, &credentials.email, &credentials.password).await?;
        let cookie = session_cookie::begin(&key, &Origin::of(&credentials.url));
        let cookie = cookie.to_str().unwrap_or_default();
        Ok(Self {
            router: routes::router(app.clone()),
            cookie: cookie.split(';').next().unwrap_or_default().to_owned(),
            token: credentials.token,
            organization: credentials.organization,
        })
    }

    /// Asks once and reads the whole answer.
    async fn ask(&self, path: &str) -> Result<(StatusCode, Bytes)> {
        let request = Request::get(path).header(header::HOST, "127.0.0.1:8000");
        let request = if path.starts_with("/api/") {
            request.header(header::AUTHORIZATION, format!("Bearer {}", self.token))
        } else {
            request.header(header::COOKIE, &self.cookie)
        };
        let request = request.body(Body::empty()).map_err(Error::caused_by)?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = response.into_body().collect().await.map_err(Error::caused_by)?;
        Ok((status, body.to_bytes()))
    }

    async fn json(&self, path: &str) -> Result<Value> {
        let (status, body) = self.ask(path).await?;
        if status != StatusCode::OK {
            return Err(Error::internal(format!("{path} answers {status}")));
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// Returns the first link on a page that leads below `prefix`.
    async fn first_link(&self, path: &str, prefix: &str) -> Result<Option<String>> {
        let (_, body) = self.ask(path).await?;
        let page = String::from_utf8_lossy(&body);
        let mut links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        Ok(links
            .find(|link| {
                link.starts_with(prefix) && link.len() > prefix.len() && !link.contains('?')
            })
            .map(str::to_owned))
    }

    /// Returns what there is to look at, by kind, over all projects.
    async fn addresses(&self) -> Result<BTreeMap<&'static str, Vec<String>>> {
        let organization = &self.organization;
        let mut kinds: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut add = |kind, path: String| kinds.entry(kind).or_default().push(path);
        add("projects", format!("/{organization}/"));
        add("API projects", format!("/api/0/organizations/{organization}/projects/"));
        let projects = self.json(&format!("/api/0/organizations/{organization}/projects/")).await?;
        for project in projects.as_array().into_iter().flatten().take(PROJECTS_MAX) {
            let slug = project["slug"].as_str().unwrap_or_default();
            let (page, api) = (
                format!("/{organization}/{slug}"),
                format!("/api/0/projects/{organization}/{slug}"),
            );
            add("issue list", format!("{page}/issues/"));
            add("issue list, all", format!("{page}/issues/?query=*&status=all"));
            add("issue list, search", format!("{page}/issues/?query=error"));
            add("issue list, by tag", format!("{page}/issues/?query=environment:production"));
            add("releases", format!("{page}/releases/"));
            add("debug files", format!("{page}/debug-files/"));
            add("source maps", format!("{page}/source-maps/"));
            add("waiting", format!("{page}/first-event"));
            add("API issues", format!("{api}/issues/"));
            add("API events", format!("{api}/events/"));
            for (kind, list) in [("release", "releases"), ("source map bundle", "source-maps")] {
                let list = format!("{page}/{list}/");
                if let Some(link) = self.first_link(&list, &list).await? {
                    add(kind, link);
                }
            }
            let issues = self.json(&format!("{api}/issues/?query=&sort=freq&limit=1")).await?;
            let Some(issue) = issues.get(0).and_then(|issue| issue["id"].as_str()) else {
                continue;
            };
            let short_id = issues[0]["shortId"].as_str().unwrap_or_default();
            add("issue", format!("{page}/issues/{short_id}/"));
            add("API issue", format!("/api/0/issues/{issue}/"));
            add("API issue's events", format!("/api/0/issues/{issue}/events/"));
            add("API issue's tags", format!("/api/0/issues/{issue}/tags/"));
            let event = self.json(&format!("/api/0/issues/{issue}/events/latest/")).await?;
            let event = event["eventID"].as_str().unwrap_or_default();
            add("issue, one event", format!("{page}/issues/{short_id}/events/{event}/"));
            add("event as JSON", format!("{page}/events/{event}/json"));
            add("API event", format!("{api}/events/{event}/"));
        }
        Ok(kinds)
    }

    async fn measure(&self, kind: &'static str, paths: &[String], rounds: u32) -> Result<Measured> {
        let mut times = Vec::new();
        let (mut bytes, mut slowest) = (0, (Duration::ZERO, String::new()));
        for _ in 0..rounds {
            for path in paths {
                let started = Instant::now();
                let (status, body) = self.ask(path).await?;
                let time = started.elapsed();
                if !status.is_success() {
                    return Err(Error::internal(format!("{path} answers {status}")));
                }
                times.push(time);
                bytes = bytes.max(body.len());
                if time > slowest.0 {
                    slowest = (time, path.clone());
                }
            }
        }
        times.sort();
        Ok(Measured { kind, pages: paths.len(), times, bytes, slowest })
    }
}

impl Measured {
    fn percentile(&self, part: f64) -> Duration {
        let place = (self.times.len() as f64 * part) as usize;
        self.times.get(place.min(self.times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

fn report(table: &[Measured]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut text = "| page | of projects | p50 ms | p99 ms | slowest ms | KB at most | slowest |\n|---|---|---|---|---|---|---|\n".to_owned();
    for measured in table {
        let (p50, p99) = (measured.percentile(0.50), measured.percentile(0.99));
        let mark = if p99 > TARGET { " over" } else { "" };
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.1}{mark} | {:.1} | {} | {} |",
            measured.kind,
            measured.pages,
            ms(p50),
            ms(p99),
            ms(measured.slowest.0),
            measured.bytes / 1000,
            measured.slowest.1,
        );
    }
    text
}
