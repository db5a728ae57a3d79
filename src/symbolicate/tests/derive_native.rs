use std::sync::Arc;

use super::*;
use crate::native::{Lookup, NativeLookup};

#[test]
fn compressed_companion_of_a_whole_rust_program_is_derived() {
    let path = format!("{}/../../fixtures/demo/contact-sheet.debug", env!("CARGO_MANIFEST_DIR"));
    let derived = derive(&std::fs::read(&path).unwrap()).unwrap();
    let report = derived.report;
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(report.functions > 500 && report.ranges > 5000, "{report:?}");
    let lookup = NativeLookup::open(Arc::new(derived.bytes)).unwrap();
    assert_eq!(lookup.segment_count(), report.rows);
    assert!(matches!(lookup.lookup(0), Lookup::NoFunction));
}

#[test]
fn other_objects_are_refused_with_a_reason() {
    let reason = |bytes: &[u8]| derive(bytes).unwrap_err().to_string();
    assert_eq!(derive(b"").unwrap_err(), Unusable::Empty);
    assert!(reason(b"MZ, not an ELF file").contains("no ELF file"));
    assert!(matches!(derive(b"\x7fELF\x02\x01\x01").unwrap_err(), Unusable::Malformed(_)));
}
