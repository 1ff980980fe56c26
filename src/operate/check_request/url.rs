//! A URL in pieces, to the letter, so that each can be exchanged.
//!
//! In: a whole URL, or path and query. Out: pieces. Promises: joined again they are what was given, but
//! for a fragment, which no request carries.

/// The pieces; what is not there is empty or `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Url {
    /// `https` or `http`; empty where only path and query are known.
    pub(super) scheme: String,
    /// Without the `@`.
    pub(super) userinfo: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<String>,
    pub(super) path: String,
    /// Without the `?`.
    pub(super) query: Option<String>,
}

impl Url {
    /// `None` when it is neither a URL nor a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split('#').next().unwrap_or_default();
        let mut url = Self::default();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                url.scheme = scheme.to_owned();
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at(end);
                url.set_authority(authority);
                rest
            }
            _ => text,
        };
        let is_whole = !url.host.is_empty();
        if !(rest.starts_with(['/', '?']) || is_whole && rest.is_empty()) {
            return None;
        }
        match rest.split_once('?') {
            Some((path, query)) => {
                url.path = path.to_owned();
                url.query = Some(query.to_owned());
            }
            None => url.path = rest.to_owned(),
        }
        Some(url)
    }

    /// `user:password@host:port`, as in a URL or a `Host` header.
    pub(super) fn set_authority(&mut self, authority: &str) {
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        // An IPv6 address has colons of its own, within brackets.
        let colon = host_and_port
            .rfind(':')
            .filter(|&colon| host_and_port.rfind(']').is_none_or(|bracket| bracket < colon));
        self.userinfo = userinfo;
        self.host = host_and_port[..colon.unwrap_or(host_and_port.len())].to_owned();
        self.port = colon.map(|colon| host_and_port[colon + 1..].to_owned());
    }

    /// Path and query as a request line has them.
    pub(super) fn target(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        match &self.query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// All pieces together.
    pub(super) fn join(&self) -> String {
        let user = self.userinfo.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = self.port.as_ref().map_or(String::new(), |port| format!(":{port}"));
        let query = self.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        format!("{}://{user}{}{port}{}{query}", self.scheme, self.host, self.path)
    }

    /// The parameters of the query, as they stand there.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.query.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Url;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_url_joined_again_is_what_it_was(
            text in "https?://([a-z]{1,4}(:[a-z@]{1,4})?@)?([a-zA-Z.]{1,9}|\\[::1\\])(:[0-9]{1,4})?(/[a-z%/]{0,9})?(\\?[a-z=&/?]{0,9})?"
        ) {
            prop_assert_eq!(Url::parse(&text).expect("a URL").join(), text);
        }
    }

    #[test]
    fn path_and_query_alone_are_enough_and_a_bare_word_is_not() {
        let url = Url::parse("/hook?a=https://x/y&b").expect("a path");
        assert_eq!((url.target().as_str(), url.host.as_str()), ("/hook?a=https://x/y&b", ""));
        assert_eq!(url.parameters().collect::<Vec<_>>(), ["a=https://x/y", "b"]);
        assert_eq!(Url::parse("https://h").expect("a URL").target(), "/");
        for wrong in ["", "hook", "example.com/hook"] {
            assert_eq!(Url::parse(wrong), None, "{wrong}");
        }
    }
}
