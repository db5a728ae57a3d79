use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::demangle::trim;
use crate::derive::native::derive;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../../fixtures/elf/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn lookup_file(fixture_name: &str) -> Vec<u8> {
    derive(&fixture(fixture_name)).unwrap().bytes
}

fn open(bytes: Vec<u8>) -> NativeLookup {
    NativeLookup::open(Arc::new(bytes)).unwrap()
}

/// The chain at an address of the file's own numbering, as `display file:line`.
fn chain(lookup: &NativeLookup, address: u64) -> Vec<String> {
    let line = |frame: LookupFrame<'_>| match frame.line {
        Some(line) => format!("{} {}:{line}", frame.display, frame.file.unwrap_or("??")),
        None => format!("{} no line", frame.display),
    };
    match lookup.lookup(address - lookup.load_address()) {
        Lookup::Frames(frames) => frames.map(line).collect(),
        Lookup::NoFunction => Vec::new(),
    }
}

#[track_caller]
fn check(fixture_name: &str, address: u64, expected: &[&str]) {
    assert_eq!(
        chain(&open(lookup_file(fixture_name)), address),
        expected,
        "{fixture_name} at {address:#x}"
    );
}

/// The function's last word and the place: what independent tools agree on.
fn comparable(frame: &str) -> (String, String) {
    let (name, place) = frame.rsplit_once(' ').unwrap();
    let place = if place.ends_with(":0") || place == "line" { "no line" } else { place };
    let name = trim(name.trim_end_matches(" no"));
    (name.rsplit("::").next().unwrap().replace("<T>", ""), place.to_owned())
}

/// Compares every block of `NAME.expect` on which binutils and LLVM agree; returns how many there were.
#[track_caller]
fn check_against_other_tools(name: &str, object: &str) -> usize {
    let expected = String::from_utf8(fixture(&format!("{name}.expect"))).unwrap();
    let lookup = open(lookup_file(object));
    let mut compared = 0;
    for block in
        expected.split("0x").filter(|block| !block.is_empty() && !block.contains("addr2line:"))
    {
        let (address, frames) = block.split_once('\n').unwrap();
        let address = u64::from_str_radix(address, 16).unwrap();
        let expected: Vec<_> = frames.lines().map(|frame| comparable(frame.trim())).collect();
        let found: Vec<_> = chain(&lookup, address).iter().map(|frame| comparable(frame)).collect();
        assert_eq!(found, expected, "{object} at {address:#x}");
        compared += 1;
    }
    compared
}

#[test]
fn inlining_three_deep_gives_four_frames_in_every_encoding() {
    for name in
        ["inlined-dwarf4", "inlined-dwarf5", "inlined-zlib", "inlined-zlib-gnu", "inlined-no-pie"]
    {
        assert!(check_against_other_tools(name, name) >= 5, "{name}");
    }
}

#[test]
fn stripped_companion_answers_from_its_debug_half() {
    assert!(check_against_other_tools("companion", "companion.debug") >= 5);
    let error = derive(&fixture("companion")).unwrap_err();
    assert!(error.to_string().contains("neither debug info nor a symbol table"), "{error}");
}

#[test]
fn symbol_table_alone_names_functions_without_lines() {
    assert!(check_against_other_tools("symbols-only", "symbols-only") >= 5);
    check("symbols-only", 0x1064, &["plain no line"]);
}

#[test]
fn cpp_and_rust_agree_with_other_tools() {
    for name in ["cold", "cold-dwarf4", "rust-v0", "rust-legacy"] {
        assert!(check_against_other_tools(name, name) >= 5, "{name}");
    }
}

#[test]
fn cold_part_has_the_name_of_its_function() {
    check("cold", 0x10dd, &["shop::doubled<T> /src/cold.cpp:26", "main /src/cold.cpp:49"]);
    let lookup = open(lookup_file("cold"));
    let Lookup::Frames(mut frames) = lookup.lookup(0x10d0) else {
        panic!("main's cold part has no function");
    };
    let main = frames.next().unwrap();
    assert_eq!((main.function, main.symbol, main.inlined), ("main", "main", false));
    let Lookup::Frames(mut entry) = lookup.lookup(main.function_offset) else {
        panic!("main has no entry");
    };
    assert_eq!(entry.next().unwrap().function, "main", "the entry lies in the hot part");
}

#[test]
fn rust_frames_carry_the_mangled_and_the_short_name() {
    let lookup = open(lookup_file("rust-legacy"));
    let Lookup::Frames(mut frames) = lookup.lookup(0x143d) else {
        panic!("no function");
    };
    let frame = frames.next().unwrap();
    assert!(frame.symbol.starts_with("_ZN4lamp7evening17h"), "{}", frame.symbol);
    assert_eq!((frame.function, frame.display), ("lamp::evening", "lamp::evening"));
    assert_eq!(frame.language, Language::Rust);
    assert!(frames.next().is_none());
}

#[test]
fn address_outside_of_any_function_finds_nothing() {
    let lookup = open(lookup_file("inlined-dwarf5"));
    for offset in [0, 0x10, 0x100000, u64::from(u32::MAX), u64::MAX] {
        assert!(matches!(lookup.lookup(offset), Lookup::NoFunction), "{offset:#x}");
    }
}

#[test]
fn file_of_another_kind_or_version_is_not_opened() {
    let open = |bytes: Vec<u8>| NativeLookup::open(Arc::new(bytes)).unwrap_err();
    assert_eq!(open(Vec::new()), Corrupt::Magic);
    assert_eq!(open(fixture("inlined-dwarf5")), Corrupt::Magic);
    let mut newer = lookup_file("inlined-dwarf5");
    newer[8] = 9;
    assert_eq!(open(newer), Corrupt::Version(9));
    let mut longer = lookup_file("inlined-dwarf5");
    longer.push(0);
    assert!(matches!(open(longer), Corrupt::Damaged(_)));
    let shorter = lookup_file("inlined-dwarf5")[..100].to_vec();
    assert!(matches!(open(shorter), Corrupt::Damaged(_)));
}

/// Looks every offset of the fixture's code up and touches all of each frame.
fn exhaust(lookup: &NativeLookup) -> usize {
    let mut touched = 0;
    for offset in (0x1000..0x1500).step_by(3).chain([u64::MAX, 0xffff_ffff]) {
        if let Lookup::Frames(frames) = lookup.lookup(offset) {
            for frame in frames {
                touched +=
                    frame.function.len() + frame.symbol.len() + frame.file.map_or(0, str::len);
            }
        }
    }
    touched
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn damaged_lookup_file_never_panics_or_loops(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24)) {
        let mut bytes = lookup_file("cold");
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(lookup) = NativeLookup::open(Arc::new(bytes)) {
            exhaust(&lookup);
        }
    }

    #[test]
    fn damaged_object_never_panics(
        name in prop::sample::select(vec!["cold", "cold-dwarf4", "inlined-zlib", "rust-v0", "companion.debug", "symbols-only"]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        length in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.2),
    ) {
        let mut bytes = fixture(name);
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(length.index(bytes.len()));
        }
        let _ = crate::identify::identify(&bytes, name);
        if let Ok(derived) = derive(&bytes) {
            exhaust(&NativeLookup::open(Arc::new(derived.bytes)).expect("what was written can be read"));
        }
    }

    #[test]
    fn random_bytes_are_never_derived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(derive(&bytes).is_err());
        prop_assert!(NativeLookup::open(Arc::new(bytes)).is_err());
    }
}
