//! The front page: the projects of an organization.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pages::chrome::Section;
use pages::projects::{ProjectRow, Projects};
use protocol::id::ProjectId;
use protocol::time::Timestamp;

use super::figures::{DAY_HOURS, HOUR_MS, count};
use super::html::Html;
use super::visit::{OrganizationVisit, Visit};
use crate::accounts::permission::ReadProjects;
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::http::origin::Origin;

/// `GET /`: the projects of the first organization that the user belongs to.
pub(crate) async fn front(
    State(app): State<App>,
    visit: Visit,
    origin: Origin,
) -> Result<Response> {
    let ids = visit.access().organizations_with::<ReadProjects>()?;
    let first = ids.first().copied();
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                match first {
                    Some(id) => db::organization::find(tx, id).await,
                    None => Ok(None),
                }
            })
        })
        .await?;
    page(&app, &visit, &origin, found.ok_or(Error::NotFound)?).await
}

/// `GET /{organization}/`.
pub(crate) async fn of_organization(
    State(app): State<App>,
    at: OrganizationVisit<ReadProjects>,
    origin: Origin,
) -> Result<Response> {
    page(&app, &at.visit, &origin, at.organization).await
}

async fn page(
    app: &App,
    visit: &Visit,
    origin: &Origin,
    organization: Organization,
) -> Result<Response> {
    let (id, now_ms) = (organization.id, app.clock.now_ms());
    let of_user = visit.access().organizations().into_iter().map(|(id, _)| id);
    let others: Vec<i64> = of_user.filter(|other| *other != id).collect();
    let (found, others) = app
        .db
        .read(move |tx| {
            let others = others.clone();
            Box::pin(async move {
                let mut found = Vec::new();
                for project in db::project::active_of(tx, id).await? {
                    found.push(figures(tx, project, now_ms).await?);
                }
                Ok((found, slugs(tx, &others).await?))
            })
        })
        .await?;
    let page = Projects {
        chrome: visit.chrome(app, &organization.slug, Section::Projects),
        organization: organization.slug,
        others,
        projects: found.into_iter().map(|figures| figures.row(origin)).collect(),
    };
    Ok(Html(page).into_response())
}

async fn slugs(tx: &mut Tx<'_>, organizations: &[i64]) -> Result<Vec<String>> {
    let mut slugs = Vec::new();
    for id in organizations {
        slugs.extend(db::organization::find(tx, *id).await?.map(|found| found.slug));
    }
    Ok(slugs)
}

/// What the list says about one project.
struct Figures {
    project: Project,
    unresolved: i64,
    events_24h: i64,
    last_event_ms: Option<i64>,
    public_key: Option<String>,
}

async fn figures(tx: &mut Tx<'_>, project: Project, now_ms: i64) -> Result<Figures> {
    let id = ProjectId(project.id);
    let from_hour = now_ms / HOUR_MS - (DAY_HOURS - 1);
    Ok(Figures {
        unresolved: db::issue::count(tx, id, "unresolved").await?,
        events_24h: db::issue_count::of_project_since(tx, id, from_hour).await?,
        last_event_ms: db::issue::last_seen(tx, id).await?,
        public_key: public_key(tx, project.id).await?,
        project,
    })
}

/// Returns the oldest key that is still good.
pub(super) async fn public_key(tx: &mut Tx<'_>, project: i64) -> Result<Option<String>> {
    let keys = db::project_key::all_of(tx, project).await?;
    let good = keys.into_iter().find(|key| key.revoked_at_ms.is_none());
    Ok(good.map(|key| key.public_key))
}

/// Returns the DSN to show; a project without a good key has none.
pub(super) fn dsn(origin: &Origin, public_key: Option<&str>, project: i64) -> String {
    public_key.map_or_else(|| "no key".to_owned(), |key| origin.dsn(key, project))
}

impl Figures {
    fn row(self, origin: &Origin) -> ProjectRow {
        ProjectRow {
            dsn: dsn(origin, self.public_key.as_deref(), self.project.id),
            slug: self.project.slug,
            name: self.project.name,
            platform: self.project.platform,
            issues_unresolved: count(self.unresolved),
            events_24h: count(self.events_24h),
            last_event: self.last_event_ms.map(Timestamp),
        }
    }
}
