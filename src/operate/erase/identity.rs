//! Whoever is to be forgotten: a phone number, a SIP address or a client, in the forms in which Twilio writes them.
//!
//! In: what an operator wrote. Out: whether a party of a call is meant; the texts to look for in raw events.
//! Promises: a number is meant with or without plus sign, punctuation, `tel:`, `whatsapp:` or `sip:` around it,
//! and never as a part of a longer one; a SIP address is meant with any port and parameters.

use crate::store::Sought;

/// Shorter ones are short codes, extensions and chance.
const FEWEST_DIGITS: usize = 5;

/// E.164.
const MOST_DIGITS: usize = 15;

/// One way in which somebody appears as a party of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The digits of a phone number, country code included.
    Number(String),
    /// User and host of a SIP address.
    Sip {
        /// Before the `@`, as written.
        user: String,
        /// Behind it, in lower case, without port.
        host: String,
    },
    /// A client's name, as written; Twilio tells upper from lower case there.
    Client(String),
}

impl Identity {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// What is expected, without repeating what was written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(name) = strip_scheme(text, "client:").filter(|name| !name.is_empty()) {
            return Ok(Self::Client(without_parameters(name).to_owned()));
        }
        if let Some((user, host)) = sip(text) {
            return Ok(number(user).map_or_else(
                || Self::Sip { user: user.to_owned(), host: host.to_lowercase() },
                Self::Number,
            ));
        }
        number(without_scheme(text)).map(Self::Number).ok_or_else(|| {
            "expected a phone number with its country code such as +15551230000, or client:name, or \
             sip:user@host"
                .to_owned()
        })
    }

    /// Whether `party`, as Twilio wrote it, is this one.
    #[must_use]
    pub fn is(&self, party: &str) -> bool {
        let party = party.trim();
        match self {
            Self::Number(digits) => {
                let user = sip(party).map_or_else(|| without_scheme(party), |(user, _)| user);
                number(user).as_ref() == Some(digits)
            }
            Self::Sip { user, host } => {
                sip(party).is_some_and(|(other, at)| other == user && at.eq_ignore_ascii_case(host))
            }
            Self::Client(name) => strip_scheme(party, "client:")
                .is_some_and(|other| without_parameters(other) == name),
        }
    }

    /// What a party of a call must hold, once spaces and punctuation of numbers are taken off.
    #[must_use]
    pub fn needle(&self) -> String {
        let text = match self {
            Self::Number(digits) => digits,
            Self::Sip { user, .. } => user,
            Self::Client(name) => name,
        };
        text.chars().filter(|character| !" ().-".contains(*character)).collect()
    }

    /// What a raw event must hold.
    #[must_use]
    pub fn sought(&self) -> Sought {
        match self {
            Self::Number(digits) => sought(digits.clone(), "[^0-9]", "[^0-9]"),
            Self::Sip { user, host } => {
                sought(format!("{user}@{host}"), "[^0-9A-Za-z._+-]", "[^0-9A-Za-z.-]")
            }
            Self::Client(name) => {
                sought(format!("client:{name}"), "[^0-9A-Za-z]", "[^0-9A-Za-z._+@-]")
            }
        }
    }
}

/// How a call stands in a raw event.
#[must_use]
pub fn sought_call(call_sid: &str) -> Sought {
    sought(call_sid.to_owned(), "[^0-9A-Za-z]", "[^0-9A-Za-z]")
}

/// `needle` as a word of its own, between what matches `before` and `after`. A part of a longer word is somebody
/// else. One with letters beyond ASCII is looked for without regard to its neighbours: bytes are shown to the pattern
/// with an escape in place of each such letter, and too much is better than too little here.
fn sought(needle: String, before: &str, after: &str) -> Sought {
    let pattern = if needle.is_ascii() {
        let escape = |character: char| match character.is_ascii_alphanumeric() {
            true => character.to_string(),
            false => format!("\\{character}"),
        };
        let word: String = needle.chars().map(escape).collect();
        format!("(^|{before}){word}({after}|$)")
    } else {
        String::new()
    };
    Sought { needle, pattern }
}

fn strip_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let head = text.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

fn without_scheme(text: &str) -> &str {
    ["tel:", "whatsapp:"].iter().find_map(|scheme| strip_scheme(text, scheme)).unwrap_or(text)
}

fn without_parameters(text: &str) -> &str {
    text.split(['?', ';']).next().unwrap_or(text)
}

/// User and host of a SIP address.
fn sip(text: &str) -> Option<(&str, &str)> {
    let rest = ["sip:", "sips:"].iter().find_map(|scheme| strip_scheme(text, scheme))?;
    let (user, host) = without_parameters(rest).split_once('@')?;
    let host = host.split(':').next().unwrap_or(host);
    (!user.is_empty() && !host.is_empty()).then_some((user, host))
}

/// The digits of what is a phone number and nothing else.
fn number(text: &str) -> Option<String> {
    let text = without_parameters(text).trim();
    let digits: String = text.chars().filter(|character| !" ().-".contains(*character)).collect();
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = (FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn a_number_is_meant_in_every_form_and_never_as_a_part_of_another() {
        for written in
            ["+15551230000", "1 (555) 123-0000", "tel:+15551230000", "sip:+15551230000@x.com"]
        {
            let identity = Identity::parse(written).expect("a number");
            assert_eq!(identity, Identity::Number("15551230000".to_owned()), "{written}");
            for party in [
                "+15551230000",
                "15551230000",
                "whatsapp:+15551230000",
                "+1 555 123-0000",
                "sip:15551230000@sip.example.com:5060;transport=tls",
                "SIPS:+15551230000@h",
            ] {
                assert!(identity.is(party), "{party}");
            }
            for party in
                ["+155512300001", "+25551230000", "client:15551230000", "sip:x@15551230000", ""]
            {
                assert!(!identity.is(party), "{party}");
            }
        }
    }

    #[test]
    fn addresses_and_clients_are_meant_as_twilio_compares_them() {
        let sip = Identity::parse("sip:al.ice@Example.com:5061").expect("an address");
        assert!(sip.is("sips:al.ice@EXAMPLE.com;x=y") && !sip.is("sip:Al.ice@example.com"));
        assert_eq!(sip.needle(), "alice");
        assert_eq!(sip.sought().needle, "al.ice@example.com");
        let client = Identity::parse("client:alice").expect("a client");
        assert!(
            client.is("client:alice?x=1") && !client.is("client:alice2") && !client.is("alice")
        );
        for wrong in ["", "alice", "+1", "1234567890123456", "sip:alice", "client:"] {
            let error = Identity::parse(wrong).expect_err("no identity");
            assert!(wrong.is_empty() || !error.contains(&format!("\"{wrong}\"")), "{error}");
        }
    }
}
