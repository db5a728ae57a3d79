//! Whose code a native frame is, once its function and file are known.

/// Prefixes of functions that are nobody's application.
const LIBRARY_FUNCTIONS: &[&str] = &[
    "std::",
    "core::",
    "alloc::",
    "proc_macro::",
    "test::",
    "__rust",
    "rust_begin_unwind",
    "rust_panic",
    "backtrace::",
    "sentry::",
    "sentry_core::",
    "sentry_panic::",
    "sentry_backtrace::",
    "sentry_contexts::",
    "tokio::",
    "futures_util::",
    "futures_core::",
    "hyper::",
    "rayon::",
    "rayon_core::",
    "log::",
    "tracing::",
    "__cxxabiv1::",
    "__gnu_cxx::",
    "boost::",
    "__libc_start",
    "_start",
    "__cxa_",
    "_Unwind_",
    "__pthread",
    "start_thread",
    "clone",
    "__clone",
];

/// Functions that equal one of these are nobody's application.
const LIBRARY_NAMES: &[&str] = &[
    "abort",
    "raise",
    "panic_unwind",
    "main_wrapper",
    "__scrt_common_main_seh",
    "BaseThreadInitThunk",
];

/// Parts of source paths that belong to toolchains and package managers.
const LIBRARY_PATHS: &[&str] = &[
    "/rustc/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/cargo/registry/",
    "/.rustup/",
    "/usr/include/",
    "/usr/lib/",
    "/usr/src/",
    "/lib/gcc/",
    "/c++/",
    "/glibc",
    "/sysdeps/",
    "/csu/",
    "/node_modules/",
    "/go/pkg/mod/",
    "/site-packages/",
    "library/std/",
    "library/core/",
    "library/alloc/",
];

/// Where images of the system live.
const SYSTEM_PACKAGES: &[&str] =
    &["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/System/", "linux-vdso", "linux-gate"];

/// Says whether a native frame is the user's own code. What the SDK excluded stays excluded.
pub fn native(
    function: &str,
    path: Option<&str>,
    package: Option<&str>,
    sent: Option<bool>,
) -> bool {
    if sent == Some(false) {
        return false;
    }
    let package = package.unwrap_or_default();
    if SYSTEM_PACKAGES.iter().any(|prefix| package.starts_with(prefix)) {
        return false;
    }
    let path = path.unwrap_or_default().replace('\\', "/");
    if LIBRARY_PATHS.iter().any(|part| path.contains(part)) {
        return false;
    }
    // `<core::option::Option<T> as …>::method` belongs to the crate of the type.
    let name = function.trim_start_matches(['<', '&', '*']);
    let is_library = LIBRARY_NAMES.contains(&name)
        || LIBRARY_FUNCTIONS.iter().any(|prefix| {
            match prefix.ends_with("::") || prefix.len() > 6 {
                true => name.starts_with(prefix),
                false => name == *prefix,
            }
        });
    !is_library
}

/// Shortens a source path for people: from the last `src/` on, else the last two components.
pub fn short_path(path: &str) -> String {
    let path = path.replace('\\', "/");
    let start = match path.rfind("/src/") {
        Some(slash) => slash + 1,
        None => path.rmatch_indices('/').nth(1).map_or(0, |(slash, _)| slash + 1),
    };
    path[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, path: &str, expected: bool) {
        assert_eq!(native(function, Some(path), Some("/opt/app/bin"), None), expected);
    }

    #[test]
    fn toolchain_and_packages_are_not_the_application() {
        check("billing::total", "/build/src/billing.rs", true);
        check(
            "core::ops::function::FnOnce::call_once",
            "/rustc/abc/library/core/src/ops/function.rs",
            false,
        );
        check("<alloc::vec::Vec<T> as core::ops::Index>::index", "", false);
        check("serde_json::from_str", "/home/u/.cargo/registry/src/x/serde_json/src/de.rs", false);
        check("std::vector::push_back", "/usr/include/c++/12/bits/stl_vector.h", false);
        check("clone_order", "/build/src/order.rs", true);
        check("clone", "", false);
        assert!(!native("f", None, Some("/usr/lib/x86_64-linux-gnu/libc.so.6"), None));
        assert!(!native("f", None, None, Some(false)));
    }

    #[test]
    fn paths_are_shortened_for_people() {
        assert_eq!(short_path("/build/billing/src/price/tier.rs"), "src/price/tier.rs");
        assert_eq!(short_path("/build/app/main.cc"), "app/main.cc");
        assert_eq!(short_path("C:\\app\\src\\main.cc"), "src/main.cc");
        assert_eq!(short_path("main.c"), "main.c");
    }
}
