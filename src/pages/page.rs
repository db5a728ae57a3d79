//! What every page can do.

/// Why a page could not be written; in practice only lack of memory.
pub type RenderError = askama::Error;

/// A page: data that becomes a whole HTML document.
pub trait Page {
    /// Writes the document.
    ///
    /// # Errors
    /// Where a value refuses to be formatted, which ours never do.
    fn html(&self) -> Result<String, RenderError>;
}
