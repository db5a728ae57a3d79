//! Stack traces of programs that send them readable: made of the catalogue's calls.

use serde_json::{Value, json};

use super::catalogue::{CallPath, Program};

/// Lines of context before and after a frame's line.
const CONTEXT_LINES: usize = 5;

/// A stack trace, and where it ends.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// As the SDK sends them, oldest first.
    pub(super) frames: Vec<Value>,
    /// The program's own function that was last called.
    pub(super) last: String,
    /// The library that it called, if it did.
    pub(super) library: Option<String>,
}

/// Returns every stack trace of a program: each call, alone and with each library it uses.
pub(super) fn stacks(program: &Program) -> Vec<Stack> {
    let mut stacks = Vec::new();
    for path in &program.path {
        stacks.push(stack(program, path, None));
        for library in &path.libraries {
            stacks.push(stack(program, path, Some(library)));
        }
    }
    stacks
}

fn stack(program: &Program, path: &CallPath, library: Option<&String>) -> Stack {
    let used = program.library.iter().find(|known| Some(&known.name) == library);
    let above = used.map(|library| library.frames.as_slice()).unwrap_or_default();
    let frames = program.entry.iter().map(|text| frame(program, text, false));
    let frames = frames.chain(path.frames.iter().map(|text| frame(program, text, true)));
    let frames = frames.chain(above.iter().map(|text| frame(program, text, false))).collect();
    let last = path.frames.last().and_then(|text| text.rsplit('|').next()).unwrap_or_default();
    Stack { frames, last: last.trim().to_owned(), library: library.cloned() }
}

/// Makes a frame of `module | file:line | function`.
fn frame(program: &Program, text: &str, is_own: bool) -> Value {
    let mut parts = text.split('|').map(str::trim);
    let (module, place) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let function = parts.next().unwrap_or_default();
    let (file, line) = place.rsplit_once(':').unwrap_or((place, "0"));
    let line: usize = line.parse().unwrap_or(0);
    let mut frame = json!({
        "module": module,
        "filename": file,
        "function": function,
        "lineno": line,
        "in_app": is_own,
    });
    if is_own && !program.abs_root.is_empty() {
        frame["abs_path"] = json!(format!("{}{file}", program.abs_root));
    }
    if let Some(source) = program.source.iter().find(|source| source.file == file) {
        let lines: Vec<&str> = source.text.trim_matches('\n').split('\n').collect();
        let at = line.wrapping_sub(source.start);
        if let Some(text) = lines.get(at) {
            let from = at.saturating_sub(CONTEXT_LINES);
            let to = (at + 1 + CONTEXT_LINES).min(lines.len());
            frame["pre_context"] = json!(lines[from..at]);
            frame["context_line"] = json!(text);
            frame["post_context"] = json!(lines[at + 1..to]);
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::seed::catalogue;

    #[test]
    fn own_frames_have_their_source_where_the_catalogue_has_it() {
        for program in catalogue::programs().unwrap() {
            for stack in stacks(&program) {
                for frame in &stack.frames {
                    let file = frame["filename"].as_str().unwrap();
                    let is_known = program.source.iter().any(|source| source.file == file);
                    assert_eq!(is_known, frame["context_line"].is_string(), "{frame}");
                    assert!(frame["lineno"].as_u64() > Some(0), "{frame}");
                }
                assert!(!stack.last.is_empty());
            }
        }
    }
}
