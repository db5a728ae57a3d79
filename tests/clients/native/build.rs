//! Compiles the C++ half of `cpp-crash` and asks the linker for a build id.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let here = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"),
    );
    let object = out.join("order.o");
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O2", "-g", "-fPIC", "-fexceptions", "-c"]);
    // Where the fixtures are made, paths are mapped as `--remap-path-prefix` maps Rust's.
    println!("cargo::rerun-if-env-changed=CRASH_PREFIX_MAP");
    if let Ok(map) = std::env::var("CRASH_PREFIX_MAP") {
        compiler.arg(format!("-ffile-prefix-map={map}"));
    }
    let status = compiler
        .arg(here.join("cpp/order.cpp"))
        .arg("-o")
        .arg(&object)
        .status()
        .expect("g++ is installed");
    assert!(status.success(), "g++ could not compile cpp/order.cpp");
    println!("cargo::rerun-if-changed=cpp");
    println!("cargo::rustc-link-arg-bin=cpp-crash={}", object.display());
    println!("cargo::rustc-link-arg-bin=cpp-crash=-lstdc++");
    // GNU ld gathers the cold parts before all hot ones, the case that misleads readers of `DW_AT_ranges`.
    println!("cargo::rustc-link-arg-bin=cpp-crash=-fuse-ld=bfd");
    println!("cargo::rustc-link-arg-bins=-Wl,--build-id=sha1");
}
