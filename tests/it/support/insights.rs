//! A Twilio that lists calls: the Insights API as Twilio describes it, with faults.
//!
//! Every request is held against Twilio's OpenAPI file: a parameter that it does not know, or a value that it
//! does not allow, is a mistake, and the test that made it fails.

use super::openapi::mistakes_of_answer;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// What happens to the next request instead of, or before, its answer.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// This status, with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// The answer takes a while.
    Slow(Duration),
    /// The answer breaks off.
    Cut,
}

/// Something that happens to the calls before the n-th page is answered.
type Happening = Box<dyn FnMut(usize, &mut Vec<Value>) + Send>;

/// What the server knows, and tests change.
#[derive(Default)]
pub struct State {
    base: String,
    /// Items, in any order.
    pub calls: Vec<Value>,
    /// Answers to come.
    pub faults: VecDeque<Fault>,
    /// Before each page.
    pub happening: Option<Happening>,
    /// No page is longer, whatever is asked for.
    pub page_size: usize,
    /// The list ends here, in silence.
    pub most: usize,
    /// Advanced Features are off: 401 whoever asks.
    pub without_features: bool,
    /// Queries of the requests so far, those of next pages included.
    pub requests: Vec<BTreeMap<String, String>>,
    mistakes: Vec<String>,
}

/// A running fake.
pub struct Insights {
    state: Arc<Mutex<State>>,
    pub url: String,
}

impl Insights {
    /// Takes this user and this password.
    pub fn start(user: &str, secret: &str) -> Self {
        Self::listen("127.0.0.1:0", user, secret)
    }

    pub fn listen(address: &str, user: &str, secret: &str) -> Self {
        let state =
            Arc::new(Mutex::new(State { page_size: 1000, most: usize::MAX, ..State::default() }));
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}")));
        let data = (web::Data::new(Arc::clone(&state)), web::Data::new(authorization));
        let server = HttpServer::new(move || {
            let (state, authorization) = data.clone();
            App::new()
                .app_data(state)
                .app_data(authorization)
                .route("/v1/Voice/Summaries", web::get().to(summaries))
        });
        let server = server.workers(1).disable_signals().bind(address).expect("a free port");
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        let insights = Self { state, url };
        insights.state().base.clone_from(&insights.url);
        insights
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in the server")
    }
}

impl Drop for Insights {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mistakes = self.state().mistakes.clone();
            assert!(mistakes.is_empty(), "Twilio would not understand: {mistakes:#?}");
        }
    }
}

async fn summaries(
    request: HttpRequest,
    query: web::Query<BTreeMap<String, String>>,
    state: web::Data<Arc<Mutex<State>>>,
    authorization: web::Data<String>,
) -> HttpResponse {
    let fault = state.lock().expect("no panic").faults.pop_front();
    match fault {
        Some(Fault::Status(status, retry_after)) => {
            let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
            let mut answer = HttpResponse::build(status);
            if let Some(seconds) = retry_after {
                answer.insert_header(("Retry-After", seconds.to_string()));
            }
            return answer.json(
                json!({ "code": 20429, "status": status.as_u16(), "message": "+15550001111" }),
            );
        }
        Some(Fault::Cut) => {
            let broken = std::io::Error::other("cut");
            let parts = [Ok(web::Bytes::from_static(b"{\"meta\":")), Err(broken)];
            return HttpResponse::Ok().streaming(futures_util::stream::iter(parts));
        }
        Some(Fault::Slow(wait)) => tokio::time::sleep(wait).await,
        None => {}
    }
    let mut state = state.lock().expect("no panic");
    state.requests.push(query.0.clone());
    let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if state.without_features || sent != Some(authorization.as_str()) {
        return HttpResponse::Unauthorized().json(json!({ "code": 20003, "status": 401 }));
    }
    let mistakes = mistakes(&query);
    if !mistakes.is_empty() {
        state.mistakes.extend(mistakes);
        return HttpResponse::BadRequest().json(json!({ "code": 20001, "status": 400 }));
    }
    let page = state.page(&query);
    let mistakes = mistakes_of_answer(&api(), "GET", "/v1/Voice/Summaries", 200, &page);
    state.mistakes.extend(mistakes);
    HttpResponse::Ok().json(page)
}

impl State {
    fn page(&mut self, query: &BTreeMap<String, String>) -> Value {
        if let Some(mut happening) = self.happening.take() {
            happening(self.requests.len(), &mut self.calls);
            self.happening = Some(happening);
        }
        let time = |name: &str| query[name].parse::<DateTime<Utc>>().expect("checked");
        let account = query.get("Subaccount").map_or(ACCOUNT, String::as_str);
        let start = |call: &Value| call["start_time"].as_str()?.parse::<DateTime<Utc>>().ok();
        let inside = |call: &&Value| {
            call["account_sid"] == account
                && start(call)
                    .is_some_and(|start| time("StartTime") <= start && start < time("EndTime"))
        };
        let mut listed: Vec<&Value> = self.calls.iter().filter(inside).collect();
        listed.sort_by_key(|call| (std::cmp::Reverse(start(call)), call["call_sid"].as_str()));
        listed.truncate(self.most);
        let skip: usize =
            query.get("PageToken").map_or(0, |token| token[2..].parse().expect("ours"));
        let size = query["PageSize"].parse::<usize>().expect("checked").min(self.page_size);
        let items: Vec<&Value> = listed.iter().copied().skip(skip).take(size).collect();
        let (end, page) = (skip + items.len(), skip / size);
        let address = |token: Option<usize>| {
            let mut query: Vec<(String, String)> = query
                .iter()
                .filter(|(name, _)| *name != "Page" && *name != "PageToken")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            query.push(("Page".to_owned(), (page + usize::from(token.is_some())).to_string()));
            query.extend(token.map(|token| ("PageToken".to_owned(), format!("PT{token}"))));
            let url = format!("{}/v1/Voice/Summaries", self.base);
            reqwest::Url::parse_with_params(&url, query).expect("an address").to_string()
        };
        json!({
            "meta": { "page": page, "page_size": size, "first_page_url": address(None), "previous_page_url": null,
                "next_page_url": (end < listed.len()).then(|| address(Some(end))), "url": address(None),
                "key": "call_summaries" },
            "call_summaries": items,
        })
    }
}

fn api() -> Value {
    let text = include_str!("../../fixtures/openapi/twilio_insights_v1.json");
    serde_json::from_str(text).expect("JSON")
}

/// What of a query is not as Twilio's OpenAPI file says, or means another thing than it seems to.
fn mistakes(query: &BTreeMap<String, String>) -> Vec<String> {
    let api = api();
    let parameters =
        api["paths"]["/v1/Voice/Summaries"]["get"]["parameters"].as_array().expect("a list");
    let mut mistakes = Vec::new();
    for name in ["StartTime", "EndTime", "ProcessingState", "PageSize"] {
        if !query.contains_key(name) {
            mistakes.push(format!("{name} is not said: the default of Twilio hides calls"));
        }
    }
    for (name, value) in query {
        let Some(parameter) = parameters.iter().find(|parameter| parameter["name"] == **name)
        else {
            mistakes.push(format!("{name} is no parameter"));
            continue;
        };
        let schema = &parameter["schema"];
        let named = schema["$ref"].as_str().and_then(|path| api.pointer(&path[1..]));
        let allowed = named.and_then(|schema| schema["enum"].as_array());
        let is_allowed = allowed.is_none_or(|words| words.iter().any(|word| word == value))
            && (schema["type"] != "integer"
                || value.parse::<i64>().is_ok_and(|number| {
                    schema["minimum"].as_i64().is_none_or(|least| number >= least)
                        && schema["maximum"].as_i64().is_none_or(|most| number <= most)
                }))
            && (!name.ends_with("Time") || value.parse::<DateTime<Utc>>().is_ok())
            && (name != "Subaccount" || value.len() == 34 && value.starts_with("AC"));
        if !is_allowed {
            mistakes.push(format!("{name} is {value:?}"));
        }
    }
    mistakes
}
