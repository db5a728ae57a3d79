//! Whose code a library frame is: `std`, `tokio`, `node`, `react-dom`, `libc`…
//!
//! A guess for people, made from where the source lay, else from the function's name, else from the
//! image. Nothing but the words on a folded line depends on it.

use protocol::stacktrace::Frame;

/// Longest name of an owner, in characters.
const OWNER_CHARS_MAX: usize = 40;

/// Returns whose code the frame is, for a line such as `14 frames of std, core and sentry`.
pub(crate) fn owner(frame: &Frame) -> Option<String> {
    let path = frame.abs_path.as_deref().or(frame.filename.as_deref()).unwrap_or_default();
    let found = of_path(&path.replace('\\', "/"))
        .or_else(|| frame.function.as_deref().and_then(of_function))
        .or_else(|| frame.module.as_deref().and_then(of_module))
        .or_else(|| frame.package.as_deref().and_then(image_name));
    let found = found.filter(|name| !name.is_empty())?;
    Some(found.chars().take(OWNER_CHARS_MAX).collect())
}

/// `/usr/lib/libpayments.so.2` → `libpayments.so.2`.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|name| !name.is_empty()).unwrap_or(path)
}

fn of_path(path: &str) -> Option<String> {
    rust_library(path)
        .or_else(|| cargo_crate(path))
        .or_else(|| node_module(path))
        .or_else(|| python_package(path))
        .or_else(|| served_file(path))
}

/// `/rustc/<hash>/library/std/src/…` → `std`.
fn rust_library(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/library/")?;
    let (name, rest) = rest.split_once('/')?;
    let is_rust = path.contains("rustc/") || path.contains("/rustlib/");
    // Backtrace and others live deeper: library/backtrace/src.
    (is_rust && rest.contains("src")).then(|| name.to_owned())
}

/// `…/registry/src/<index>/tokio-1.54.1/src/…` → `tokio`.
fn cargo_crate(path: &str) -> Option<String> {
    let (_, rest) =
        path.split_once("registry/src/").or_else(|| path.split_once("git/checkouts/"))?;
    let name = rest.split('/').nth(1)?;
    Some(match name.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            name.to_owned()
        }
        _ => rest.split('/').next()?.rsplit_once('-').map_or(name, |(name, _)| name).to_owned(),
    })
}

/// `…/node_modules/@scope/name/…` → `@scope/name`; `node:internal/…` → `node`.
fn node_module(path: &str) -> Option<String> {
    if path.starts_with("node:") || path.starts_with("internal/") {
        return Some("node".to_owned());
    }
    let (_, rest) = path.rsplit_once("node_modules/")?;
    let mut parts = rest.split('/');
    let name = parts.next()?;
    match parts.next() {
        Some(inner) if name.starts_with('@') => Some(format!("{name}/{inner}")),
        _ => Some(name.to_owned()),
    }
}

/// `…/site-packages/django/…` → `django`; `…/lib/python3.13/json/…` → `python`.
fn python_package(path: &str) -> Option<String> {
    for folder in ["/site-packages/", "/dist-packages/"] {
        if let Some((_, rest)) = path.rsplit_once(folder) {
            let name = rest.split('/').next()?;
            return Some(name.strip_suffix(".py").unwrap_or(name).to_owned());
        }
    }
    let is_library = path.contains("/lib/python") || path.starts_with("<frozen ");
    is_library.then(|| "python".to_owned())
}

/// `https://shop.example/assets/vendor-1.js?v=2` → `vendor-1.js`.
fn served_file(path: &str) -> Option<String> {
    if !path.starts_with("http://") && !path.starts_with("https://") {
        return None;
    }
    let name = file_name(path.split(['?', '#']).next()?);
    name.contains(".js").then(|| name.to_owned())
}

/// `<alloc::boxed::Box<F> as core::ops::FnOnce>::call_once` → `alloc`; needs a path with `::`.
fn of_function(function: &str) -> Option<String> {
    let name = function.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    let name = name.strip_prefix("mut ").unwrap_or(name);
    let (first, _) = name.split_once("::")?;
    let is_word = first.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_word && !first.is_empty() && first != "_").then(|| first.to_owned())
}

/// `java.util.concurrent.ThreadPoolExecutor` → `java.util`; `django.core.handlers` → `django`.
fn of_module(module: &str) -> Option<String> {
    let mut parts = module.split('.');
    let first = parts.next()?;
    let is_reversed_domain =
        ["java", "javax", "jdk", "kotlin", "android", "androidx", "com", "org", "io", "net"]
            .contains(&first);
    match parts.next() {
        Some(second) if is_reversed_domain => Some(format!("{first}.{second}")),
        _ => Some(first.split('/').next()?.to_owned()),
    }
}

/// `/usr/lib/libc.so.6` → `libc`.
fn image_name(package: &str) -> Option<String> {
    let name = file_name(package);
    let stem = name.split(".so").next().unwrap_or(name);
    let stem =
        [".dylib", ".dll", ".exe"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    Some(stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(frame: Frame, expected: Option<&str>) {
        assert_eq!(owner(&frame).as_deref(), expected);
    }

    fn at(path: &str) -> Frame {
        Frame { abs_path: Some(path.to_owned()), ..Frame::default() }
    }

    fn called(function: &str) -> Frame {
        Frame { function: Some(function.to_owned()), ..Frame::default() }
    }

    #[test]
    fn paths_name_the_package() {
        check(at("/rustc/2d8144b/library/std/src/panicking.rs"), Some("std"));
        check(at("/rustc/2d8144b/library/core/src/ops/function.rs"), Some("core"));
        check(at("/c/registry/src/index-1/tokio-1.54.1/src/runtime/task.rs"), Some("tokio"));
        check(at("/c/registry/src/index-1/serde_json-1.0.1/src/de.rs"), Some("serde_json"));
        check(at("/app/node_modules/express/lib/router/index.js"), Some("express"));
        check(at("/app/node_modules/a/node_modules/@sentry/node/index.js"), Some("@sentry/node"));
        check(at("https://shop.example/assets/vendor-1.js?v=2"), Some("vendor-1.js"));
        check(at("node:internal/process/task_queues"), Some("node"));
        check(at("/venv/lib/python3.13/site-packages/django/core/x.py"), Some("django"));
        check(at("/usr/lib/python3.13/json/decoder.py"), Some("python"));
        check(at(r"C:\app\node_modules\koa\index.js"), Some("koa"));
    }

    #[test]
    fn functions_name_the_crate_or_namespace() {
        check(called("core::panicking::panic_bounds_check"), Some("core"));
        check(called("<alloc::boxed::Box<F> as core::ops::FnOnce>::call_once"), Some("alloc"));
        check(called("<&dyn tracing::Subscriber as x::Y>::event"), Some("tracing"));
        check(called("__libc_start_main"), None);
        check(called("<F as x>::y"), None);
    }

    #[test]
    fn images_and_modules_are_the_last_resort() {
        let frame = Frame {
            package: Some("/usr/lib/x86_64-linux-gnu/libc.so.6".to_owned()),
            ..called("__libc_start_main")
        };
        check(frame, Some("libc"));
        let frame = Frame { module: Some("java.util.concurrent.X".to_owned()), ..Frame::default() };
        check(frame, Some("java.util"));
        check(Frame::default(), None);
    }
}
