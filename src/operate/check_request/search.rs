//! Looks for the string and the secret that a signature is for.
//!
//! In: a captured request. Out: the match with the fewest oddities, if there is one.
//! Promises: tries every combination of up to [`MOST`] oddities; neither secrets nor bodies are in what
//! comes out.

use super::captured::{Case, Secret};
use super::spellings::{Pieces, percent_decoded};
use super::url::Url;
use super::why::Why;
use crate::verify::signature::keyed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::ExposeSecret as _;
use sha1::Sha1;

/// More than three things wrong at once is another request, not a spelling of this one.
const MOST: usize = 3;

/// What a signature turned out to be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The signed string, without user and password, and without a form's parameters.
    pub(super) signed: String,
    /// Which secret, from 1.
    pub(super) secret: usize,
    /// The oddities; empty for what the service accepts.
    pub(super) whys: Vec<Why>,
}

/// A secret in a spelling.
struct Key {
    secret: usize,
    hmac: Hmac<Sha1>,
    why: Option<Why>,
}

/// The best match, and how many strings were tried.
pub(super) fn search(case: &Case) -> (Option<Found>, usize) {
    let pieces = Pieces::of(case);
    let signatures: Vec<(Vec<u8>, Option<Why>)> =
        case.signatures.iter().flat_map(|text| signature_bytes(text)).collect();
    let keys: Vec<Key> =
        case.secrets.iter().enumerate().flat_map(|(i, s)| keys(i + 1, s)).collect();
    let mut best: Option<Found> = None;
    let mut tried = 0;
    each_spelling(&pieces, |url, suffix, whys| {
        let signed = url.join() + suffix;
        tried += 1;
        for key in &keys {
            let code = key.hmac.clone().chain_update(signed.as_bytes()).finalize().into_bytes();
            for (signature, altered) in &signatures {
                if code.as_slice() != signature.as_slice() {
                    continue;
                }
                let odd = [&key.why, altered].into_iter().flatten();
                let whys: Vec<Why> = whys.iter().copied().chain(odd).cloned().collect();
                if best.as_ref().is_none_or(|best| whys.len() < best.whys.len()) {
                    best = Some(Found { signed: shown(url), secret: key.secret, whys });
                }
            }
        }
    });
    (best, tried)
}

/// Every combination of pieces that is not too odd.
fn each_spelling(pieces: &Pieces, mut visit: impl FnMut(&Url, &str, &[&Why])) {
    let mut url = Url::default();
    let mut whys: Vec<&Why> = Vec::new();
    macro_rules! each {
        ($piece:ident in $pieces:expr => $body:block) => {
            for (value, why) in $pieces {
                if why.is_some() && whys.len() == MOST {
                    continue;
                }
                whys.extend(why);
                let $piece = value;
                $body
                if why.is_some() {
                    whys.pop();
                }
            }
        };
    }
    each!(scheme in &pieces.schemes => {
        url.scheme.clone_from(scheme);
        each!(host in &pieces.hosts => {
            url.host.clone_from(host);
            each!(port in &pieces.ports => {
                url.port.clone_from(port);
                each!(userinfo in &pieces.userinfos => {
                    url.userinfo.clone_from(userinfo);
                    each!(path in &pieces.paths => {
                        url.path.clone_from(path);
                        each!(query in &pieces.queries => {
                            url.query.clone_from(query);
                            each!(suffix in &pieces.suffixes => {
                                visit(&url, suffix, &whys);
                            });
                        });
                    });
                });
            });
        });
    });
}

/// A URL for a person: without user and password.
pub(super) fn shown(url: &Url) -> String {
    let userinfo = url.userinfo.as_ref().map(|_| "***".to_owned());
    Url { userinfo, ..url.clone() }.join()
}

/// The secret as it is used, and as a slip may have left it.
fn keys(number: usize, secret: &Secret) -> Vec<Key> {
    let used = secret.used.expose_secret();
    let mut spellings = vec![(used.to_owned(), None)];
    let quotes = ['"', '\''];
    let bare = quotes.iter().find_map(|&quote| used.strip_prefix(quote)?.strip_suffix(quote));
    spellings.extend(bare.map(|bare| (bare.to_owned(), Some(Why::SecretQuotes))));
    let odd = [
        secret.given.expose_secret().to_owned(),
        format!("{used}\n"),
        format!("{used}\r\n"),
        format!("{used} "),
        format!(" {used}"),
    ];
    spellings.extend(odd.map(|text| (text, Some(Why::SecretSpace))));
    spellings.push((used.to_ascii_lowercase(), Some(Why::SecretCase)));
    let key = |(text, why): (String, _)| Key { secret: number, hmac: keyed(&text), why };
    spellings.into_iter().map(key).collect()
}

/// The bytes of a signature, and those of what it may have been before somebody altered it.
fn signature_bytes(text: &str) -> Vec<(Vec<u8>, Option<Why>)> {
    let mut found: Vec<(Vec<u8>, Option<Why>)> = Vec::new();
    let usual = STANDARD.decode(text).ok().map(|bytes| (bytes, None));
    let decoded = percent_decoded(text).unwrap_or_default();
    let altered = [
        text.trim_matches(|character: char| character.is_whitespace() || "\"'".contains(character))
            .to_owned(),
        decoded.replace(' ', "+"),
        text.replace('-', "+").replace('_', "/"),
        format!("{text}="),
    ];
    let altered = altered.iter().filter_map(|text| STANDARD.decode(text).ok());
    for (bytes, why) in usual.into_iter().chain(altered.map(|bytes| (bytes, Some(Why::Header)))) {
        if found.iter().all(|(known, _)| *known != bytes) {
            found.push((bytes, why));
        }
    }
    found
}
