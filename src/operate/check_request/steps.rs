//! The verification of a captured request, step by step, all of them even after one has failed.
//!
//! In: a captured request. Out: what each step says, the strings that were tried, a verdict, and what to
//! do. Promises: the verdict is that of the verifier itself; the rest only explains it.

use super::body;
use super::captured::Case;
use super::search::{Found, search, shown};
use super::url::Url;
use super::why::Why;
use crate::verify::signature::{body_sha256_hex, hex, sha256_from_hex, sign};
use crate::verify::{Head, Rejection, Verifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use sha2::{Digest, Sha256};

/// What all steps together say.
pub(super) struct Findings {
    /// `None`: valid.
    pub(super) rejection: Option<Rejection>,
    pub(super) steps: Vec<Step>,
    pub(super) tried: Vec<Tried>,
    /// Strings beyond those of the service that were tried.
    pub(super) searched: usize,
    /// What the signature is for, where that is known.
    pub(super) found: Option<Found>,
    /// What would explain a wrong body hash.
    pub(super) body: Option<Why>,
    /// Sentences.
    pub(super) advice: Vec<String>,
}

/// One step.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) said: String,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    Fails,
    /// Worth a look, and no reason to reject.
    Note,
}

/// A string that the service compares, under one secret.
pub(super) struct Tried {
    pub(super) signed: String,
    pub(super) secret: usize,
    pub(super) matches: bool,
}

pub(super) fn check(case: &Case) -> Findings {
    let rejection = verdict(case);
    let mut steps = vec![path(case), header(case)];
    let (claim, claimed) = claimed_hash(case);
    steps.push(claim);
    let tried = tried(case);
    let matching = tried.iter().find(|tried| tried.matches);
    let count = case.secrets.len();
    steps.push(match matching {
        Some(tried) => {
            let said = format!("it matches under secret {} of {count}", tried.secret);
            Step { name: "signature", outcome: Outcome::Holds, said }
        }
        None => {
            let said = "it matches none of the strings below, under any secret".to_owned();
            Step { name: "signature", outcome: Outcome::Fails, said }
        }
    });
    steps.push(body_step(case, claimed));
    let body = claimed
        .filter(|claimed| *claimed != sha256(&case.body))
        .and_then(|claimed| body::explain(&case.body, claimed).map(Why::Body));
    let (found, searched) = match rejection {
        None => (None, 0),
        Some(_) => search(case),
    };
    let mut findings =
        Findings { rejection, steps, tried, searched, found, body, advice: Vec::new() };
    findings.advice = findings.advise(case);
    findings
}

/// As the service would decide.
fn verdict(case: &Case) -> Option<Rejection> {
    let secrets: Vec<_> = case.secrets.iter().map(|secret| secret.used.clone()).collect();
    let signatures = case.signatures.iter().map(String::as_bytes).collect();
    let head = Head { target: &case.target, signatures };
    let signed = Verifier::new(case.public_url.clone(), &secrets).verify_head(&head);
    signed.and_then(|signed| signed.verify_body(case.body.clone())).err()
}

fn path(case: &Case) -> Step {
    let (asked, ours) = (case.target.split('?').next().unwrap_or_default(), case.public_url.path());
    let (outcome, said) = if asked == ours {
        (Outcome::Holds, format!("{asked} is the path of CALLSINK_PUBLIC_URL"))
    } else {
        let said = format!(
            "{asked} was asked for, the path of CALLSINK_PUBLIC_URL is {ours}: callsink answers 404 to \
             what reaches it under another path"
        );
        (Outcome::Note, said)
    };
    Step { name: "path", outcome, said }
}

fn header(case: &Case) -> Step {
    let (outcome, said) = match &case.signatures[..] {
        [] => (Outcome::Fails, "X-Twilio-Signature is missing".to_owned()),
        [one] if one.is_empty() => (Outcome::Fails, "X-Twilio-Signature is empty".to_owned()),
        [one] => match STANDARD.decode(one).map(|bytes| bytes.len()) {
            Ok(20) => (Outcome::Holds, "X-Twilio-Signature is there, and well-formed".to_owned()),
            Ok(bytes) => (
                Outcome::Fails,
                format!(
                    "X-Twilio-Signature holds {bytes} bytes; HMAC-SHA1 gives 20, in 28 characters"
                ),
            ),
            Err(_) => {
                let said = format!("X-Twilio-Signature ({} characters) is not base64", one.len());
                (Outcome::Fails, said)
            }
        },
        several => {
            let said = format!(
                "X-Twilio-Signature is there {} times; Twilio sends it once",
                several.len()
            );
            (Outcome::Fails, said)
        }
    };
    Step { name: "header", outcome, said }
}

/// The step, and the hash where there is exactly one.
fn claimed_hash(case: &Case) -> (Step, Option<[u8; 32]>) {
    let values: Vec<&str> =
        case.asked.parameters().filter_map(|pair| pair.strip_prefix("bodySHA256=")).collect();
    let hash = match values[..] {
        [one] => sha256_from_hex(one),
        _ => None,
    };
    let (outcome, said) = match (&values[..], hash) {
        ([], _) => (Outcome::Fails, "the query has no bodySHA256".to_owned()),
        ([_], Some(_)) => {
            (Outcome::Holds, "the query has bodySHA256, once, 64 hex digits".to_owned())
        }
        ([one], None) => {
            let said = format!("bodySHA256 has {} characters: expected 64 hex digits", one.len());
            (Outcome::Fails, said)
        }
        (several, _) => {
            (Outcome::Fails, format!("the query has bodySHA256 {} times", several.len()))
        }
    };
    (Step { name: "bodySHA256", outcome, said }, hash)
}

fn body_step(case: &Case, claimed: Option<[u8; 32]>) -> Step {
    let actual = body_sha256_hex(&case.body);
    let length = case.body.len();
    let (outcome, said) = match claimed {
        Some(claimed) if claimed == sha256(&case.body) => (
            Outcome::Holds,
            format!("its {length} bytes have the hash {actual}, as bodySHA256 says"),
        ),
        Some(claimed) => {
            let said = format!(
                "its {length} bytes have the hash {actual}, bodySHA256 says {}",
                hex(&claimed)
            );
            (Outcome::Fails, said)
        }
        None => (
            Outcome::Fails,
            format!("its {length} bytes have the hash {actual}; nothing to compare"),
        ),
    };
    Step { name: "body hash", outcome, said }
}

/// What the service compares, string by string.
fn tried(case: &Case) -> Vec<Tried> {
    let mut tried = Vec::new();
    for signed in case.public_url.signed_as(&case.target) {
        let shown = Url::parse(&signed).map_or_else(String::new, |url| shown(&url));
        for (index, secret) in case.secrets.iter().enumerate() {
            let expected = sign(secret.used.expose_secret(), &signed);
            let matches = case.signatures.len() == 1 && case.signatures[0] == expected;
            tried.push(Tried { signed: shown.clone(), secret: index + 1, matches });
        }
    }
    tried
}

impl Findings {
    fn advise(&self, case: &Case) -> Vec<String> {
        let Some(rejection) = self.rejection else { return Vec::new() };
        let mut advice: Vec<String> = Vec::new();
        let found = self.found.iter().flat_map(|found| &found.whys);
        for why in found.chain(&self.body) {
            let said = why.advice().to_owned();
            if !advice.contains(&said) {
                advice.push(said);
            }
        }
        if rejection == Rejection::MissingSignature {
            advice.push(
                "let the proxy pass the header X-Twilio-Signature on; a request without it is not Twilio's"
                    .to_owned(),
            );
        }
        if self.found.is_none() && !case.signatures.is_empty() {
            advice.extend(self.unexplained(case));
        }
        if self.found.as_ref().is_some_and(|found| found.whys.is_empty())
            && rejection == Rejection::BodyHashMismatch
            && self.body.is_none()
        {
            advice.push(
                "the signature is Twilio's and the body is not the one it was made for: something on the \
                 way changes bodies, or another body was captured"
                    .to_owned(),
            );
        }
        advice
    }

    /// The usual causes, where nothing was found.
    fn unexplained(&self, case: &Case) -> Vec<String> {
        let mut advice = vec![
            "compare CALLSINK_PUBLIC_URL with the destination of the sink in Twilio, letter by letter".to_owned(),
            "take the primary auth token of the account that owns the sink: a subaccount signs with its own, \
             a secondary token only after its promotion, an API key's secret never"
                .to_owned(),
        ];
        for (index, secret) in case.secrets.iter().enumerate() {
            let secret = secret.used.expose_secret();
            let is_token =
                secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_token {
                advice.push(format!(
                    "secret {} of {} is not 32 hex digits, as auth tokens are",
                    index + 1,
                    case.secrets.len()
                ));
            }
        }
        advice
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
