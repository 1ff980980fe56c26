//! The handler of deliveries: verify the head, read, verify the body, open, make durable, answer.
//!
//! In: any request to the public listener. Out: an answer, counted and, where an operator should know,
//! logged. Promises: see `receive`.

use super::Context;
use super::answer::Answer;
use super::patience::Patience;
use crate::decode::split::split;
use crate::telemetry::metric::Unavailable;
use crate::verify::{Head, Rejection, Verified, Verifier};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures_util::StreamExt;
use std::time::Duration;

/// How much of a stranger's body is read, and thrown away, so that the answer arrives.
const DISCARD_BYTES: usize = 64 << 10;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for the journal. Beyond it Twilio has hung up, or is about to; what is durable then after all
/// arrives a second time and changes nothing.
const APPEND_TIMEOUT: Duration = Duration::from_millis(4_500);

/// The body of a request on its way.
struct Incoming {
    payload: web::Payload,
    /// To its end.
    is_read: bool,
}

/// Handles everything that arrives at the public listener.
pub(super) async fn receive(
    context: web::Data<Context>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let patience = request.conn_data::<Patience>();
    if let Some(patience) = patience {
        patience.suspend();
    }
    let mut body = Incoming { payload, is_read: false };
    let answer = answer(&context, &request, &mut body).await;
    count(&context, &answer);
    if !body.is_read && !answer.closes_connection() {
        // Unread, a body would break the connection before the answer arrives.
        drop(tokio::time::timeout(DISCARD_TIMEOUT, discard(body.payload)).await);
    }
    if let Some(patience) = patience {
        patience.resume(answer.closes_connection());
    }
    answer.response(context.reject_status)
}

async fn answer(context: &Context, request: &HttpRequest, incoming: &mut Incoming) -> Answer {
    let verifier = match &context.verifier {
        Ok(verifier) => verifier,
        Err(missing) => {
            if let Some(suppressed) = context.gates.unavailable.allow() {
                tracing::warn!(
                    missing = missing.0.join(" and "),
                    suppressed,
                    "a delivery was answered 503: callsink is not configured yet"
                );
            }
            return Answer::Unavailable(Unavailable::Unconfigured);
        }
    };
    if request.uri().path() != verifier.url().path() {
        return Answer::WrongPath;
    }
    if request.method() == Method::GET && request.headers().contains_key("x-twilio-signature") {
        // What such a sink sends is documented nowhere. A 405 would drop the event in silence; so Twilio
        // tries again for four hours, in which the sink can be made anew.
        if let Some(suppressed) = context.gates.get_sink.allow() {
            tracing::error!(
                suppressed,
                "a sink of Twilio's delivers by GET, which can't be read: make it anew with the method POST \
                 (`callsink setup` does); it was answered 503, so that Twilio tries again"
            );
        }
        return Answer::Unavailable(Unavailable::GetSink);
    }
    if request.method() != Method::POST {
        if let Some(suppressed) = context.gates.wrong_request.allow() {
            tracing::warn!(
                method = %request.method(),
                suppressed,
                "a request to the sink's path was answered 405: set the sink's method to POST"
            );
        }
        return Answer::WrongMethod;
    }
    if announced(request).is_some_and(|length| length > context.max_body_bytes) {
        return Answer::TooLarge;
    }
    let head = Head {
        target: target(request),
        signatures: request
            .headers()
            .get_all("x-twilio-signature")
            .map(header::HeaderValue::as_bytes)
            .collect(),
    };
    let signed = match verifier.verify_head(&head) {
        Ok(signed) => signed,
        Err(reason) => return rejected(context, verifier, request, reason),
    };
    let body = match read(request, incoming, context).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    match signed.verify_body(body) {
        Ok(delivery) => keep(context, &delivery).await,
        Err(reason) => rejected(context, verifier, request, reason),
    }
}

/// The length that the sender announces, if it does.
fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes what is left of a body of usual size off the connection without keeping it.
async fn discard(mut payload: web::Payload) {
    let mut bytes = 0;
    while let Some(Ok(chunk)) = payload.next().await {
        bytes += chunk.len();
        if bytes > DISCARD_BYTES {
            return;
        }
    }
}

/// The body, all of it, unless it is too large or too slow.
async fn read(
    request: &HttpRequest,
    incoming: &mut Incoming,
    context: &Context,
) -> Result<Bytes, Answer> {
    let reading = async {
        // An announcement costs nothing, so it is believed only up to a usual delivery.
        let mut body = BytesMut::with_capacity(announced(request).unwrap_or(0).min(16 << 10));
        while let Some(chunk) = incoming.payload.next().await {
            let chunk = chunk.map_err(|_| Answer::Broken)?;
            if body.len() + chunk.len() > context.max_body_bytes {
                return Err(Answer::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        incoming.is_read = true;
        Ok(body.freeze())
    };
    tokio::time::timeout(context.body_timeout, reading).await.unwrap_or(Err(Answer::TooSlow))
}

/// Path and query as they arrived, also of a request line in absolute form.
fn target(request: &HttpRequest) -> &str {
    request.uri().path_and_query().map_or("/", |target| target.as_str())
}

/// Opens the delivery and makes its events durable.
async fn keep(context: &Context, delivery: &Verified) -> Answer {
    let body = delivery.body();
    let events: Vec<Bytes> = split(body).into_iter().map(|event| body.slice(event)).collect();
    let count = events.len() as u64;
    let append = context.journal.append(events, Utc::now());
    let trouble = match tokio::time::timeout(APPEND_TIMEOUT, append).await {
        Ok(Ok(())) => {
            context.metrics.events_accepted.increment(count);
            context.metrics.delivery_bytes.increment(body.len() as u64);
            return Answer::Accepted;
        }
        Ok(Err(error)) => {
            if let Some(suppressed) = context.gates.unavailable.allow() {
                tracing::error!(%error, suppressed, "a delivery was answered 503; Twilio will try again");
            }
            Unavailable::from(&error)
        }
        Err(_) => {
            if let Some(suppressed) = context.gates.unavailable.allow() {
                tracing::error!(
                    suppressed,
                    "a delivery was answered 503: the journal's disk is too slow"
                );
            }
            Unavailable::JournalSlow
        }
    };
    Answer::Unavailable(trouble)
}

fn rejected(
    context: &Context,
    verifier: &Verifier,
    request: &HttpRequest,
    reason: Rejection,
) -> Answer {
    let Some(suppressed) = context.gates.rejected.allow() else { return Answer::Rejected(reason) };
    let tried = verifier.url().signed_as_redacted(target(request)).join(" ");
    tracing::warn!(
        step = reason.as_str(),
        tried,
        suppressed,
        status = context.reject_status.as_u16(),
        "a delivery was rejected: {reason}; compare CALLSINK_PUBLIC_URL with the sink's destination, and \
         TWILIO_AUTH_TOKEN with the token of the account that owns the sink"
    );
    Answer::Rejected(reason)
}

fn count(context: &Context, answer: &Answer) {
    let metrics = &context.metrics;
    let refused = |status: u16| metrics.deliveries_refused.get(&status);
    let counter = match answer {
        Answer::Accepted => Some(&metrics.deliveries_accepted),
        Answer::Rejected(reason) => metrics.deliveries_rejected.get(reason),
        Answer::Unavailable(reason) => metrics.deliveries_unavailable.get(reason),
        Answer::TooLarge => refused(413),
        Answer::TooSlow => refused(408),
        Answer::Broken => refused(400),
        Answer::WrongPath => refused(404),
        Answer::WrongMethod => refused(405),
    };
    if let Some(counter) = counter {
        counter.increment(1);
    }
}
