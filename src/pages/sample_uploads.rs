//! Realistic pages about releases and uploads; see [`crate::sample`].

use protocol::level::Level;
use protocol::time::Timestamp;

use crate::artifact_bundles::{ArtifactBundleList, ArtifactBundlePage, BundledFile};
use crate::chrome::{Chrome, Project, Section};
use crate::debug_files::{DebugFileList, DebugFileRow, Readiness};
use crate::help::UploadHelp;
use crate::issue::IssueStatus;
use crate::page::{Page as _, RenderError};
use crate::releases::{BundleRow, Frames, ReleaseIssue, ReleaseList, ReleasePage, ReleaseRow};

const HOUR_MS: i64 = 3_600_000;

pub(crate) fn all() -> Result<Vec<(&'static str, String)>, RenderError> {
    let releases = releases();
    let bundles = bundles();
    let files = debug_files();
    let page = release();
    Ok(vec![
        ("releases", releases.html()?),
        ("releases-none", ReleaseList { releases: Vec::new(), ..releases.clone() }.html()?),
        (
            "releases-not-found",
            ReleaseList { releases: Vec::new(), query: "3.0".to_owned(), ..releases }.html()?,
        ),
        ("release", page.html()?),
        (
            "release-quiet",
            ReleasePage { new: Vec::new(), seen: Vec::new(), bundles: Vec::new(), ..page }
                .html()?,
        ),
        ("source-maps", bundles.html()?),
        ("source-maps-none", ArtifactBundleList { bundles: Vec::new(), ..bundles }.html()?),
        ("source-map-bundle", bundle_page().html()?),
        ("debug-files", files.html()?),
        ("debug-files-none", DebugFileList { files: Vec::new(), ..files.clone() }.html()?),
        (
            "debug-files-not-found",
            DebugFileList { files: Vec::new(), query: "beef".to_owned(), ..files }.html()?,
        ),
    ])
}

fn chrome(section: Section) -> Chrome {
    Chrome { project: Some(Project::sample()), ..Chrome::sample(section) }
}

fn ago(hours: i64) -> Timestamp {
    Timestamp(Chrome::sample(Section::None).now.ms() - hours * HOUR_MS)
}

fn upload() -> UploadHelp {
    UploadHelp {
        origin: "http://127.0.0.1:8000".to_owned(),
        organization: "default".to_owned(),
        project: "billing".to_owned(),
        ..UploadHelp::default()
    }
}

fn release_row(version: &str, issues_new: u64, events: u64, frames: Frames) -> ReleaseRow {
    ReleaseRow {
        version: version.to_owned(),
        url: Project::sample().release_url(version),
        first_event: (events > 0).then(|| ago(200)),
        last_event: (events > 0).then(|| ago(2)),
        created: ago(210),
        events,
        issues_new,
        bundles: 2,
        frames,
    }
}

fn releases() -> ReleaseList {
    let frames = |resolved, unresolved| Frames { resolved, unresolved };
    ReleaseList {
        chrome: chrome(Section::Releases),
        project: Project::sample(),
        query: String::new(),
        releases: vec![
            release_row("billing@2.4.2", 0, 0, frames(0, 0)),
            release_row("billing@2.4.1", 7, 12_840, frames(91_204, 0)),
            release_row("billing@2.4.0", 31, 128_400, frames(812_443, 40_231)),
            release_row("billing@2.3.0-rc.1+2f0c7e1a9d424b8e8a6b6f1f3c2d9e70", 1, 3, frames(0, 12)),
        ],
        first: None,
        next: Some("/default/billing/releases/?before=17-billing%402.3.0".to_owned()),
    }
}

fn release() -> ReleasePage {
    let issue = |title: &str, short_id: &str, events| ReleaseIssue {
        url: Project::sample().issue_url(short_id),
        short_id: short_id.to_owned(),
        title: title.to_owned(),
        culprit: "<billing::TieredPricing as billing::Pricing>::price".to_owned(),
        level: Level::Error,
        status: IssueStatus::Unresolved,
        unresolved_frames: events > 100,
        events,
        last_seen: ago(3),
    };
    ReleasePage {
        chrome: chrome(Section::Releases),
        project: Project::sample(),
        release: release_row(
            "billing@2.4.0",
            31,
            128_400,
            Frames { resolved: 812_443, unresolved: 40_231 },
        ),
        issues_url: "/default/billing/issues/?query=release%3Abilling%402.4.0".to_owned(),
        new: vec![issue("panic: index out of bounds", "BILLING-1K", 412)],
        seen: vec![issue("no discounts configured, list is empty", "BILLING-Z", 31)],
        bundles: vec![bundle(0)],
        upload: upload(),
    }
}

fn bundle(releases: usize) -> BundleRow {
    BundleRow {
        url: "/default/billing/source-maps/7/".to_owned(),
        bundle_id: "4dccfb77-3cb7-5050-aa16-6cd5695e2ee2".to_owned(),
        releases: (0..releases).map(|number| format!("billing@2.{number}.0")).collect(),
        files: 14,
        bytes: 4_812_443,
        uploaded: ago(30),
    }
}

fn bundles() -> ArtifactBundleList {
    ArtifactBundleList {
        chrome: chrome(Section::SourceMaps),
        project: Project::sample(),
        query: String::new(),
        bundles: vec![bundle(1), bundle(0), bundle(6)],
        first: Some("/default/billing/source-maps/".to_owned()),
        next: None,
        upload: upload(),
    }
}

fn bundle_page() -> ArtifactBundlePage {
    let file = |url: &str, kind: &str, lacks_map| BundledFile {
        url: url.to_owned(),
        kind: kind.to_owned(),
        debug_id: Some("739fa633-25cc-5ff3-90bb-6205b524fff1".to_owned()),
        lacks_map,
    };
    ArtifactBundlePage {
        chrome: chrome(Section::SourceMaps),
        project: Project::sample(),
        bundle: bundle(1),
        release_urls: vec![Project::sample().release_url("billing@2.0.0")],
        files: vec![
            file("~/app.js", "minified_source", false),
            file("~/app.js.map", "source_map", false),
            file("~/vendor.js", "minified_source", true),
            BundledFile { debug_id: None, ..file("~/theme.css", "source", false) },
        ],
    }
}

fn debug_files() -> DebugFileList {
    let row = |name: &str, kind: &str, features: &[&str], readiness| DebugFileRow {
        name: name.to_owned(),
        debug_id: "2b3458b9-925a-208c-aca7-75e81cd3ce10".to_owned(),
        code_id: Some("b958342b5a928c20aca775e81cd3ce102dd6f0d4".to_owned()),
        format: if kind == "src" { "sourcebundle" } else { "elf" }.to_owned(),
        kind: kind.to_owned(),
        arch: "x86_64".to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        bytes: 31_812_443,
        uploaded: ago(5),
        gaps: None,
        readiness,
    };
    let unusable = Readiness::Unusable("DWARF: unit 12 is cut off".to_owned());
    let too_large = Readiness::TooLargeHere("memory: more than 2.0 GiB".to_owned());
    let gaps = Some("no line information: compiled without -g".to_owned());
    DebugFileList {
        chrome: chrome(Section::DebugFiles),
        project: Project::sample(),
        query: String::new(),
        files: vec![
            row("billing.debug", "dbg", &["symtab", "debug"], Readiness::Ready),
            row("billing.src.zip", "src", &["sources"], Readiness::OnFirstUse),
            row("libpayments.so", "lib", &["symtab", "debug", "unwind"], unusable),
            row("engine", "exe", &["debug"], too_large),
            DebugFileRow { gaps, ..row("libold.so", "lib", &["unwind"], Readiness::Nothing) },
        ],
        first: None,
        next: None,
        upload: upload(),
    }
}
