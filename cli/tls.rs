//! One TLS configuration for every client: the system's certificates, or shipped ones where it has none.
//!
//! reqwest refuses to make a client on a machine without certificates, even for plain HTTP.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::{Error, Result};

/// Makes the configuration.
///
/// # Errors
/// Where the provider knows no protocol version, which is a mistake in how the program was built.
pub fn config() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder =
        builder.map_err(|error| Error::Unexpected(format!("TLS cannot be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
