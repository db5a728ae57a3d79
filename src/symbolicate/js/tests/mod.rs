mod bundles;
mod demo;
mod positions;
mod properties;

use std::sync::Arc;

use super::*;
use crate::derive::js::{Derived, derive};

fn open(derived: Derived) -> JsLookup {
    JsLookup::open(Arc::new(derived.bytes)).unwrap()
}
