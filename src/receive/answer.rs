//! The one table from what happened to what is answered, with the reason for each.
//!
//! Source: how Twilio treats status codes. 2xx: done. 429 and 5xx: tried again for up to four hours, and
//! the whole sink is slowed. Any other 4xx: the event is dropped for good. So an authentic event never
//! gets a 4xx, and what is not durable never gets a 2xx.

use crate::journal::AppendError;
use crate::telemetry::metric::Unavailable;
use crate::verify::Rejection;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};

/// Twilio backs off by itself; whoever else reads this should, too.
const RETRY_AFTER_SECONDS: &str = "5";

/// How a request to the public listener ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 200: every event of it is durable. Duplicates, unknown types and unreadable events, too.
    Accepted,
    /// `CALLSINK_REJECT_STATUS`: not from Twilio, or not as Twilio sent it.
    Rejected(Rejection),
    /// 503: authentic or not, it can't be made durable now; Twilio shall try again.
    Unavailable(Unavailable),
    /// 413: more than we are willing to read. Nobody has looked at the signature.
    TooLarge,
    /// 408: the body did not come in time; Twilio itself waits five seconds for all of it.
    TooSlow,
    /// 400: the body broke off or its framing is wrong; nobody is left to read the answer.
    Broken,
    /// 404: not the path of the sink.
    WrongPath,
    /// 405: a sink of ours delivers by POST.
    WrongMethod,
}

impl Answer {
    /// Whether what is left of the body is not worth reading.
    pub(super) fn closes_connection(&self) -> bool {
        matches!(self, Self::TooLarge | Self::TooSlow | Self::Broken)
    }

    /// What goes over the wire.
    pub(super) fn response(&self, reject_status: StatusCode) -> HttpResponse {
        match self {
            Self::Accepted => HttpResponse::Ok().finish(),
            Self::Rejected(reason) => {
                let mut builder = HttpResponse::build(reject_status);
                if reject_status == StatusCode::TOO_MANY_REQUESTS || reject_status.is_server_error()
                {
                    builder.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
                }
                text(builder, &format!("rejected: {}", reason.as_str()))
            }
            Self::Unavailable(reason) => {
                let mut builder = HttpResponse::ServiceUnavailable();
                builder.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
                text(builder, &format!("unavailable: {}", reason.as_str()))
            }
            Self::TooLarge => closing(HttpResponse::PayloadTooLarge(), "the body is too large"),
            Self::TooSlow => {
                closing(HttpResponse::RequestTimeout(), "the body did not come in time")
            }
            Self::Broken => closing(HttpResponse::BadRequest(), "the body broke off"),
            Self::WrongPath => text(HttpResponse::NotFound(), "not the path of the sink"),
            Self::WrongMethod => {
                let mut builder = HttpResponse::MethodNotAllowed();
                builder.insert_header((header::ALLOW, "POST"));
                text(builder, "deliveries come by POST")
            }
        }
    }
}

/// Which kind of 503 a refusal of the journal is.
impl From<&AppendError> for Unavailable {
    fn from(error: &AppendError) -> Self {
        match error {
            AppendError::Full { .. } => Self::JournalFull,
            AppendError::Disk(_) | AppendError::Failed(_) => Self::JournalDisk,
            AppendError::Closed => Self::Stopping,
        }
    }
}

fn text(mut builder: HttpResponseBuilder, body: &str) -> HttpResponse {
    builder.content_type("text/plain; charset=utf-8").body(format!("{body}\n"))
}

/// What is left of the body is not read, so the connection can't be used again.
fn closing(mut builder: HttpResponseBuilder, body: &str) -> HttpResponse {
    builder.force_close();
    text(builder, body)
}
