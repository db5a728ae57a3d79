//! The body of a transaction on its way to a thread and its result on the way back.

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::db::engine::body::{Body, poll_once};
use crate::db::engine::tx::Tx;
use crate::error::{Error, Result};

/// Work for a thread, whatever it returns.
pub(super) trait Job: Send {
    /// Runs the body inside the transaction that stands.
    ///
    /// # Errors
    /// When what it did must be undone. The error is for the thread to look at: the caller gets it too.
    fn run(&mut self, connection: &mut Connection) -> Result<()>;

    /// Tells the caller the result, or `instead` if the whole transaction failed.
    fn answer(self: Box<Self>, instead: Option<&Error>);
}

/// Returns the job that runs `body`, and where its result will be.
pub(super) fn job<T: Send + 'static>(
    body: impl Body<T>,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T>>) {
    let (reply, result) = oneshot::channel();
    (Box::new(Work { body, outcome: None, reply }), result)
}

struct Work<T, B> {
    body: B,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, B: Body<T>> Job for Work<T, B> {
    fn run(&mut self, connection: &mut Connection) -> Result<()> {
        let outcome = poll_once(&mut Tx::lite(connection), &self.body);
        let for_thread = outcome.as_ref().map(|_| ()).map_err(Error::clone);
        self.outcome = Some(outcome);
        for_thread
    }

    fn answer(self: Box<Self>, instead: Option<&Error>) {
        let result = match (instead, self.outcome) {
            // Not even an error of its own is trusted: it may rest on a neighbour's row that is undone now.
            (Some(error), _) => Err(error.clone()),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(Error::internal("the transaction was answered before it ran")),
        };
        // A caller that went away does not undo its write.
        let _ = self.reply.send(result);
    }
}
