//! The one HTTP client that talks to the bucket.
//!
//! reqwest refuses to make a client on a machine without certificates, even for plain HTTP, so it gets
//! its roots from us: the system's, or the shipped ones where the system has none.

use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector};

use crate::error::{Error, Result};

/// Longest time to open a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest silence of the other side.
const READ_TIME_MAX: Duration = Duration::from_secs(30);

/// Gives every store the same client, whatever options it would like.
#[derive(Debug)]
pub(super) struct Connector(reqwest::Client);

impl Connector {
    pub(super) fn new() -> Result<Self> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(cli::tls::config().map_err(Error::caused_by)?)
            .connect_timeout(CONNECT_TIME_MAX)
            .read_timeout(READ_TIME_MAX)
            .build()
            .map_err(Error::caused_by)?;
        Ok(Self(client))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}
