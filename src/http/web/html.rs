//! A page as an answer.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pages::page::Page;

use crate::error::Error;

/// A page of `pages`, to be written as the answer.
#[derive(Debug)]
pub(super) struct Html<P>(pub(super) P);

impl<P: Page> IntoResponse for Html<P> {
    fn into_response(self) -> Response {
        match self.0.html() {
            Ok(html) => {
                let html_type = HeaderValue::from_static("text/html; charset=utf-8");
                ([(header::CONTENT_TYPE, html_type)], html).into_response()
            }
            Err(error) => Error::caused_by(error).with_context("writing a page").into_response(),
        }
    }
}
