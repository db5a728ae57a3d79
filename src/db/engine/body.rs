//! Runs the body of a transaction once, on either engine: panics are caught, foreign awaits reported.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt as _;

use super::tx::Tx;
use crate::error::{Error, Result};

/// A future on the heap that may move to another thread.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a transaction does. `Fn`, so that PostgreSQL can run it again after a deadlock.
///
/// An alias for the bound, implemented by every closure of the right shape.
pub(crate) trait Body<T>:
    for<'a> Fn(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static
{
}

impl<T, F> Body<T> for F where
    F: for<'a> Fn(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static
{
}

/// Runs a body on SQLite: everything it awaits is ready at once, so it is polled once.
///
/// That makes the invariant *no foreign I/O inside a transaction* a check at run time.
pub(super) fn poll_once<T>(tx: &mut Tx<'_>, body: &impl Body<T>) -> Result<T> {
    // Unwind safe: of what a panic may leave half done, only `tx` is used again, and only to be undone.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        match body(tx).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => {
                Err(Error::internal("a transaction awaited something that is not the database"))
            }
        }
    }));
    tx.verdict(outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))))
}

/// Runs a body on PostgreSQL.
pub(super) async fn poll_through<T>(tx: &mut Tx<'_>, body: &impl Body<T>) -> Result<T> {
    let outcome = AssertUnwindSafe(async { body(tx).await }).catch_unwind().await;
    tx.verdict(outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))))
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text");
    Error::internal(format!("a transaction panicked: {text}"))
}
