//! What was captured, and what callsink is set to: from arguments to a case that can be looked into.
//!
//! In: flags, environment, files. Out: [`Case`], or one line that says what is missing.
//! Promises: secrets never print; they are kept as given, with the whitespace that `serve` takes off, since
//! that may be what is wrong.

use super::url::Url;
use crate::verify::public_url::PublicUrl;
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;

/// Options of `callsink check-request`.
#[derive(clap::Args, Debug)]
pub struct CheckRequestArgs {
    /// The request's URL as callsink received it or as a proxy logged it, bodySHA256 included: whole, or
    /// path and query
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// A header of the request, such as 'X-Twilio-Signature: ...'; may be given more than once. Host and
    /// X-Forwarded-* help to find what is wrong
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// The value of X-Twilio-Signature, instead of the header
    #[arg(long, value_name = "BASE64", allow_hyphen_values = true)]
    pub signature: Option<String>,
    /// File with the request's body, byte for byte
    #[arg(long, value_name = "FILE")]
    pub body_file: PathBuf,
    /// The sink's destination, to the letter as Twilio has it
    #[arg(long, env = "CALLSINK_PUBLIC_URL", value_name = "URL", hide_env_values = true)]
    pub public_url: Option<String>,
    /// Signing secrets, comma-separated. Others on this machine can see a flag: prefer the variable or
    /// the file
    #[arg(long, env = "TWILIO_AUTH_TOKEN", value_name = "TOKENS", hide_env_values = true)]
    pub twilio_auth_token: Option<SecretString>,
    /// File that holds TWILIO_AUTH_TOKEN
    #[arg(long, env = "TWILIO_AUTH_TOKEN_FILE", value_name = "FILE")]
    pub twilio_auth_token_file: Option<String>,
    /// One JSON object, for machines
    #[arg(long)]
    pub json: bool,
}

/// A captured request, and the settings to check it against.
pub(super) struct Case {
    pub(super) public_url: PublicUrl,
    /// The same, taken apart.
    pub(super) public: Url,
    /// The URL of the request; without scheme and host where only path and query are known.
    pub(super) asked: Url,
    /// Path and query as received.
    pub(super) target: String,
    pub(super) signatures: Vec<String>,
    /// The other headers, names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    pub(super) secrets: Vec<Secret>,
}

/// A signing secret, as `serve` uses it and as it was given.
pub(super) struct Secret {
    pub(super) used: SecretString,
    pub(super) given: SecretString,
}

impl Case {
    pub(super) fn new(args: CheckRequestArgs) -> anyhow::Result<Self> {
        let text = args.public_url.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let text = text.context(
            "CALLSINK_PUBLIC_URL is not set: expected the sink's destination, to the letter",
        )?;
        let public_url = PublicUrl::parse(text)
            .map_err(|reason| anyhow::anyhow!("CALLSINK_PUBLIC_URL is not usable: {reason}"))?;
        let asked = Url::parse(args.url.trim()).context(
            "--url is neither a URL such as https://host/path?bodySHA256=... nor its path and query",
        )?;
        let mut signatures: Vec<String> = Vec::new();
        let mut headers = Vec::new();
        for header in &args.headers {
            let (name, value) = header.split_once(':').context("--header expects 'Name: value'")?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            if name == "x-twilio-signature" {
                signatures.push(value);
            } else {
                headers.push((name, value));
            }
        }
        if let Some(signature) = args.signature {
            ensure!(
                signatures.is_empty(),
                "--signature and the header X-Twilio-Signature are both given"
            );
            signatures.push(signature.trim().to_owned());
        }
        let body = std::fs::read(&args.body_file)
            .with_context(|| format!("--body-file {} can't be read", args.body_file.display()))?;
        Ok(Self {
            public_url,
            public: Url::parse(text).context("CALLSINK_PUBLIC_URL is not usable")?,
            target: asked.target(),
            asked,
            signatures,
            headers,
            body: body.into(),
            secrets: secrets(args.twilio_auth_token, args.twilio_auth_token_file)?,
        })
    }

    /// The value of a header, where it was captured.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn secrets(value: Option<SecretString>, file: Option<String>) -> anyhow::Result<Vec<Secret>> {
    let value = value.filter(|value| !value.expose_secret().trim().is_empty());
    let file = file.filter(|file| !file.trim().is_empty());
    let text = match (value, file) {
        (Some(_), Some(_)) => {
            bail!("TWILIO_AUTH_TOKEN and TWILIO_AUTH_TOKEN_FILE are both set: expected one of them")
        }
        (Some(value), None) => value,
        (None, Some(file)) => SecretString::from(
            std::fs::read_to_string(file.trim())
                .with_context(|| format!("TWILIO_AUTH_TOKEN_FILE={file:?} can't be read"))?,
        ),
        (None, None) => bail!("TWILIO_AUTH_TOKEN is not set: expected the signing secrets"),
    };
    let secrets: Vec<Secret> = text
        .expose_secret()
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| Secret { used: part.trim().into(), given: part.into() })
        .collect();
    ensure!(!secrets.is_empty(), "TWILIO_AUTH_TOKEN holds no secret");
    Ok(secrets)
}
