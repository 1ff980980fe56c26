//! Every string that somebody may have signed for a request, and in how many ways each is odd.
//!
//! In: a captured request and the sink's URL. Out: the values that each piece of the signed string may have,
//! the usual one first. Pure: nothing is signed here. What is not odd is what the service itself accepts.

use super::captured::Case;
use super::url::Url;
use super::why::Why;
use crate::verify::signature::body_sha256_hex;

/// A piece's value, and why it is odd, if it is.
pub(super) type Piece<T> = (T, Option<Why>);

/// The pieces of which the signed strings are put together.
pub(super) struct Pieces {
    pub(super) schemes: Vec<Piece<String>>,
    pub(super) hosts: Vec<Piece<String>>,
    pub(super) ports: Vec<Piece<Option<String>>>,
    pub(super) userinfos: Vec<Piece<Option<String>>>,
    pub(super) paths: Vec<Piece<String>>,
    pub(super) queries: Vec<Piece<Option<String>>>,
    /// What follows the URL. Holds content of the body: never shown.
    pub(super) suffixes: Vec<Piece<String>>,
}

impl Pieces {
    pub(super) fn of(case: &Case) -> Self {
        Self {
            schemes: schemes(case),
            hosts: hosts(case),
            ports: ports(case),
            userinfos: userinfos(case),
            paths: paths(case),
            queries: queries(case),
            suffixes: suffixes(&case.body),
        }
    }
}

/// Adds what is not there yet: an odd value that is also a usual one is not odd.
fn add<T: PartialEq>(pieces: &mut Vec<Piece<T>>, value: T, why: Option<Why>) {
    if pieces.iter().all(|(known, _)| *known != value) {
        pieces.push((value, why));
    }
}

fn schemes(case: &Case) -> Vec<Piece<String>> {
    let mut schemes = vec![(case.public.scheme.clone(), None)];
    for scheme in ["https", "http"] {
        add(&mut schemes, scheme.to_owned(), Some(Why::Scheme(scheme.to_owned())));
    }
    schemes
}

/// Authorities that the capture knows beside the configured one.
fn other_authorities(case: &Case) -> Vec<Url> {
    let names = ["x-forwarded-host", "x-original-host", "host"];
    let headers = names.iter().filter_map(|name| case.header(name));
    let headers = headers.flat_map(|value| value.split(',')).map(|authority| {
        let mut url = Url::default();
        url.set_authority(authority.trim());
        url
    });
    std::iter::once(case.asked.clone()).chain(headers).filter(|url| !url.host.is_empty()).collect()
}

fn hosts(case: &Case) -> Vec<Piece<String>> {
    let host = &case.public.host;
    let mut hosts = vec![(host.clone(), None)];
    let toggled = host.strip_prefix("www.").map_or(format!("www.{host}"), str::to_owned);
    let others = other_authorities(case).into_iter().map(|url| url.host);
    for other in others.chain([host.to_ascii_lowercase(), toggled]) {
        add(&mut hosts, other.clone(), Some(Why::Host(other)));
    }
    hosts
}

fn ports(case: &Case) -> Vec<Piece<Option<String>>> {
    // The default ports are tried with each scheme: Twilio's senders are not consistent about them.
    let mut ports = vec![(None, None)];
    for usual in ["443", "80"] {
        add(&mut ports, Some(usual.to_owned()), None);
    }
    add(&mut ports, case.public.port.clone(), None);
    let forwarded = case.header("x-forwarded-port").map(str::to_owned);
    let others = other_authorities(case).into_iter().filter_map(|url| url.port);
    for port in others.chain(forwarded) {
        add(&mut ports, Some(port.clone()), Some(Why::Port(port)));
    }
    ports
}

fn userinfos(case: &Case) -> Vec<Piece<Option<String>>> {
    let mut userinfos = vec![(None, None)];
    add(&mut userinfos, case.public.userinfo.clone(), None);
    add(&mut userinfos, case.asked.userinfo.clone(), Some(Why::Userinfo));
    userinfos
}

fn paths(case: &Case) -> Vec<Piece<String>> {
    let asked = if case.asked.path.is_empty() { "/" } else { &case.asked.path };
    let sink = &case.public.path;
    let mut paths = vec![(asked.to_owned(), None)];
    if asked == "/" && sink.is_empty() {
        add(&mut paths, String::new(), None);
    }
    let toggled = |path: &str| path.strip_suffix('/').map_or(format!("{path}/"), str::to_owned);
    add(&mut paths, toggled(asked), Some(Why::TrailingSlash));
    let mut others =
        vec![sink.clone(), toggled(sink), format!("{}{asked}", sink.trim_end_matches('/'))];
    let prefix = case.header("x-forwarded-prefix");
    others.extend(prefix.map(|prefix| format!("{}{asked}", prefix.trim_end_matches('/'))));
    others.extend(original_uri(case).map(|url| url.path));
    others.extend(percent_decoded(asked));
    others.push(asked.to_ascii_lowercase());
    // A proxy may have put something in front.
    others.extend(asked.match_indices('/').skip(1).map(|(at, _)| asked[at..].to_owned()));
    for path in others {
        add(&mut paths, path.clone(), Some(Why::Path(path)));
    }
    paths
}

/// What proxies call the path and query that they were asked for.
fn original_uri(case: &Case) -> Option<Url> {
    let names = ["x-original-uri", "x-original-url", "x-forwarded-uri", "x-envoy-original-path"];
    names.iter().find_map(|name| Url::parse(case.header(name)?))
}

fn queries(case: &Case) -> Vec<Piece<Option<String>>> {
    const HASH: &str = "bodySHA256=";
    let actual = body_sha256_hex(&case.body);
    let mut queries = vec![(case.asked.query.clone(), None)];
    let (hashes, others): (Vec<&str>, Vec<&str>) =
        case.asked.parameters().partition(|pair| pair.starts_with(HASH));
    let joined = |pairs: &[&str]| (!pairs.is_empty()).then(|| pairs.join("&"));
    let with_hash = |pairs: &[&str], hash: &str| {
        let mut text = pairs.join("&");
        if !pairs.is_empty() {
            text.push('&');
        }
        Some(format!("{text}{HASH}{hash}"))
    };
    let sink: Vec<&str> = case.public.parameters().collect();
    if let Some(query) = &case.asked.query {
        for hash in &hashes {
            let claimed = &hash[HASH.len()..];
            for digits in [claimed.to_ascii_lowercase(), claimed.to_ascii_uppercase()] {
                let other_case = query.replace(hash, &format!("{HASH}{digits}"));
                add(&mut queries, Some(other_case), Some(Why::HashCase));
            }
            let of_body = query.replace(hash, &format!("{HASH}{actual}"));
            add(&mut queries, Some(of_body), Some(Why::HashOfBody));
            for pairs in [&others[..], &sink[..], &[]] {
                add(&mut queries, with_hash(pairs, claimed), Some(Why::Query));
            }
        }
        add(&mut queries, percent_decoded(query), Some(Why::Query));
    }
    if let Some(url) = original_uri(case) {
        add(&mut queries, url.query, Some(Why::Query));
    }
    if hashes.is_empty() {
        // The query was dropped or rewritten on its way.
        for pairs in [&others[..], &sink[..]] {
            add(&mut queries, with_hash(pairs, &actual), Some(Why::QueryLost));
        }
    }
    for pairs in [&others[..], &sink[..], &[]] {
        add(&mut queries, joined(pairs), Some(Why::NoHash));
    }
    queries
}

/// Where the body is a form, its parameters as they are signed: names sorted, each with its values.
fn suffixes(body: &[u8]) -> Vec<Piece<String>> {
    let mut suffixes = vec![(String::new(), None)];
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    // A form has no brackets or line ends: they are encoded. Of one as large as this nothing is signed.
    if !text.contains('=') || text.contains(['{', '[', '\n', ' ']) || text.len() > 64 << 10 {
        return suffixes;
    }
    let decoded = |text: &str| percent_decoded(&text.replace('+', " ")).unwrap_or_default();
    let mut pairs: Vec<(String, String)> = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs.dedup();
    let signed = pairs.into_iter().map(|(name, value)| name + &value).collect();
    suffixes.push((signed, Some(Why::Form)));
    suffixes
}

/// `None` where what comes out is not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
