//! The commands that bring what is missing, filled in.

use std::collections::BTreeMap;

use protocol::id::DebugId;

/// What the commands on the page need to know.
#[derive(Debug, Clone, Default)]
pub struct UploadHelp {
    /// Address of this server as the developer reaches it, without a slash at the end.
    pub origin: String,
    /// Slug of the organization.
    pub organization: String,
    /// Slug of the project.
    pub project: String,
    /// How many events wait, by the key of the missing file (`debug-id:…`, `code-id:…`, `sourcemap:…`).
    pub waiting: BTreeMap<String, u64>,
}

/// Folders that build tools write JavaScript to; only these are ever taken from an event's path.
const OUTPUT_FOLDERS: [&str; 7] = ["dist", "build", "out", "public", ".next", ".output", "www"];
/// Folders of cargo's two usual profiles below `target`.
const CARGO_PROFILES: [&str; 2] = ["release", "debug"];
/// Where a distribution's debug packages put their files.
const SYSTEM_DEBUG_FOLDER: &str = "/usr/lib/debug";

impl UploadHelp {
    /// The command that uploads the debug file with this id, with its sources.
    ///
    /// Nothing in it comes from the event as text: an event is anybody's words, and commands get pasted.
    pub(crate) fn debug_file(&self, debug_id: Option<&DebugId>, code_file: Option<&str>) -> String {
        let id = debug_id.map(|id| format!(" --id {id}")).unwrap_or_default();
        // A distribution's debug package brings no sources.
        let sources = if code_file.is_some_and(is_system) { "" } else { " --include-sources" };
        format!(
            "{} debug-files upload {}{sources}{id} {}",
            self.program(),
            self.place(),
            debug_folder(code_file)
        )
    }

    /// The command that uploads the source maps of a build whose files already carry debug ids.
    pub(crate) fn source_maps(&self, abs_path: &str) -> String {
        let folder = output_folder(abs_path);
        format!("{} sourcemaps upload {} {folder}", self.program(), self.place())
    }

    /// The commands that put debug ids into a build and upload its source maps for a release.
    ///
    /// The release's name is anybody's word, and the command is pasted into a shell: it is quoted.
    pub(crate) fn source_maps_of_release(&self, release: &str) -> String {
        let (program, place) = (self.program(), self.place());
        let upload =
            format!("{program} sourcemaps upload {place} --release {} ./dist", quoted(release));
        format!("sentry-cli sourcemaps inject ./dist && {upload}")
    }

    /// The commands that put debug ids into a build and upload its source maps.
    pub(crate) fn inject_and_upload(&self, abs_path: &str) -> String {
        let folder = output_folder(abs_path);
        format!("sentry-cli sourcemaps inject {folder} && {}", self.source_maps(abs_path))
    }

    /// How many events wait for one of these keys.
    pub(crate) fn waiting_for(&self, keys: &[String]) -> Option<u64> {
        keys.iter()
            .filter_map(|key| self.waiting.get(key))
            .max()
            .copied()
            .filter(|count| *count > 0)
    }

    fn program(&self) -> String {
        format!("sentry-cli --url {}", quoted(&self.origin))
    }

    fn place(&self) -> String {
        format!("--org {} --project {}", quoted(&self.organization), quoted(&self.project))
    }
}

/// Where to look for a debug file, judged by where its image was loaded from.
fn debug_folder(code_file: Option<&str>) -> String {
    let Some(path) = code_file else { return ".".to_owned() };
    if is_system(path) {
        return SYSTEM_DEBUG_FOLDER.to_owned();
    }
    let names = folders(path);
    let profile = names.iter().position(|name| *name == "target").and_then(|at| {
        let below = names.get(at + 1..)?;
        CARGO_PROFILES.into_iter().find(|profile| below.contains(profile))
    });
    profile.map_or_else(|| ".".to_owned(), |profile| format!("./target/{profile}"))
}

/// Says whether a distribution, not the user, built what lies at this path.
pub(crate) fn is_system(path: &str) -> bool {
    let folders = ["/lib/", "/lib64/", "/lib32/", "/usr/lib/", "/usr/lib64/", "/System/Library/"];
    folders.iter().any(|folder| path.starts_with(folder))
}

fn output_folder(abs_path: &str) -> String {
    let names = folders(abs_path);
    let folder = OUTPUT_FOLDERS.into_iter().find(|folder| names.contains(folder));
    format!("./{}", folder.unwrap_or("dist"))
}

/// The folders of a path or URL, without the file's own name.
fn folders(path: &str) -> Vec<&str> {
    let mut names: Vec<&str> = path.split(['/', '\\']).collect();
    names.pop();
    names
}

/// Quotes a word for a POSIX shell where that is needed.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+[]".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_taken_from_known_names_only() {
        assert_eq!(debug_folder(Some("/srv/app/target/release/billing")), "./target/release");
        assert_eq!(
            debug_folder(Some("/b/target/x86_64-unknown-linux-musl/debug/app")),
            "./target/debug"
        );
        assert_eq!(debug_folder(Some("/usr/lib/x86_64-linux-gnu/libc.so.6")), "/usr/lib/debug");
        assert_eq!(debug_folder(Some("/opt/$(reboot)/app")), ".");
        assert_eq!(debug_folder(None), ".");
        assert_eq!(output_folder("app:///dist/server/index.js"), "./dist");
        assert_eq!(output_folder("https://shop.example/assets/app-1.js"), "./dist");
        assert_eq!(output_folder("/srv/web/build/main.js"), "./build");
        assert_eq!(output_folder("/x;rm -rf ~/main.js"), "./dist");
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted("http://127.0.0.1:8000"), "http://127.0.0.1:8000");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("$(id)"), "'$(id)'");
    }
}
