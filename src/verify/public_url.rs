//! The sink's destination, to the letter, and the spellings in which Twilio may have signed it.
//!
//! In: the URL from the settings. Out: the path that is our route, and the candidates for a request.
//! Promises: nothing is decoded, re-encoded or lower-cased; the URL in a log has no password.
//! Why several spellings: Twilio's senders are not consistent about the default port, and whether they
//! keep user and password is not documented; its own SDKs try with and without a port.

use std::fmt;

/// A destination such as `https://hooks.example.com/twilio/events`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    /// `user:password`, without the `@`.
    userinfo: Option<String>,
    host: String,
    port: Option<String>,
    /// Path and query as configured; may be empty.
    rest: String,
}

/// Why a text is not a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Neither of the two schemes that a sink may have.
    #[error("it does not start with https:// or http://")]
    Scheme,
    /// Nothing between `//` and the path.
    #[error("it has no host")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// Connection overrides are not supported by Event Streams.
    #[error("it has a fragment (#...), which Event Streams does not support")]
    Fragment,
    /// A space or control character: a slip of the clipboard.
    #[error("it has a space or a control character in it")]
    Space,
}

impl PublicUrl {
    /// Reads a destination.
    ///
    /// # Errors
    /// What is wrong with it; the text itself is not repeated, as it may hold a password.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(PublicUrlError::Space);
        }
        if text.contains('#') {
            return Err(PublicUrlError::Fragment);
        }
        let (scheme, after) = text.split_once("://").ok_or(PublicUrlError::Scheme)?;
        if !matches!(scheme.to_ascii_lowercase().as_str(), "https" | "http") {
            return Err(PublicUrlError::Scheme);
        }
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        // An IPv6 address has colons of its own, within brackets.
        let port_at = host_and_port
            .rfind(':')
            .filter(|&colon| host_and_port.rfind(']').is_none_or(|bracket| bracket < colon));
        let (host, port) = match port_at {
            Some(colon) => (&host_and_port[..colon], Some(&host_and_port[colon + 1..])),
            None => (host_and_port, None),
        };
        if host.is_empty() {
            return Err(PublicUrlError::Host);
        }
        if port.is_some_and(|port| port.parse::<u16>().ok().is_none_or(|number| number == 0)) {
            return Err(PublicUrlError::Port);
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            userinfo,
            host: host.to_owned(),
            port: port.map(str::to_owned),
            rest: rest.to_owned(),
        })
    }

    /// As it was configured, to the letter; may hold a password.
    #[must_use]
    pub fn verbatim(&self) -> String {
        let user = self.userinfo.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = self.port.as_ref().map_or(String::new(), |port| format!(":{port}"));
        format!("{}://{user}{}{port}{}", self.scheme, self.host, self.rest)
    }

    /// The path that deliveries ask for.
    #[must_use]
    pub fn path(&self) -> &str {
        match self.rest.split('?').next() {
            None | Some("") => "/",
            Some(path) => path,
        }
    }

    /// Every text that Twilio may have signed for a request whose path and query arrived as `target`.
    #[must_use]
    pub fn signed_as(&self, target: &str) -> Vec<String> {
        let default_port =
            if self.scheme.eq_ignore_ascii_case("https") { "443" } else { "80" }.to_owned();
        let mut ports = vec![None, Some(default_port)];
        if self.port.is_some() && !ports.contains(&self.port) {
            ports.push(self.port.clone());
        }
        let mut users = vec![None];
        if self.userinfo.is_some() {
            users.push(self.userinfo.clone());
        }
        let mut targets = vec![target];
        // A destination without a path is asked for as `/`; which of the two is signed nobody says.
        if !self.rest.starts_with('/')
            && let Some(query) = target.strip_prefix('/')
        {
            targets.push(query);
        }
        let mut candidates = Vec::with_capacity(ports.len() * users.len() * targets.len());
        for user in &users {
            for port in &ports {
                for target in &targets {
                    let user = user.as_ref().map_or(String::new(), |user| format!("{user}@"));
                    let port = port.as_ref().map_or(String::new(), |port| format!(":{port}"));
                    candidates.push(format!("{}://{user}{}{port}{target}", self.scheme, self.host));
                }
            }
        }
        candidates
    }

    /// The candidates for a log: without user and password.
    #[must_use]
    pub fn signed_as_redacted(&self, target: &str) -> Vec<String> {
        let without_userinfo = Self { userinfo: None, ..self.clone() };
        without_userinfo.signed_as(target)
    }
}

/// Without user and password.
impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.userinfo.is_some() { "***@" } else { "" };
        let port = self.port.as_ref().map_or(String::new(), |port| format!(":{port}"));
        write!(formatter, "{}://{user}{}{port}{}", self.scheme, self.host, self.rest)
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        PublicUrl::parse(text).expect("a valid destination")
    }

    #[test]
    fn a_destination_is_kept_to_the_letter() {
        let url = url("https://Hooks.Example.com/a%2Fb/?x=%20y");
        assert_eq!(url.path(), "/a%2Fb/");
        assert!(
            url.signed_as("/a%2Fb/?x=%20y&bodySHA256=0")
                .contains(&"https://Hooks.Example.com/a%2Fb/?x=%20y&bodySHA256=0".to_owned())
        );
        for text in
            ["https://Hooks.Example.com/a%2Fb/?x=%20y", "http://u:p@[::1]:8080", "HTTP://a:80?"]
        {
            assert_eq!(
                super::PublicUrl::parse(text).map(|url| url.verbatim()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn ports_and_userinfo_are_tried_with_and_without() {
        let candidates = url("https://user:p@ss@example.com:8443/hook").signed_as("/hook?q");
        for expected in [
            "https://example.com/hook?q",
            "https://example.com:443/hook?q",
            "https://example.com:8443/hook?q",
            "https://user:p@ss@example.com/hook?q",
            "https://user:p@ss@example.com:443/hook?q",
            "https://user:p@ss@example.com:8443/hook?q",
        ] {
            assert!(candidates.contains(&expected.to_owned()), "{expected} is not tried");
        }
        assert_eq!(candidates.len(), 6);
        assert_eq!(url("http://[::1]/hook").signed_as("/hook?q")[1], "http://[::1]:80/hook?q");
        assert_eq!(
            url("http://[::1]:8080/hook").signed_as("/hook"),
            ["http://[::1]/hook", "http://[::1]:80/hook", "http://[::1]:8080/hook"]
        );
    }

    #[test]
    fn no_spelling_is_tried_twice() {
        for (text, spellings) in [
            ("https://example.com/hook", 2),
            ("https://example.com:443/hook", 2),
            ("https://example.com:80/hook", 3),
            ("http://example.com:80/hook", 2),
        ] {
            assert_eq!(url(text).signed_as("/hook").len(), spellings, "{text}");
        }
    }

    #[test]
    fn a_destination_without_a_path_is_tried_with_and_without_a_slash() {
        let url = url("https://example.com");
        assert_eq!(url.path(), "/");
        let candidates = url.signed_as("/?bodySHA256=0");
        assert!(candidates.contains(&"https://example.com/?bodySHA256=0".to_owned()));
        assert!(candidates.contains(&"https://example.com?bodySHA256=0".to_owned()));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = url("https://user:s3cret@example.com/hook");
        let candidates = url.signed_as_redacted("/hook");
        let shown = format!("{url} {url:?} {candidates:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        // All else is.
        assert_eq!(url.to_string(), "https://***@example.com/hook");
        assert!(format!("{url:?}").contains("***@example.com/hook"));
        assert_eq!(candidates, ["https://example.com/hook", "https://example.com:443/hook"]);
    }

    #[test]
    fn what_is_not_a_destination_is_refused_with_the_reason() {
        for (text, error) in [
            ("example.com/hook", PublicUrlError::Scheme),
            ("ftp://example.com/", PublicUrlError::Scheme),
            ("https:///hook", PublicUrlError::Host),
            ("https://example.com:x/hook", PublicUrlError::Port),
            ("https://example.com:0/hook", PublicUrlError::Port),
            ("https://example.com/hook#rc=2", PublicUrlError::Fragment),
            ("https://example.com/ho ok", PublicUrlError::Space),
        ] {
            assert_eq!(PublicUrl::parse(text), Err(error), "{text}");
        }
    }
}
