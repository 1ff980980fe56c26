//! In which way a request differs from what its signature or body hash is for, and what to do about it.
//!
//! In: a difference that was found. Out: a sentence each. Source: what users of webhook receivers ask about
//! again and again (proxies, tunnels, body parsers, tokens). Must not know: how differences are found.

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The scheme of the URL that was signed.
    Scheme(String),
    /// Its host.
    Host(String),
    /// Its port.
    Port(String),
    /// User and password of the captured URL are in it.
    Userinfo,
    /// Its path has a slash at its end, or lacks it.
    TrailingSlash,
    /// Its path.
    Path(String),
    /// Its query has the same parameters written otherwise, more, or fewer.
    Query,
    /// It has the hash in lower-case digits.
    HashCase,
    /// It has the hash of the body that was captured.
    HashOfBody,
    /// It has a bodySHA256, which the captured URL lacks.
    QueryLost,
    /// It has no bodySHA256.
    NoHash,
    /// The form's parameters follow it.
    Form,
    /// The secret with whitespace around it.
    SecretSpace,
    /// The secret without the quotes around it.
    SecretQuotes,
    /// The secret in lower case.
    SecretCase,
    /// The signature was written otherwise.
    Header,
    /// What was done to the body, in words.
    Body(&'static str),
}

impl Why {
    /// What differs.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Scheme(scheme) => {
                format!("{scheme} was signed, not the scheme of CALLSINK_PUBLIC_URL")
            }
            Self::Host(host) => {
                format!("the host {host} was signed, not that of CALLSINK_PUBLIC_URL")
            }
            Self::Port(port) => format!("the port {port} was signed"),
            Self::Userinfo => "the user and password of the captured URL were signed".to_owned(),
            Self::TrailingSlash => "the slash at the end of the path differs".to_owned(),
            Self::Path(path) => format!("the path {path} was signed, not the one received"),
            Self::Query => "the query was signed in another form than it was received".to_owned(),
            Self::HashCase => "bodySHA256 was signed in digits of the other case".to_owned(),
            Self::HashOfBody => {
                "the hash of this body was signed, and not the one that was received in the query"
                    .to_owned()
            }
            Self::QueryLost => "bodySHA256 was signed, and got lost on the way".to_owned(),
            Self::NoHash => "the URL was signed without bodySHA256".to_owned(),
            Self::Form => "the parameters of a form were signed after the URL".to_owned(),
            Self::SecretSpace => {
                "whoever signed had whitespace or a line end around the secret".to_owned()
            }
            Self::SecretQuotes => "the secret is set with quotes around it".to_owned(),
            Self::SecretCase => "the secret was signed with in lower case".to_owned(),
            Self::Header => "the signature was altered: quoted, or encoded for a URL".to_owned(),
            Self::Body(what) => format!("bodySHA256 fits the body {what}"),
        }
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Scheme(_) | Self::Host(_) | Self::Port(_) => {
                "set CALLSINK_PUBLIC_URL to the destination of the sink in Twilio, to the letter, whatever \
                 the proxy in between makes of it"
            }
            Self::Userinfo => {
                "write user and password into CALLSINK_PUBLIC_URL as the sink's destination has them"
            }
            Self::TrailingSlash => {
                "make CALLSINK_PUBLIC_URL and the sink's destination agree about the slash, and let no \
                 server redirect or normalise the path"
            }
            Self::Path(_) => {
                "let the proxy pass the path on as it is, without stripping, adding or decoding anything"
            }
            Self::Query | Self::QueryLost => {
                "let the proxy pass the query on as it is: not sorted, not re-encoded, nothing added, nothing dropped"
            }
            Self::HashCase => "let nothing on the way change the case of the query",
            Self::HashOfBody => {
                "let nothing on the way change the query; was the URL captured with this body?"
            }
            Self::NoHash => {
                "sign the URL with bodySHA256 in it; Twilio's Event Streams do: if Twilio sent this, it is \
                 no Event Streams delivery"
            }
            Self::Form => {
                "this is a form, such as the webhooks of calls and messages send, and not an Event Streams \
                 delivery: point it somewhere else"
            }
            Self::SecretSpace => {
                "sign with the token alone (printf %s instead of echo); callsink takes whitespace off"
            }
            Self::SecretQuotes => {
                "take the quotes off TWILIO_AUTH_TOKEN: env files of containers keep them"
            }
            Self::SecretCase => "set the auth token in lower case, as the console shows it",
            Self::Header => "let the header X-Twilio-Signature pass as it is; or was it copied so?",
            Self::Body(_) => {
                "hash and pass on the bytes as they came: no body parser, no re-serialising, no editor; or \
                 was the body saved so? (curl --data-binary, not -d)"
            }
        }
    }
}
