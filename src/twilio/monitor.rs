//! The Monitor API: what Twilio's Debugger has to say.
//!
//! In: an account. Out: codes of the errors of the last day, counted. Their texts may hold what a call said, so
//! they are not read.

use super::{ApiError, Client};
use chrono::{TimeDelta, Utc};
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Enough to tell whether there is trouble.
const MOST_PAGES: usize = 5;

#[derive(Deserialize)]
struct Alert {
    error_code: Option<String>,
}

/// Errors of the last day by code.
///
/// # Errors
/// See [`ApiError`].
pub async fn errors_of_the_last_day(
    client: &Client,
    base: &str,
) -> Result<BTreeMap<String, u64>, ApiError> {
    let no_address = |_| ApiError::Denied("the Monitor API has no address".to_owned());
    let since = (Utc::now() - TimeDelta::days(1)).format("%FT%TZ").to_string();
    let query = [("StartDate", since.as_str()), ("PageSize", "1000")];
    let mut address =
        Url::parse_with_params(&format!("{base}/v1/Alerts"), query).map_err(no_address)?;
    let origin = address.origin();
    let mut codes = BTreeMap::new();
    for _ in 0..MOST_PAGES {
        let list = client.get(&address).await?.list().map_err(ApiError::Denied)?;
        for item in &list.items {
            if let Ok(Alert { error_code: Some(code) }) = serde_json::from_str(item.get()) {
                *codes.entry(code).or_insert(0) += 1;
            }
        }
        let Some(next) = list.next else { break };
        address = Url::parse(&next).map_err(no_address)?;
        if address.origin() != origin {
            break;
        }
    }
    Ok(codes)
}
