//! Whose code a native frame is, once its function and file are known.

/// Functions that begin like this are nobody's application.
const LIBRARY_PREFIXES: &[&str] = &[
    "std::",
    "core::",
    "alloc::",
    "proc_macro::",
    "test::",
    "panic_unwind::",
    "__rust",
    "rust_begin_unwind",
    "rust_panic",
    "rust_eh_personality",
    "backtrace::",
    "sentry::",
    "sentry_",
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
    "operator new",
    "operator delete",
    "__cxa_",
    "__gxx_personality",
    "_Unwind_",
    "__libc_",
    "__GI_",
    "__pthread",
    "__assert_fail",
    "__stack_chk_fail",
    "__restore_rt",
    "_dl_",
];

/// Functions that equal one of these are nobody's application.
const LIBRARY_NAMES: &[&str] = &[
    "_start",
    "start_thread",
    "clone",
    "clone3",
    "__clone",
    "__clone3",
    "abort",
    "raise",
    "gsignal",
    "main_wrapper",
    "__scrt_common_main_seh",
    "BaseThreadInitThunk",
];

/// Parts of source paths that belong to toolchains and package managers.
///
/// `/usr/src/` is none: containers build applications there.
const LIBRARY_PATHS: &[&str] = &[
    "/rustc/",
    "/rustc-",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/cargo/registry/",
    "/cargo/git/",
    "/.rustup/",
    "/usr/include/",
    "/usr/lib/",
    "/usr/src/debug/",
    "/lib/gcc/",
    "/include/c++/",
    "/libstdc++-v3/",
    "/libgcc/",
    "/glibc",
    "/sysdeps/",
    "/node_modules/",
    "/go/pkg/mod/",
    "/site-packages/",
];

/// How relative source paths of toolchains begin.
const LIBRARY_FOLDERS: &[&str] = &[
    "library/std/",
    "library/core/",
    "library/alloc/",
    "csu/",
    "./csu/",
    "../csu/",
    "../sysdeps/",
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
    if LIBRARY_PATHS.iter().any(|part| path.contains(part))
        || LIBRARY_FOLDERS.iter().any(|folder| path.starts_with(folder))
    {
        return false;
    }
    // `<core::option::Option<T> as …>::method` belongs to the crate of the type.
    let name = function.trim_start_matches(['<', '&', '*']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    !LIBRARY_NAMES.contains(&name) && !LIBRARY_PREFIXES.iter().any(|start| name.starts_with(start))
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
        check("billing::total", "/usr/src/billing/src/total.rs", true);
        check("total", "/home/u/c++/library/core/total.cc", true);
        check("clone", "", false);
        assert!(!native("f", None, Some("/usr/lib/x86_64-linux-gnu/libc.so.6"), None));
        assert!(!native("f", None, None, Some(false)));
    }

    #[test]
    fn frames_of_panics_and_of_the_sdk_are_not_the_application() {
        for function in [
            "sentry_backtrace::current_stacktrace",
            "sentry_panic::panic_handler",
            "<sentry_panic::PanicIntegration as sentry_core::integration::Integration>::setup::{{closure}}",
            "std::panicking::panic_with_hook",
            "core::panicking::panic_bounds_check",
            "__rustc::rust_begin_unwind",
            "<&dyn core::ops::function::Fn<(), Output = i32> + core::marker::Sync as core::ops::function::FnOnce<()>>::call_once",
            "<alloc::boxed::Box<dyn for<'a, 'b> core::ops::function::Fn<(&'a T,)>> as core::ops::function::Fn<(&T,)>>::call",
        ] {
            check(function, "", false);
        }
    }

    #[test]
    fn frames_of_the_c_and_cpp_runtime_are_not_the_application() {
        for function in [
            "__cxa_throw",
            "__cxxabiv1::__terminate",
            "operator new",
            "_Unwind_RaiseException",
            "__libc_start_call_main",
            "__GI_raise",
            "_start",
        ] {
            check(function, "", false);
        }
        check("__libc_start_main_impl", "./csu/../csu/libc-start.c", false);
        check("cxa_total", "", true);
    }

    #[test]
    fn paths_are_shortened_for_people() {
        assert_eq!(short_path("/build/billing/src/price/tier.rs"), "src/price/tier.rs");
        assert_eq!(short_path("/build/app/main.cc"), "app/main.cc");
        assert_eq!(short_path("C:\\app\\src\\main.cc"), "src/main.cc");
        assert_eq!(short_path("main.c"), "main.c");
    }
}
