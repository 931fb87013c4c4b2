//! What processes have measured as Prometheus takes it: OpenMetrics 1.0 text.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

use super::{CallTimes, GroupStatus, Measured, MemberCalls, MemberStatus, ObjectsStatus, State};

/// The type of the text, for HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What one or several processes have measured, as text.
#[must_use]
pub fn text(measured: Vec<Measured>) -> String {
    let mut registry = Registry::with_prefix("everslot");
    registry.register_collector(Box::new(All(measured)));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => text,
        // Writing to a String does not fail.
        Err(Error) => String::new(),
    }
}

#[derive(Debug)]
struct All(Vec<Measured>);

type Labels = Vec<(&'static str, String)>;

/// A member, and who tells of it.
struct Member<'a> {
    labels: Labels,
    status: &'a MemberStatus,
    calls: &'a MemberCalls,
}

/// Where the values of one metric are written.
struct Family<'a>(MetricEncoder<'a>);

impl Family<'_> {
    fn gauge(&mut self, labels: &Labels, value: &impl EncodeGaugeValue) -> Result<(), Error> {
        self.0.encode_family(labels)?.encode_gauge(value)
    }

    fn counter(&mut self, labels: &Labels, value: &impl EncodeCounterValue) -> Result<(), Error> {
        let none: Option<&Exemplar<[(&str, &str); 0], u64>> = None;
        self.0.encode_family(labels)?.encode_counter(value, none)
    }

    fn times(&mut self, labels: &Labels, times: &CallTimes) -> Result<(), Error> {
        let bounds = CallTimes::BOUNDS.iter().map(|bound| seconds(*bound));
        let bounds = bounds.chain([f64::MAX]);
        let buckets: Vec<_> = bounds.zip(times.counts.iter().copied()).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = seconds(times.nanoseconds);
        let mut metric = self.0.encode_family(labels)?;
        metric.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody needs that many digits")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

impl Collector for All {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.groups(&mut to)?;
        let members = self.members();
        states(&mut to, &members)?;
        outages(&mut to, &members)?;
        calls(&mut to, &members)
    }
}

impl All {
    fn members(&self) -> Vec<Member<'_>> {
        let mut members = Vec::new();
        for measured in &self.0 {
            for group in &measured.groups {
                for (status, calls) in group.status.members.iter().zip(&group.calls) {
                    let group = of_process(measured, &group.status);
                    members.push(Member {
                        labels: with(&group, "member", &status.name),
                        status,
                        calls,
                    });
                }
            }
        }
        members
    }

    fn groups(&self, to: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Whether a member of the group serves";
        self.group_gauge(to, "group_serves", help, |group| {
            Some(group.can_serve().into())
        })?;
        let help = "Objects that live on fewer members than the configuration says";
        self.group_gauge(to, "objects_short", help, |group| match &group.objects {
            ObjectsStatus::Replicated { short } => i64::try_from(*short).ok(),
            ObjectsStatus::Apart | ObjectsStatus::Unknown(_) => None,
        })?;
        let help = "Whether the journal of a group with a domain key can be read";
        self.group_gauge(to, "journal_readable", help, |group| match &group.objects {
            ObjectsStatus::Replicated { .. } => Some(1),
            ObjectsStatus::Unknown(_) => Some(0),
            ObjectsStatus::Apart => None,
        })
    }

    fn group_gauge(
        &self,
        to: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        value: impl Fn(&GroupStatus) -> Option<i64>,
    ) -> Result<(), Error> {
        let mut family = Family(to.encode_descriptor(name, help, None, MetricType::Gauge)?);
        for measured in &self.0 {
            for group in &measured.groups {
                if let Some(value) = value(&group.status) {
                    family.gauge(&of_process(measured, &group.status), &value)?;
                }
            }
        }
        Ok(())
    }
}

fn of_process(measured: &Measured, group: &GroupStatus) -> Labels {
    vec![
        ("pid", measured.process.pid.to_string()),
        ("program", escaped(&measured.process.program)),
        ("group", escaped(&group.label)),
    ]
}

fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, escaped(value)));
    labels
}

/// As OpenMetrics has it in a label's value; the encoder leaves it to us.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

fn gauge(
    to: &mut DescriptorEncoder<'_>,
    members: &[Member<'_>],
    (name, help): (&str, &str),
    value: impl Fn(&Member<'_>) -> Option<f64>,
) -> Result<(), Error> {
    let mut family = Family(to.encode_descriptor(name, help, None, MetricType::Gauge)?);
    for member in members {
        if let Some(value) = value(member) {
            family.gauge(&member.labels, &value)?;
        }
    }
    Ok(())
}

fn counter(
    to: &mut DescriptorEncoder<'_>,
    members: &[Member<'_>],
    (name, help): (&str, &str),
    value: impl Fn(&Member<'_>) -> u64,
) -> Result<(), Error> {
    let mut family = Family(to.encode_descriptor(name, help, None, MetricType::Counter)?);
    for member in members {
        family.counter(&member.labels, &value(member))?;
    }
    Ok(())
}

/// 1 for the state that a member is in, 0 for all others, so that a query need not know which there are.
fn states(to: &mut DescriptorEncoder<'_>, members: &[Member<'_>]) -> Result<(), Error> {
    let help = "The state that a member is in is 1, the others are 0";
    let family = to.encode_descriptor("member_state", help, None, MetricType::Gauge)?;
    let mut family = Family(family);
    for member in members {
        for state in State::ALL {
            let is_in_it = i64::from(member.status.state == state);
            family.gauge(&with(&member.labels, "state", state.word()), &is_in_it)?;
        }
    }
    let help = "Whether a member serves";
    gauge(to, members, ("member_serves", help), |member| {
        Some(f64::from(u8::from(member.status.state.serves())))
    })?;
    let help = "Calls that a member is executing";
    gauge(to, members, ("member_in_flight", help), |member| {
        Some(member.status.in_flight.into())
    })
}

fn outages(to: &mut DescriptorEncoder<'_>, members: &[Member<'_>]) -> Result<(), Error> {
    let help = "Attempts to bring a member back in this outage";
    gauge(to, members, ("member_attempts", help), |member| {
        Some(member.status.attempts.into())
    })?;
    let help = "Times that a member was lost";
    counter(to, members, ("member_losses", help), |member| {
        member.status.losses
    })?;
    let help = "Times that a member came back";
    counter(to, members, ("member_recoveries", help), |member| {
        member.status.recoveries
    })
}

fn calls(to: &mut DescriptorEncoder<'_>, members: &[Member<'_>]) -> Result<(), Error> {
    let help = "Calls that a member has answered, by its answer";
    let family = to.encode_descriptor("member_answers", help, None, MetricType::Counter)?;
    let mut family = Family(family);
    for member in members {
        for answers in &member.calls.answers {
            family.counter(&with(&member.labels, "code", &answers.code), &answers.count)?;
        }
    }
    let help = "Calls that a member has not answered";
    counter(to, members, ("member_unanswered", help), |member| {
        member.calls.unanswered
    })?;
    let moment = |milliseconds: Option<u64>| Some(seconds(milliseconds?.saturating_mul(1_000_000)));
    let help = "When a member last answered CKR_OK";
    let name = "member_last_ok_timestamp_seconds";
    gauge(to, members, (name, help), |member| {
        moment(member.calls.last_ok_ms)
    })?;
    let help = "When a member last answered something else or nothing";
    let name = "member_last_failure_timestamp_seconds";
    gauge(to, members, (name, help), |member| {
        moment(member.calls.last_failure_ms)
    })?;
    let help =
        "How long calls took that were answered with CKR_OK, since metrics were first asked for";
    let family = to.encode_descriptor("member_call_seconds", help, None, MetricType::Histogram)?;
    let mut family = Family(family);
    for member in members {
        for times in &member.calls.times {
            family.times(&with(&member.labels, "function", &times.function), times)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
