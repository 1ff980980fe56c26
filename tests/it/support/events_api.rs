//! A Twilio that has sinks and subscriptions: the Events API as Twilio describes it, and the Monitor API's alerts.
//!
//! Requests and answers are held against Twilio's OpenAPI file: a path, a field or a parameter that it does not
//! know, or one that it asks for and that is not there, fails the test.

use super::openapi::mistakes_of_answer;
use super::twilio;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

pub const PREFIX: &str = "com.twilio.voice.insights.call-summary.";

/// What the account has.
#[derive(Default)]
pub struct State {
    /// Its only user, and what it is called with.
    user: String,
    token: String,
    /// Another user, and what it is called with.
    pub another: Option<(String, String)>,
    base: String,
    pub sinks: Vec<Value>,
    pub subscriptions: Vec<Value>,
    /// By subscription: type and schema version.
    pub subscribed: BTreeMap<String, Vec<(String, i64)>>,
    pub types: Vec<Value>,
    pub latest_version: i64,
    /// Alerts of the Debugger, by code.
    pub alerts: Vec<String>,
    /// Where test events really go: the destination's host is made up.
    pub deliver_to: Option<String>,
    /// Every change, as method and path.
    pub changes: Vec<String>,
    pub page_size: usize,
    count: u32,
    tests: Vec<String>,
    mistakes: Vec<String>,
}

/// A running fake.
pub struct EventsApi {
    state: Arc<Mutex<State>>,
    pub url: String,
}

impl EventsApi {
    pub fn start(user: &str, token: &str) -> Self {
        Self::listen("127.0.0.1:0", user, token)
    }

    pub fn listen(address: &str, user: &str, token: &str) -> Self {
        let offered = |suffix: &str| {
            json!({ "type": format!("{PREFIX}{suffix}"), "schema_id": "VoiceInsights.CallSummary",
                "status": "available", "description": suffix })
        };
        let state = State {
            user: user.to_owned(),
            token: token.to_owned(),
            types: ["partial", "predicted-complete", "complete", "event"].map(offered).to_vec(),
            latest_version: 7,
            page_size: 2,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let data = web::Data::new(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::route().to(answer))
        });
        let server = server.workers(1).disable_signals().bind(address).expect("a free port");
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        let api = Self { state, url };
        api.state().base.clone_from(&api.url);
        api
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in the server")
    }

    /// A sink that was there before.
    pub fn add_sink(&self, description: &str, destination: &str, method: &str) -> String {
        let configuration =
            json!({ "destination": destination, "method": method, "batch_events": true });
        self.state().add_sink(description, &configuration)
    }

    pub fn subscribe(&self, description: &str, sink: &str, types: &[(&str, i64)]) -> String {
        let types =
            types.iter().map(|(name, version)| (format!("{PREFIX}{name}"), *version)).collect();
        self.state().subscribe(description, sink, types)
    }
}

impl Drop for EventsApi {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mistakes = self.state().mistakes.clone();
            assert!(mistakes.is_empty(), "Twilio would not understand: {mistakes:#?}");
        }
    }
}

async fn answer(
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<Arc<Mutex<State>>>,
) -> HttpResponse {
    let (status, answer, delivery) = {
        let mut state = state.lock().expect("no panic");
        let basic = |user: &str, password: &str| {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
        };
        let another = state.another.as_ref().map(|(user, token)| basic(user, token));
        let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        if sent.is_none_or(|sent| {
            sent != basic(&state.user, &state.token) && Some(sent) != another.as_deref()
        }) {
            return HttpResponse::Unauthorized().json(json!({ "code": 20003, "status": 401 }));
        }
        let fields = |text: &str| -> Vec<(String, String)> {
            let url = reqwest::Url::parse(&format!("http://x/?{text}")).expect("a query");
            url.query_pairs().into_owned().collect()
        };
        let form = fields(std::str::from_utf8(&body).expect("a form"));
        let query = fields(request.query_string());
        let method = request.method().as_str().to_owned();
        let mistakes = mistakes(&method, request.path(), &form, &query);
        state.mistakes.extend(mistakes);
        if method != "GET" {
            state.changes.push(format!("{method} {}", request.path()));
        }
        let answered = state.answer(&method, request.path(), &form, &query);
        if request.path() != "/v1/Alerts" {
            let path = request.path();
            let mistakes = mistakes_of_answer(&api(), &method, path, answered.0, &answered.1);
            state.mistakes.extend(mistakes);
        }
        answered
    };
    if let Some((url, signature, body)) = delivery {
        // As Twilio: some time after the answer.
        tokio::spawn(async move {
            let client = callsink::http_client::builder().build().expect("a client");
            let request = client.post(url).header("X-Twilio-Signature", signature).body(body);
            drop(request.send().await);
        });
    }
    let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
    let mut builder = HttpResponse::build(status);
    if answer.is_null() { builder.finish() } else { builder.json(answer) }
}

type Answered = (u16, Value, Option<(String, String, Vec<u8>)>);

impl State {
    fn sid(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}{:032x}", self.count)
    }

    fn add_sink(&mut self, description: &str, configuration: &Value) -> String {
        let sid = self.sid("DG");
        self.sinks.push(json!({ "sid": sid, "description": description, "sink_type": "webhook",
            "status": "active", "sink_configuration": configuration }));
        sid
    }

    fn subscribe(&mut self, description: &str, sink: &str, types: Vec<(String, i64)>) -> String {
        let sid = self.sid("DF");
        self.subscriptions.push(json!({ "sid": sid, "description": description, "sink_sid": sink,
            "account_sid": self.user }));
        self.subscribed.insert(sid.clone(), types);
        sid
    }

    fn list(&self, key: &str, path: &str, items: &[Value], query: &[(String, String)]) -> Answered {
        let page = query.iter().find(|(name, _)| name == "Page");
        let page: usize = page.map_or(0, |(_, page)| page.parse().expect("ours"));
        let address = |page: usize| {
            format!("{}{path}?PageSize=200&Page={page}&PageToken=PT{page}", self.base)
        };
        let shown: Vec<Value> =
            items.iter().skip(page * self.page_size).take(self.page_size).cloned().collect();
        let next = ((page + 1) * self.page_size < items.len()).then(|| address(page + 1));
        let meta = json!({ "page": page, "page_size": self.page_size, "first_page_url": address(0),
            "previous_page_url": null, "next_page_url": next, "url": address(page), "key": key });
        (200, json!({ "meta": meta, key: shown }), None)
    }

    fn answer(
        &mut self,
        method: &str,
        path: &str,
        form: &[(String, String)],
        query: &[(String, String)],
    ) -> Answered {
        let field = |name: &str| {
            form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let not_found = || (404, json!({ "code": 20404, "status": 404 }), None);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').skip(1).collect();
        match (method, parts.as_slice()) {
            ("GET", ["Types"]) => self.list("types", path, &self.types.clone(), query),
            ("GET", ["Schemas", id]) => {
                (200, json!({ "id": id, "latest_version": self.latest_version }), None)
            }
            ("GET", ["Sinks"]) => self.list("sinks", path, &self.sinks.clone(), query),
            ("GET", ["Subscriptions"]) => {
                self.list("subscriptions", path, &self.subscriptions.clone(), query)
            }
            ("GET", ["Alerts"]) => {
                let alerts: Vec<Value> = self
                    .alerts
                    .iter()
                    .map(|code| {
                        json!({ "error_code": code,
                    "alert_text": "+15550001111" })
                    })
                    .collect();
                self.list("alerts", path, &alerts, query)
            }
            ("GET", ["Subscriptions", sid, "SubscribedEvents"]) => {
                let types = self.subscribed.get(*sid).cloned().unwrap_or_default();
                let items: Vec<Value> = types
                    .iter()
                    .map(|(name, version)| {
                        json!({ "type": name,
                    "schema_version": version, "subscription_sid": sid })
                    })
                    .collect();
                self.list("types", path, &items, query)
            }
            ("POST", ["Sinks"]) => {
                let configuration = field("SinkConfiguration").unwrap_or_default();
                let configuration: Value = serde_json::from_str(&configuration).expect("JSON");
                let sid = self.add_sink(&field("Description").unwrap_or_default(), &configuration);
                (201, json!({ "sid": sid, "status": "active" }), None)
            }
            ("POST", ["Subscriptions"]) => {
                let sink = field("SinkSid").unwrap_or_default();
                if self.subscriptions.iter().any(|known| known["sink_sid"] == *sink) {
                    return (400, json!({ "code": 20001, "status": 400 }), None); // "is in use"
                }
                let types = form.iter().filter(|(name, _)| name == "Types").map(|(_, text)| {
                    let wanted: Value = serde_json::from_str(text).expect("JSON");
                    let name = wanted["type"].as_str().expect("a type").to_owned();
                    (name, wanted["schema_version"].as_i64().unwrap_or(self.latest_version))
                });
                let types = types.collect();
                let sid = self.subscribe(&field("Description").unwrap_or_default(), &sink, types);
                (201, json!({ "sid": sid, "sink_sid": sink }), None)
            }
            ("POST", ["Subscriptions", sid, "SubscribedEvents", rest @ ..]) => {
                let name = rest
                    .first()
                    .map_or_else(|| field("Type").unwrap_or_default(), ToString::to_string);
                let version =
                    field("SchemaVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
                let Some(types) = self.subscribed.get_mut(*sid) else { return not_found() };
                types.retain(|(known, _)| *known != name);
                types.push((name.clone(), version));
                (200, json!({ "type": name, "schema_version": version }), None)
            }
            ("DELETE", ["Sinks", sid]) => {
                if self.subscriptions.iter().any(|known| known["sink_sid"] == **sid) {
                    return (409, json!({ "status": 409 }), None);
                }
                self.sinks.retain(|known| known["sid"] != **sid);
                (204, Value::Null, None)
            }
            ("DELETE", ["Subscriptions", sid]) => {
                self.subscriptions.retain(|known| known["sid"] != **sid);
                self.subscribed.remove(*sid);
                (204, Value::Null, None)
            }
            ("POST", ["Sinks", sid, "Test"]) => {
                let sink = self.sinks.iter().find(|known| known["sid"] == **sid).cloned();
                let Some(sink) = sink else { return not_found() };
                let delivery =
                    self.deliver_to.clone().map(|deliver_to| self.test_event(&sink, &deliver_to));
                (200, json!({ "result": "submitted" }), delivery)
            }
            ("POST", ["Sinks", _, "Validate"]) => {
                let is_known = self.tests.contains(&field("TestId").unwrap_or_default());
                (201, json!({ "result": if is_known { "valid" } else { "invalid" } }), None)
            }
            _ => not_found(),
        }
    }

    fn test_event(&mut self, sink: &Value, deliver_to: &str) -> (String, String, Vec<u8>) {
        let test_id = format!("95001c1e-5b8e-45f5-830d-{:012}", self.tests.len());
        self.tests.push(test_id.clone());
        let event = json!({ "specversion": "1.0", "type": "com.twilio.eventstreams.test-event", "source": "Sink",
            "id": self.user, "dataschema": "https://events-schemas.twilio.com/EventStreams.TestSink/1.json",
            "datacontenttype": "application/json", "time": "2020-08-18T21:10:02.113Z",
            "data": json!({ "test_id": test_id }).to_string() });
        let body = json!([event]).to_string().into_bytes();
        let destination =
            sink["sink_configuration"]["destination"].as_str().expect("a destination");
        let delivery = twilio::delivery(destination, &self.token, &body);
        (format!("{deliver_to}{}", delivery.target), delivery.signature, body)
    }
}

fn api() -> Value {
    let text = include_str!("../../fixtures/openapi/twilio_events_v1.json");
    serde_json::from_str(text).expect("JSON")
}

/// What of a request is not as Twilio's OpenAPI file says.
fn mistakes(
    method: &str,
    path: &str,
    form: &[(String, String)],
    query: &[(String, String)],
) -> Vec<String> {
    if path == "/v1/Alerts" {
        return Vec::new(); // of the Monitor API, which is another file
    }
    let api = api();
    let parts: Vec<&str> = path.split('/').collect();
    let is_it = |template: &&String| {
        let known: Vec<&str> = template.split('/').collect();
        let same = |(known, part): (&&str, &&str)| known.starts_with('{') || known == part;
        known.len() == parts.len() && known.iter().zip(&parts).all(same)
    };
    let paths = api["paths"].as_object().expect("paths");
    let Some(template) = paths.keys().find(is_it) else {
        return vec![format!("{path} is no path")];
    };
    let operation = &paths[template][method.to_lowercase()];
    if operation.is_null() {
        return vec![format!("{method} {path} is no operation")];
    }
    let mut mistakes = Vec::new();
    let schema =
        &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    for (name, value) in form {
        let property = &schema["properties"][name];
        if property.is_null() {
            mistakes.push(format!("{method} {path}: {name} is no field"));
        }
        let length = property["minLength"].as_u64().filter(|_| name.ends_with("Sid"));
        if length.is_some_and(|length| value.len() as u64 != length) {
            mistakes.push(format!("{method} {path}: {name} is {value:?}"));
        }
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        if !form.iter().any(|(name, _)| required == name) {
            mistakes.push(format!("{method} {path}: {required} is not there"));
        }
    }
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for (name, _) in query {
        if !parameters.iter().any(|known| known["in"] == "query" && known["name"] == **name) {
            mistakes.push(format!("{method} {path}: {name} is no parameter"));
        }
    }
    mistakes
}
