//! The files that events of a project wait for.

use askama::Template;
use protocol::id::DebugId;
use protocol::stacktrace::FrameStatus;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::help::UploadHelp;
use crate::page::{Page, RenderError};
use crate::reason::{self, Reason};
use crate::when::When;

/// `/{organization}/{project}/missing/`.
#[derive(Debug, Clone, Template)]
#[template(path = "missing.html")]
pub struct MissingPage {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The files, those first that most events wait for.
    pub files: Vec<MissingRow>,
}

/// A file that events wait for.
#[derive(Debug, Clone)]
pub struct MissingRow {
    /// What it is.
    pub file: MissingFile,
    /// How many events wait for it.
    pub events: u64,
    /// When the newest of them was received.
    pub last_seen: Timestamp,
    /// Address of the newest of them.
    pub event_url: Option<String>,
}

/// A file that would make frames readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// What kind of file.
    pub kind: MissingKind,
    /// Path or URL of the image or script that it belongs to; empty where nothing names it.
    pub name: String,
    /// Its debug id.
    pub debug_id: Option<String>,
    /// Its code id.
    pub code_id: Option<String>,
    /// Its architecture.
    pub arch: Option<String>,
    /// Why frames need it, and the command that brings it.
    pub reason: Reason,
}

/// What kind of file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingKind {
    /// Functions and lines of a native image.
    DebugFile,
    /// The source map of a script.
    SourceMap,
}

impl MissingKind {
    /// Returns the word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DebugFile => "debug_file",
            Self::SourceMap => "source_map",
        }
    }

    /// The words for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::DebugFile => "debug file",
            Self::SourceMap => "source map",
        }
    }
}

impl MissingFile {
    /// Says what a frame's verdict waits for; `name` is what the frame calls its image or script. `None` where
    /// no upload helps.
    pub fn of(status: &FrameStatus, name: Option<&str>, help: &UploadHelp) -> Option<Self> {
        let keys = keys_of(status);
        let reason = reason::reason(status, help).filter(|reason| reason.command.is_some())?;
        let of = |kind: &str| keys.iter().find_map(|key| key.strip_prefix(kind)).map(str::to_owned);
        let source_map = of("sourcemap:");
        let (own_name, arch) = match status {
            FrameStatus::MissingDebugFile { code_file, arch, .. } => {
                (code_file.as_deref(), arch.clone())
            }
            FrameStatus::UnusableDebugFile { code_file, .. } => (code_file.as_deref(), None),
            FrameStatus::MissingSourceMap { abs_path, .. }
            | FrameStatus::BundleWithoutMap { abs_path, .. }
            | FrameStatus::UnusableSourceMap { abs_path, .. }
            | FrameStatus::PositionOutOfRange { abs_path, .. } => (Some(abs_path.as_str()), None),
            _ => (None, None),
        };
        Some(Self {
            kind: match (&source_map, status) {
                (Some(_), status) if !matches!(status, FrameStatus::TooLargeHere { .. }) => {
                    MissingKind::SourceMap
                }
                _ => MissingKind::DebugFile,
            },
            name: own_name.or(name).unwrap_or_default().to_owned(),
            debug_id: of("debug-id:").or(source_map),
            code_id: of("code-id:"),
            arch,
            reason,
        })
    }

    /// The last component of the name.
    fn short_name(&self) -> &str {
        let path = self.name.split(['?', '#']).next().unwrap_or_default();
        let last = path.rsplit(['/', '\\']).find(|part| !part.is_empty());
        last.unwrap_or(match self.kind {
            MissingKind::DebugFile => "an image without a name",
            MissingKind::SourceMap => "a script without a name",
        })
    }
}

/// Returns the keys of the files that would give a frame another verdict.
pub fn keys_of(status: &FrameStatus) -> Vec<String> {
    let debug_file = |id: &DebugId| format!("debug-id:{id}");
    let source_map = |id: &DebugId| format!("sourcemap:{id}");
    match status {
        FrameStatus::SymbolicatedWithoutLine { debug_id, .. }
        | FrameStatus::MissingSymbol { debug_id, .. }
        | FrameStatus::UnusableDebugFile { debug_id, .. } => vec![debug_file(debug_id)],
        FrameStatus::TooLargeHere { debug_id, .. } => {
            vec![debug_file(debug_id), source_map(debug_id)]
        }
        FrameStatus::UnusableSourceMap { debug_id, .. }
        | FrameStatus::PositionOutOfRange { debug_id, .. }
        | FrameStatus::PositionUnmapped { debug_id, .. } => vec![source_map(debug_id)],
        _ => reason::missing_keys(status),
    }
}

impl Page for MissingPage {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl MissingPage {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    /// A project whose crashes wait for three files.
    pub(crate) fn sample(chrome: Chrome, project: Project, help: &UploadHelp) -> Self {
        let now = chrome.now;
        let debug_id = "bf5627ec-1a34-c0cc-408d-e3b4ae21aaee".parse::<DebugId>().ok();
        let native = FrameStatus::MissingDebugFile {
            debug_id,
            code_id: "ec2756bf341accc0408de3b4ae21aaee0d7c1f52".parse().ok(),
            code_file: Some("/srv/billing/target/release/billing".to_owned()),
            arch: Some("x86_64".to_owned()),
        };
        let system = FrameStatus::MissingDebugFile {
            debug_id: "5ca1ab1e-77aa-4c0b-8d2e-90ab12cd34ef".parse().ok(),
            code_id: None,
            code_file: Some("/usr/lib/x86_64-linux-gnu/libc.so.6".to_owned()),
            arch: Some("x86_64".to_owned()),
        };
        let script = debug_id.map(|debug_id| FrameStatus::BundleWithoutMap {
            debug_id,
            abs_path: "https://shop.example/assets/checkout-4f1c.js".to_owned(),
        });
        let statuses = [(Some(native), 1_214), (script, 311), (Some(system), 9)];
        let row = |(status, events): (Option<FrameStatus>, u64)| {
            Some(MissingRow {
                file: MissingFile::of(&status?, None, help)?,
                events,
                last_seen: Timestamp(now.ms() - 240_000),
                event_url: Some(format!("{}SAMPLE/", project.issues_url())),
            })
        };
        let files = statuses.into_iter().filter_map(row).collect();
        Self { chrome, project: project.clone(), files }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> DebugId {
        "bf5627ec-1a34-c0cc-408d-e3b4ae21aaee".parse().unwrap()
    }

    #[test]
    fn only_what_an_upload_fixes_is_a_missing_file() {
        let help = UploadHelp::default();
        let fixes = |status: &FrameStatus| MissingFile::of(status, None, &help).is_some();
        assert!(fixes(&FrameStatus::SymbolicatedWithoutLine {
            debug_id: id(),
            file_has_lines: false
        }));
        assert!(!fixes(&FrameStatus::SymbolicatedWithoutLine {
            debug_id: id(),
            file_has_lines: true
        }));
        assert!(!fixes(&FrameStatus::UnknownImage));
        assert!(!fixes(&FrameStatus::PositionUnmapped { debug_id: id(), abs_path: String::new() }));
    }

    #[test]
    fn files_are_named_by_what_is_known() {
        let help = UploadHelp::default();
        let path = "https://h/a/app.js?v=1";
        let status = FrameStatus::MissingSourceMap { debug_id: id(), abs_path: path.to_owned() };
        let file = MissingFile::of(&status, None, &help).unwrap();
        assert_eq!(
            (file.kind, file.short_name(), file.name.as_str()),
            (MissingKind::SourceMap, "app.js", path)
        );
        assert_eq!(file.debug_id, Some(id().to_string()));
        let status = FrameStatus::MissingSymbol { debug_id: id(), module_offset: 1 };
        let file = MissingFile::of(&status, Some("/opt/app"), &help).unwrap();
        assert_eq!((file.kind, file.short_name()), (MissingKind::DebugFile, "app"));
    }
}
