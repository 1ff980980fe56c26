//! A Twilio that signs what it sends.

use callsink::verify::signature::{body_sha256_hex, sign};
use serde_json::{Value, json};

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub const PUBLIC_URL: &str = "https://hooks.example.com/twilio/events";

/// A call-summary event in the making.
#[derive(Debug, Clone)]
pub struct Event {
    pub state: String,
    pub id: Value,
    pub time: Value,
    pub data: Value,
    /// `data` as a text that holds JSON, as in the oldest examples.
    pub data_as_text: bool,
}

impl Event {
    pub fn new(call_sid: &str, state: &str) -> Self {
        Self {
            state: state.to_owned(),
            id: json!(format!("EZ{call_sid}{state}")),
            time: json!("2026-01-02T03:04:05.678Z"),
            data: json!({ "call_sid": call_sid, "account_sid": "AC1" }),
            data_as_text: false,
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data[name] = value.into();
        self
    }

    pub fn version(self, version: i64) -> Self {
        self.with("processing_version", version)
    }

    pub fn id(mut self, id: &str) -> Self {
        self.id = json!(id);
        self
    }

    pub fn time(mut self, time: impl Into<Value>) -> Self {
        self.time = time.into();
        self
    }

    /// The event as Twilio writes it.
    pub fn json(&self) -> Value {
        let data = match self.data_as_text {
            true => json!(self.data.to_string()),
            false => self.data.clone(),
        };
        let mut event = json!({
            "specversion": "1.0",
            "type": format!("com.twilio.voice.insights.call-summary.{}", self.state),
            "source": "/v1/Voice/Summary",
            "dataschema": "https://events-schemas.twilio.com/VoiceInsights.CallSummary/7",
            "datacontenttype": "application/json",
            "data": data,
        });
        if !self.id.is_null() {
            event["id"] = self.id.clone();
        }
        if !self.time.is_null() {
            event["time"] = self.time.clone();
        }
        event
    }
}

/// An array of events, as bytes.
pub fn array(events: &[Event]) -> Vec<u8> {
    let events: Vec<Value> = events.iter().map(Event::json).collect();
    Value::from(events).to_string().into_bytes()
}

/// What Twilio would ask for when it delivers `body` to the sink at `public_url`.
pub struct Delivery {
    /// Path and query.
    pub target: String,
    pub signature: String,
}

pub fn delivery(public_url: &str, token: &str, body: &[u8]) -> Delivery {
    let separator = if public_url.contains('?') { '&' } else { '?' };
    let url = format!("{public_url}{separator}bodySHA256={}", body_sha256_hex(body));
    let host = url.find("://").expect("a scheme") + 3;
    let path = host + url[host..].find('/').expect("a path");
    Delivery { signature: sign(token, &url), target: url[path..].to_owned() }
}
