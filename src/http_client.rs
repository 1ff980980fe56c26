//! The HTTP client of the commands that need one, set up the same way everywhere.
//!
//! Promises: rustls with ring and the roots it is given, no redirects, no proxy from the environment.

/// A builder; the caller adds its time limits.
pub fn builder() -> reqwest::ClientBuilder {
    // A second installation is refused, which is fine: it is the same provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy()
}
