//! The Events API: sinks, subscriptions, event types.
//!
//! In: an account. Out: what it has; changes. Promises: every page of a list is read; nothing is said of a
//! destination's password.
//! Source: Twilio's OpenAPI description of events v1. A sink holds one subscription; its configuration can't be
//! changed; the last type of a subscription can't be taken away.

use super::{ApiError, Client};
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Twilio's most is 1,000; an account has at most a hundred sinks.
const PAGE_SIZE: &str = "200";

/// The Events API of one account.
#[derive(Debug, Clone)]
pub struct Events {
    client: Client,
    base: Url,
    /// The account (AC...).
    pub account_sid: String,
}

/// Where events are delivered to.
#[derive(Debug, Clone, Deserialize)]
pub struct Sink {
    /// DG...
    pub sid: String,
    /// Free text.
    pub description: Option<String>,
    /// `webhook` and others.
    pub sink_type: Option<String>,
    /// `initialized`, `validating`, `active`, `failed`.
    pub status: Option<String>,
    sink_configuration: Option<Value>,
}

impl Sink {
    /// Its destination, to the letter.
    #[must_use]
    pub fn destination(&self) -> Option<String> {
        self.configured("destination")?.as_str().map(str::to_owned)
    }

    /// `POST` or `GET`; Twilio says it in lower case, and its default is POST.
    #[must_use]
    pub fn is_post(&self) -> bool {
        let method = self.configured("method");
        method.is_none_or(|method| {
            method.as_str().is_some_and(|text| text.eq_ignore_ascii_case("post"))
        })
    }

    /// Whether events come in arrays of several.
    #[must_use]
    pub fn batches(&self) -> Option<bool> {
        match self.configured("batch_events")? {
            Value::Bool(yes) => Some(yes),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The configuration is an object, or a text that holds one.
    fn configured(&self, name: &str) -> Option<Value> {
        match self.sink_configuration.as_ref()? {
            Value::String(text) => serde_json::from_str::<Value>(text).ok()?.get(name).cloned(),
            object => object.get(name).cloned(),
        }
        .filter(|value| !value.is_null())
    }
}

/// Which events a sink gets.
#[derive(Debug, Clone, Deserialize)]
pub struct Subscription {
    /// DF...
    pub sid: String,
    /// Free text.
    pub description: Option<String>,
    /// The sink.
    pub sink_sid: Option<String>,
}

/// A type of event of a subscription.
#[derive(Debug, Clone, Deserialize)]
pub struct SubscribedEvent {
    /// CloudEvents type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Which schema its data follow.
    #[serde(default)]
    pub schema_version: i64,
}

/// A type of event that may be subscribed to.
#[derive(Debug, Clone, Deserialize)]
pub struct EventType {
    /// CloudEvents type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Its schema, such as `VoiceInsights.CallSummary`.
    pub schema_id: Option<String>,
    /// `available`, `deprecated`, `restricted`, `discontinued`.
    pub status: Option<String>,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    latest_version: i64,
}

#[derive(Deserialize)]
struct Outcome {
    result: Option<String>,
}

impl Events {
    /// Of the account that `client` asks for.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(client: Client, base: &str, account_sid: &str) -> anyhow::Result<Self> {
        let base = Url::parse(&format!("{base}/"))?;
        Ok(Self { client, base, account_sid: account_sid.to_owned() })
    }

    /// Asks fewer times: for a diagnosis.
    #[must_use]
    pub fn impatient(&self) -> Self {
        Self { client: self.client.impatient(2), ..self.clone() }
    }

    fn address(&self, path: &str) -> Result<Url, ApiError> {
        let url = self.base.join(path);
        url.map_err(|_| ApiError::Denied(format!("{path} is no address")))
    }

    async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ApiError> {
        let mut address = self.address(path)?;
        address.query_pairs_mut().append_pair("PageSize", PAGE_SIZE);
        let mut all = Vec::new();
        loop {
            let list = self.client.get(&address).await?.list().map_err(ApiError::Denied)?;
            for item in &list.items {
                let item = serde_json::from_str(item.get());
                all.push(
                    item.map_err(|_| ApiError::Denied(format!("{path} lists something else")))?,
                );
            }
            let Some(next) = list.next else { return Ok(all) };
            address = self.address(&next)?;
            if address.origin() != self.base.origin() {
                return Err(ApiError::Denied("next_page_url leads to another host".to_owned()));
            }
        }
    }

    async fn create(&self, path: &str, form: &[(&str, String)]) -> Result<String, ApiError> {
        #[derive(Deserialize)]
        struct Created {
            sid: String,
        }
        let body = self.client.post(&self.address(path)?, form).await?;
        Ok(body.object::<Created>().map_err(ApiError::Denied)?.sid)
    }

    /// Every type that this account knows.
    ///
    /// # Errors
    /// See [`ApiError`]; so do all below.
    pub async fn types(&self) -> Result<Vec<EventType>, ApiError> {
        self.all("v1/Types").await
    }

    /// The newest version of a schema.
    pub async fn latest_version(&self, schema_id: &str) -> Result<i64, ApiError> {
        let body = self.client.get(&self.address(&format!("v1/Schemas/{schema_id}"))?).await?;
        Ok(body.object::<Schema>().map_err(ApiError::Denied)?.latest_version)
    }

    /// Every sink.
    pub async fn sinks(&self) -> Result<Vec<Sink>, ApiError> {
        self.all("v1/Sinks").await
    }

    /// Every subscription.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ApiError> {
        self.all("v1/Subscriptions").await
    }

    /// The types of a subscription.
    pub async fn subscribed(&self, subscription: &str) -> Result<Vec<SubscribedEvent>, ApiError> {
        self.all(&format!("v1/Subscriptions/{subscription}/SubscribedEvents")).await
    }

    /// Makes a webhook sink that delivers by POST; its SID.
    pub async fn create_sink(
        &self,
        description: &str,
        destination: &str,
        batch_events: bool,
    ) -> Result<String, ApiError> {
        let configuration = serde_json::json!({
            "destination": destination, "method": "POST", "batch_events": batch_events
        });
        let form = [
            ("Description", description.to_owned()),
            ("SinkConfiguration", configuration.to_string()),
            ("SinkType", "webhook".to_owned()),
        ];
        self.create("v1/Sinks", &form).await
    }

    /// Subscribes a sink to types, each of a schema version; the subscription's SID.
    pub async fn create_subscription(
        &self,
        description: &str,
        sink: &str,
        types: &[(String, i64)],
    ) -> Result<String, ApiError> {
        let mut form = vec![("Description", description.to_owned()), ("SinkSid", sink.to_owned())];
        form.extend(types.iter().map(|(event_type, version)| {
            let wanted = serde_json::json!({ "type": event_type, "schema_version": version });
            ("Types", wanted.to_string())
        }));
        self.create("v1/Subscriptions", &form).await
    }

    /// Adds a type to a subscription.
    pub async fn add_type(
        &self,
        subscription: &str,
        event_type: &str,
        version: i64,
    ) -> Result<(), ApiError> {
        let address = self.address(&format!("v1/Subscriptions/{subscription}/SubscribedEvents"))?;
        let form = [("Type", event_type.to_owned()), ("SchemaVersion", version.to_string())];
        self.client.post(&address, &form).await.map(|_| ())
    }

    /// Moves a type of a subscription to another schema version.
    pub async fn upgrade_type(
        &self,
        subscription: &str,
        event_type: &str,
        version: i64,
    ) -> Result<(), ApiError> {
        let path = format!("v1/Subscriptions/{subscription}/SubscribedEvents/{event_type}");
        let form = [("SchemaVersion", version.to_string())];
        self.client.post(&self.address(&path)?, &form).await.map(|_| ())
    }

    /// Deletes a sink, which no subscription may use.
    pub async fn delete_sink(&self, sid: &str) -> Result<(), ApiError> {
        self.client.delete(&self.address(&format!("v1/Sinks/{sid}"))?).await
    }

    /// Deletes a subscription; its sink stays.
    pub async fn delete_subscription(&self, sid: &str) -> Result<(), ApiError> {
        self.client.delete(&self.address(&format!("v1/Subscriptions/{sid}"))?).await
    }

    /// Has Twilio send its test event to a sink.
    pub async fn send_test_event(&self, sink: &str) -> Result<(), ApiError> {
        self.client.post(&self.address(&format!("v1/Sinks/{sink}/Test"))?, &[]).await.map(|_| ())
    }

    /// Tells Twilio the id of the test event that came; whether it was the right one.
    pub async fn validate(&self, sink: &str, test_id: &str) -> Result<bool, ApiError> {
        let address = self.address(&format!("v1/Sinks/{sink}/Validate"))?;
        let body = self.client.post(&address, &[("TestId", test_id.to_owned())]).await?;
        let result = body.object::<Outcome>().map_err(ApiError::Denied)?.result;
        Ok(result.as_deref() == Some("valid"))
    }
}
