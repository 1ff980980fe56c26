//! What has to change so that call summaries reach us: worked out, not done.
//!
//! In: what an account has, and what is wanted. Out: steps in order, and remarks. Pure.
//! Promises: what is as it should be gives no step, so that the second run does nothing; what bears another
//! description than ours is never deleted, only remarked on; a sink that must be made anew is made before the
//! old one goes, so that no event is lost between.

use crate::twilio::events::{Sink, SubscribedEvent, Subscription};

/// By this description we know what we made.
pub(super) const DESCRIPTION: &str = "callsink";

/// What an account has.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) sinks: Vec<Sink>,
    /// Each with its types; of those that matter.
    pub(super) subscriptions: Vec<(Subscription, Vec<SubscribedEvent>)>,
}

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) destination: String,
    pub(super) batch_events: bool,
    /// Type and newest schema version.
    pub(super) types: Vec<(String, i64)>,
}

/// One change. A SID of `None` is the one that a step before has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    CreateSink,
    Subscribe { sink: Option<String>, types: Vec<(String, i64)> },
    AddType { subscription: String, event_type: String, version: i64 },
    UpgradeType { subscription: String, event_type: String, from: i64, to: i64 },
    DeleteSubscription(String),
    DeleteSink(String),
}

/// The steps, what a person should know beside them, and the sink that is there already.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) remarks: Vec<String>,
    pub(super) sink: Option<String>,
}

fn is_ours(description: Option<&String>) -> bool {
    description.is_some_and(|text| text == DESCRIPTION)
}

impl Account {
    fn subscription_of(&self, sink: &str) -> Option<&(Subscription, Vec<SubscribedEvent>)> {
        self.subscriptions.iter().find(|(held, _)| held.sink_sid.as_deref() == Some(sink))
    }

    fn to(&self, destination: &str) -> Vec<&Sink> {
        let ours =
            self.sinks.iter().filter(|sink| sink.destination().as_deref() == Some(destination));
        ours.collect()
    }

    /// Subscriptions whose sink is gone.
    fn orphans(&self) -> impl Iterator<Item = &Subscription> {
        let has = |sid: &str| self.sinks.iter().any(|sink| sink.sid == sid);
        self.subscriptions
            .iter()
            .map(|(held, _)| held)
            .filter(move |held| !held.sink_sid.as_deref().is_some_and(has))
    }
}

impl Plan {
    /// From what there is to what is wanted.
    pub(super) fn to_reach(wanted: &Wanted, account: &Account) -> Self {
        let mut plan = Self::default();
        let candidates = account.to(&wanted.destination);
        let good = |sink: &&&Sink| sink.is_post() && sink.status.as_deref() != Some("failed");
        // Of several the one that is in use; of those the one that is ours.
        let kept = candidates.iter().filter(good).max_by_key(|sink| {
            (account.subscription_of(&sink.sid).is_some(), is_ours(sink.description.as_ref()))
        });
        match kept {
            Some(sink) => plan.keep(wanted, account, sink),
            None => {
                plan.steps.push(Step::CreateSink);
                plan.steps.push(Step::Subscribe { sink: None, types: wanted.types.clone() });
            }
        }
        let kept = kept.map(|sink| sink.sid.clone());
        for sink in candidates.iter().filter(|sink| Some(&sink.sid) != kept.as_ref()) {
            plan.clear(account, sink);
        }
        for orphan in account.orphans() {
            if is_ours(orphan.description.as_ref()) {
                plan.steps.push(Step::DeleteSubscription(orphan.sid.clone()));
            } else {
                plan.remarks
                    .push(format!("subscription {} has no sink; delete it yourself", orphan.sid));
            }
        }
        plan
    }

    /// Takes down what we made.
    pub(super) fn to_destroy(destination: &str, account: &Account) -> Self {
        let mut plan = Self::default();
        for sink in account.to(destination) {
            plan.clear(account, sink);
        }
        plan
    }

    fn keep(&mut self, wanted: &Wanted, account: &Account, sink: &Sink) {
        self.sink = Some(sink.sid.clone());
        if sink.batches().is_some_and(|batches| batches != wanted.batch_events) {
            self.remarks.push(format!(
                "sink {} has batch_events {}; that can't be changed, and callsink takes both",
                sink.sid, !wanted.batch_events
            ));
        }
        let Some((held, subscribed)) = account.subscription_of(&sink.sid) else {
            let (sink, types) = (Some(sink.sid.clone()), wanted.types.clone());
            self.steps.push(Step::Subscribe { sink, types });
            return;
        };
        for (event_type, version) in &wanted.types {
            let (subscription, event_type, to) = (held.sid.clone(), event_type.clone(), *version);
            match subscribed.iter().find(|known| known.event_type == event_type) {
                None => self.steps.push(Step::AddType { subscription, event_type, version: to }),
                Some(known) if known.schema_version < to => {
                    let from = known.schema_version;
                    self.steps.push(Step::UpgradeType { subscription, event_type, from, to });
                }
                Some(_) => {}
            }
        }
    }

    /// Subscription before sink, as Twilio wants it.
    fn clear(&mut self, account: &Account, sink: &Sink) {
        let held = account.subscription_of(&sink.sid).map(|(held, _)| held);
        let held_is_ours = held.is_none_or(|held| is_ours(held.description.as_ref()));
        if !is_ours(sink.description.as_ref()) || !held_is_ours {
            let why =
                if sink.is_post() { "" } else { " (it delivers by GET, which can't be read)" };
            self.remarks.push(format!(
                "sink {} has the same destination{why}, and was not made by callsink: delete it, and its \
                 subscription before it, yourself",
                sink.sid
            ));
            return;
        }
        self.steps.extend(held.map(|held| Step::DeleteSubscription(held.sid.clone())));
        self.steps.push(Step::DeleteSink(sink.sid.clone()));
    }
}

impl Step {
    /// For a person.
    pub(super) fn line(&self, wanted: &Wanted, shown: &str) -> String {
        let list = |types: &[(String, i64)]| {
            let each =
                types.iter().map(|(name, version)| format!("{} (schema {version})", short(name)));
            each.collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::CreateSink => {
                format!("+ sink to {shown}: webhook, POST, batch_events {}", wanted.batch_events)
            }
            Self::Subscribe { sink, types } => {
                let sink = sink.as_deref().unwrap_or("the new sink");
                format!("+ subscription of {sink} to {}", list(types))
            }
            Self::AddType { subscription, event_type, version } => {
                format!("+ {} (schema {version}) in subscription {subscription}", short(event_type))
            }
            Self::UpgradeType { subscription, event_type, from, to } => {
                format!("~ {} from schema {from} to {to} in {subscription}", short(event_type))
            }
            Self::DeleteSubscription(sid) => format!("- subscription {sid}"),
            Self::DeleteSink(sid) => format!("- sink {sid}"),
        }
    }
}

fn short(event_type: &str) -> &str {
    event_type.strip_prefix("com.twilio.voice.insights.").unwrap_or(event_type)
}
