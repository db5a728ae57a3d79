//! Native frames: from an address to function, file, line and inlined calls.

use protocol::debug_meta::DebugImage;
use protocol::event::Event;
use protocol::id::DebugId;
use protocol::stacktrace::{Frame, FrameStatus, FrameTrust, SourceRef, Stacktrace, Symbolicated};

use crate::demangle;
use crate::images::{Images, wanted_for};
use crate::in_app;
use crate::language::Language;
use crate::native::{Lookup, LookupFrame, NativeLookup};
use crate::symbolication::Findings;
use crate::wanted::{Found, Wanted};

/// Platforms whose frames carry addresses.
const NATIVE_PLATFORMS: &[&str] = &["native", "c", "cocoa", "objc", "swift", "rust", "cpp"];

/// Where a frame stands.
pub(crate) struct Place<'a> {
    pub(crate) trace: &'a Stacktrace,
    pub(crate) index: usize,
    /// Whether the event is a crash, so that the newest address is where the program was.
    pub(crate) is_crash: bool,
}

/// A native frame's address in its image.
struct Located<'a> {
    image: &'a DebugImage,
    module_offset: u64,
}

/// Returns what a frame needs.
pub(crate) fn wanted(frame: &Frame, event: &Event, images: &Images<'_>) -> Option<Wanted> {
    let addr = native_addr(frame, event)?;
    wanted_for(locate(frame, addr, images)?.image)
}

/// Symbolicates a native frame; `None` where it is none.
///
/// Returned frames are ordered as in the trace: the physical function first, its innermost inlined call last.
pub(crate) fn symbolicate(
    frame: &Frame,
    place: &Place<'_>,
    event: &Event,
    images: &Images<'_>,
    findings: &Findings,
) -> Option<Vec<Frame>> {
    let addr = native_addr(frame, event)?;
    let Some(located) = locate(frame, addr, images) else {
        return Some(vec![unresolved(frame, place.index, FrameStatus::UnknownImage, None)]);
    };
    let image = located.image;
    let offset = located.module_offset;
    let Some(wanted) = wanted_for(image) else {
        let status = FrameStatus::ImageWithoutId { code_file: image.code_file.clone() };
        return Some(vec![unresolved(frame, place.index, status, Some(&located))]);
    };
    let lookup = match findings.get(&wanted) {
        Some(Found::Native(lookup)) => lookup,
        other => {
            let status = refusal(other, image);
            return Some(vec![unresolved(frame, place.index, status, Some(&located))]);
        }
    };
    let is_return = is_return_address(frame, place);
    let asked = if is_return { offset.saturating_sub(1) } else { offset };
    let made = frames(frame, place.index, lookup, asked, &located, findings);
    if made.is_empty() {
        let debug_id = image.debug_id.unwrap_or(NIL);
        let status = FrameStatus::MissingSymbol { debug_id, module_offset: offset };
        return Some(vec![unresolved(frame, place.index, status, Some(&located))]);
    }
    Some(made)
}

/// Stands for "known by its code id only".
const NIL: DebugId = DebugId { uuid: uuid::Uuid::nil(), age: 0 };

/// Returns the address of a native frame.
pub(crate) fn native_addr(frame: &Frame, event: &Event) -> Option<u64> {
    let platform = frame.platform.as_deref().or(event.platform.as_deref()).unwrap_or_default();
    let addr = frame.instruction_addr?.0;
    NATIVE_PLATFORMS.contains(&platform).then_some(addr)
}

fn locate<'a>(frame: &Frame, addr: u64, images: &Images<'a>) -> Option<Located<'a>> {
    let relative = frame.addr_mode.as_deref().and_then(|mode| mode.strip_prefix("rel:"));
    let (image, module_offset) = match relative {
        Some(index) => (images.by_index(index.parse().ok()?)?, addr),
        None => images.at(addr)?,
    };
    Some(Located { image, module_offset })
}

/// Says whether the address is where a call returns to, so that the call itself stands one byte before.
///
/// All but the newest frame are return addresses. The newest is one too when an SDK captured the trace by
/// itself (a Rust panic); it is none when the registers or the signal say that the program was there. That
/// is `auto` of Sentry's protocol, made precise: a call that never returns may be the last of its function,
/// so a return address taken as it is would name the function behind it.
fn is_return_address(frame: &Frame, place: &Place<'_>) -> bool {
    let is_newest = place.index + 1 == place.trace.frames.len();
    match place.trace.instruction_addr_adjustment.as_deref() {
        Some("all") => true,
        Some("none") => false,
        Some("all_but_first") => !is_newest,
        _ if !is_newest => true,
        _ => {
            let is_context = frame.trust == Some(FrameTrust::Context);
            !is_context && !place.is_crash && !is_program_counter(frame, place.trace)
        }
    }
}

fn is_program_counter(frame: &Frame, trace: &Stacktrace) -> bool {
    let names = ["rip", "eip", "pc", "ip", "x32"];
    let registers = names.iter().filter_map(|name| trace.registers.get(*name));
    let mut addrs = registers.filter_map(protocol::addr::Addr::from_value);
    addrs.any(|addr| Some(addr) == frame.instruction_addr)
}

/// Makes one frame for each function of the chain.
fn frames(
    raw: &Frame,
    index: usize,
    lookup: &NativeLookup,
    asked: u64,
    located: &Located<'_>,
    findings: &Findings,
) -> Vec<Frame> {
    let Lookup::Frames(chain) = lookup.lookup(asked) else { return Vec::new() };
    let mut made: Vec<Frame> = chain
        .into_iter()
        .map(|found| symbolicated(raw, index, &found, lookup, located, findings))
        .collect();
    // Innermost first in the look-up file, oldest first in the trace.
    made.reverse();
    made
}

fn symbolicated(
    raw: &Frame,
    index: usize,
    found: &LookupFrame<'_>,
    lookup: &NativeLookup,
    located: &Located<'_>,
    findings: &Findings,
) -> Frame {
    let image = located.image;
    let short = found.display.to_owned();
    let path = found.file.map(str::to_owned);
    let debug_id = image.debug_id.unwrap_or(NIL);
    let status = match (found.line, &path) {
        (Some(_), Some(_)) => FrameStatus::Symbolicated,
        _ => FrameStatus::SymbolicatedWithoutLine { debug_id, file_has_lines: lookup.has_lines() },
    };
    let in_app = in_app::native(&short, path.as_deref(), image.code_file.as_deref(), raw.in_app);
    let start = found.function_offset;
    let image_addr = image.image_addr.filter(|_| raw.addr_mode.is_none());
    Frame {
        raw_function: Some(found.function.to_owned()).filter(|full| *full != short),
        function: Some(short),
        symbol: Some(found.symbol.to_owned()),
        module: None,
        package: raw.package.clone().or_else(|| image.code_file.clone()),
        filename: path.as_deref().map(in_app::short_path),
        lineno: found.line,
        colno: None,
        in_app: Some(in_app),
        symbol_addr: image_addr.map(|addr| protocol::addr::Addr(addr.0.saturating_add(start))),
        lang: lang(found.language),
        symbolication: Some(Symbolicated {
            status,
            original_index: u32::try_from(index).unwrap_or(u32::MAX),
            inlined: found.inlined,
            source: source(path.as_deref(), found.line, debug_id, findings),
            minified: None,
            module_offset: Some(located.module_offset),
        }),
        abs_path: path,
        pre_context: Vec::new(),
        context_line: None,
        post_context: Vec::new(),
        ..raw.clone()
    }
}

/// Names the language as Sentry does, where debug information says it.
fn lang(language: Language) -> Option<String> {
    let name = serde_json::to_value(language).ok().filter(|_| language != Language::Unknown)?;
    name.as_str().map(str::to_owned)
}

/// Finds the source text that was uploaded for the image.
fn source(
    path: Option<&str>,
    line: Option<u32>,
    debug_id: DebugId,
    findings: &Findings,
) -> Option<SourceRef> {
    let Some(Found::Sources { sources, derived }) = findings.get(&Wanted::Sources { debug_id })
    else {
        return None;
    };
    let hash = sources.hash(sources.find(path?)?)?;
    Some(SourceRef { derived: derived.clone(), hash: hex(&hash), line: line? })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why there is no look-up file.
fn refusal(found: Option<&Found>, image: &DebugImage) -> FrameStatus {
    let debug_id = image.debug_id.unwrap_or(NIL);
    match found {
        Some(Found::Unusable(reason)) => FrameStatus::UnusableDebugFile {
            debug_id,
            code_file: image.code_file.clone(),
            reason: reason.clone(),
        },
        Some(Found::TooLargeHere(reason)) => {
            FrameStatus::TooLargeHere { debug_id, reason: reason.clone() }
        }
        _ => FrameStatus::MissingDebugFile {
            debug_id: image.debug_id,
            code_id: image.code_id.clone(),
            code_file: image.code_file.clone(),
            arch: image.arch.clone(),
        },
    }
}

/// Keeps what the SDK sent, with the verdict; a frame that the SDK resolved itself needs nobody's file.
fn unresolved(
    frame: &Frame,
    index: usize,
    status: FrameStatus,
    located: Option<&Located<'_>>,
) -> Frame {
    let is_readable = frame.function.is_some() && frame.lineno.is_some();
    let image = located.map(|located| located.image);
    let code_file = image.and_then(|image| image.code_file.clone());
    let function = frame
        .function
        .as_deref()
        .map(|name| demangle::demangle(name, Language::Unknown).into_owned());
    let short = function.as_deref().map(|name| demangle::trim(name).into_owned());
    let is_in_app = in_app::native(
        short.as_deref().unwrap_or_default(),
        frame.abs_path.as_deref(),
        code_file.as_deref(),
        frame.in_app,
    );
    Frame {
        raw_function: frame
            .raw_function
            .clone()
            .or(function)
            .filter(|full| Some(full) != short.as_ref()),
        function: short,
        package: frame.package.clone().or(code_file),
        in_app: Some(is_in_app),
        symbolication: Some(Symbolicated {
            status: if is_readable { FrameStatus::AsSent } else { status },
            original_index: u32::try_from(index).unwrap_or(u32::MAX),
            module_offset: located.map(|located| located.module_offset),
            ..Symbolicated::default()
        }),
        ..frame.clone()
    }
}
