use std::sync::Arc;

use super::*;
use crate::native::{Lookup, NativeLookup};

#[test]
fn own_test_binary_finds_its_own_functions() {
    let object = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let derived = derive(&object).unwrap();
    assert_eq!(derived.report.notes, Vec::<String>::new());
    assert!(derived.report.functions > 1000, "{:?}", derived.report);
    let lookup = NativeLookup::open(Arc::new(derived.bytes)).unwrap();
    assert!(matches!(lookup.lookup(0), Lookup::NoFunction));
}
