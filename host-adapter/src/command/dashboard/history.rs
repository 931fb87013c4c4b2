//! The last minutes, put together from what all applications have counted.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::view::{
    GroupView, Kind, Mark, MemberView, Point, Seen, View, p99, worse, worse_objects,
};
use crate::status::{GroupMeasured, Measured, MemberCalls, MemberStatus, ObjectsStatus, Process};

/// How far back anything is remembered.
const SPAN: Duration = Duration::from_secs(5 * 60);

/// What the figures beside a member's name are of.
const RECENT: Duration = Duration::from_secs(10);

/// From when on a member that ends none of its calls is told of.
const STALL: Duration = Duration::from_secs(1);

/// Marks that are remembered at most.
const MARKS: usize = 200;

/// What was seen since the command was started, for as long as it is remembered.
#[derive(Debug)]
pub(super) struct History {
    /// The moment that all others are counted from, so that a clock that is set does not turn them round.
    began: (u64, Instant),
    now_ms: u64,
    groups: Vec<GroupHistory>,
    marks: VecDeque<Mark>,
    problems: Vec<String>,
}

#[derive(Debug)]
struct GroupHistory {
    label: String,
    serial: String,
    applications: Vec<Process>,
    objects: Option<ObjectsStatus>,
    members: Vec<MemberHistory>,
}

#[derive(Debug)]
struct MemberHistory {
    name: String,
    seen: Vec<Seen>,
    entries: VecDeque<Entry>,
    /// By process id and start, since ids come again.
    counted: BTreeMap<(u32, u64), Counted>,
}

#[derive(Debug)]
struct Entry {
    point: Point,
    /// As in [`CallTimes`](crate::status::CallTimes), since the entry before.
    times: Vec<u64>,
}

/// What an application had counted of a member when it last answered.
#[derive(Clone, Debug)]
struct Counted {
    at: Instant,
    calls: u64,
    losses: u64,
    recoveries: u64,
    times: Vec<u64>,
    /// Since when it has had calls in flight and has ended none.
    still: Option<Instant>,
}

impl History {
    /// Nothing has been seen yet.
    pub(super) fn new() -> Self {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            began: (milliseconds(since_1970), Instant::now()),
            now_ms: milliseconds(since_1970),
            groups: Vec::new(),
            marks: VecDeque::new(),
            problems: Vec::new(),
        }
    }

    /// Adds what was measured at a moment, which is later than all before.
    pub(super) fn add(&mut self, now: Instant, measured: &[Measured], problems: Vec<String>) {
        let (began_ms, began) = self.began;
        self.now_ms = began_ms + milliseconds(now.saturating_duration_since(began));
        self.problems = problems;
        for group in &mut self.groups {
            group.begin();
        }
        let mut rates = BTreeMap::new();
        for measured in measured {
            for group in &measured.groups {
                self.add_group(now, &measured.process, group, &mut rates);
            }
        }
        let (now_ms, oldest) = (self.now_ms, self.oldest());
        for (place, group) in self.groups.iter_mut().enumerate() {
            for member in &mut group.members {
                let rate = rates.remove(&(place, member.name.clone()));
                member.close(now_ms, oldest, rate.unwrap_or_default());
            }
            group.members.retain(MemberHistory::is_remembered);
        }
        self.groups.retain(|group| !group.members.is_empty());
        self.marks.retain(|mark| mark.at_ms >= oldest);
        let superfluous = self.marks.len().saturating_sub(MARKS);
        self.marks.drain(..superfluous);
    }

    /// What is remembered; of the points only those after a moment.
    pub(super) fn view(&self, after_ms: u64) -> View<'_> {
        View {
            now_ms: self.now_ms,
            span_ms: milliseconds(SPAN),
            groups: self
                .groups
                .iter()
                .map(|group| group.view(self.now_ms, after_ms))
                .collect(),
            marks: self.marks.iter().collect(),
            problems: &self.problems,
        }
    }

    fn oldest(&self) -> u64 {
        self.now_ms.saturating_sub(milliseconds(SPAN))
    }

    fn add_group(
        &mut self,
        now: Instant,
        process: &Process,
        measured: &GroupMeasured,
        rates: &mut BTreeMap<(usize, String), Rate>,
    ) {
        let status = &measured.status;
        let place = self.place_of(&status.serial, &status.label);
        let group = &mut self.groups[place];
        group.applications.push(process.clone());
        group.objects = Some(match &group.objects {
            Some(objects) => worse_objects(objects, &status.objects).clone(),
            None => status.objects.clone(),
        });
        for (status, calls) in status.members.iter().zip(&measured.calls) {
            let member = group.member(&status.name);
            let rate = rates.entry((place, status.name.clone())).or_default();
            for (kind, why) in member.count(now, process, status, calls, rate) {
                self.marks.push_back(Mark {
                    at_ms: self.now_ms,
                    group: measured.status.serial.clone(),
                    member: status.name.clone(),
                    pid: process.pid,
                    program: process.program.clone(),
                    kind,
                    why,
                });
            }
        }
    }

    fn place_of(&mut self, serial: &str, label: &str) -> usize {
        let found = self.groups.iter().position(|group| group.serial == serial);
        let place = found.unwrap_or_else(|| {
            self.groups.push(GroupHistory {
                label: String::new(),
                serial: serial.to_owned(),
                applications: Vec::new(),
                objects: None,
                members: Vec::new(),
            });
            self.groups.len() - 1
        });
        label.clone_into(&mut self.groups[place].label);
        place
    }
}

impl GroupHistory {
    fn begin(&mut self) {
        self.applications.clear();
        self.objects = None;
        for member in &mut self.members {
            member.seen.clear();
        }
    }

    fn member(&mut self, name: &str) -> &mut MemberHistory {
        let found = self.members.iter().position(|member| member.name == name);
        let place = found.unwrap_or_else(|| {
            self.members.push(MemberHistory {
                name: name.to_owned(),
                seen: Vec::new(),
                entries: VecDeque::new(),
                counted: BTreeMap::new(),
            });
            self.members.len() - 1
        });
        &mut self.members[place]
    }

    fn view(&self, now_ms: u64, after_ms: u64) -> GroupView<'_> {
        GroupView {
            label: &self.label,
            serial: &self.serial,
            applications: &self.applications,
            objects: self.objects.as_ref(),
            members: self
                .members
                .iter()
                .map(|member| member.view(now_ms, after_ms))
                .collect(),
        }
    }
}

/// What all applications together have had of a member since the moment before.
#[derive(Debug, Default)]
struct Rate {
    calls_per_second: f64,
    times: Vec<u64>,
}

impl MemberHistory {
    /// Takes what an application has counted; what has happened since it last answered.
    fn count(
        &mut self,
        now: Instant,
        process: &Process,
        status: &MemberStatus,
        calls: &MemberCalls,
        rate: &mut Rate,
    ) -> Vec<(Kind, String)> {
        self.seen.push(Seen {
            pid: process.pid,
            program: process.program.clone(),
            status: status.clone(),
        });
        let mut counted = Counted::new(now, status, calls);
        let key = (process.pid, process.since);
        // Of one that is seen for the first time nobody knows when it was.
        let Some(before) = self.counted.get(&key) else {
            self.counted.insert(key, counted);
            return Vec::new();
        };
        let mut happened = Vec::new();
        if counted.losses > before.losses {
            happened.push((Kind::Failover, status.evidence.clone().unwrap_or_default()));
        }
        if counted.recoveries > before.recoveries {
            happened.push((Kind::Return, String::new()));
        }
        if status.in_flight > 0 && counted.calls == before.calls {
            let still = before.still.unwrap_or(before.at);
            let is_past = |moment: Instant| moment.duration_since(still) >= STALL;
            if is_past(now) && !is_past(before.at) {
                let calls = status.in_flight;
                happened.push((Kind::Stall, format!("{calls} in flight, none ended")));
            }
            counted.still = Some(still);
        }
        rate.add(before, &counted);
        self.counted.insert(key, counted);
        happened
    }

    /// Makes a moment's entry of what all applications have said.
    fn close(&mut self, now_ms: u64, oldest: u64, rate: Rate) {
        self.entries.push_back(Entry {
            point: Point {
                at_ms: now_ms,
                state: self.state(),
                calls_per_second: rate.calls_per_second,
                p99_ms: p99(&rate.times),
            },
            times: rate.times,
        });
        let is_old = |entry: &Entry| entry.point.at_ms < oldest;
        while self.entries.front().is_some_and(is_old) {
            self.entries.pop_front();
        }
        let last = self.counted.values().map(|counted| counted.at).max();
        self.counted
            .retain(|_, counted| last.is_some_and(|last| last - counted.at < SPAN));
    }

    fn state(&self) -> Option<crate::status::State> {
        let states = self.seen.iter().map(|seen| seen.status.state);
        states.reduce(worse)
    }

    fn is_remembered(&self) -> bool {
        self.entries.iter().any(|entry| entry.point.state.is_some())
    }

    fn view(&self, now_ms: u64, after_ms: u64) -> MemberView<'_> {
        let since = now_ms.saturating_sub(milliseconds(RECENT));
        let mut recent = Rate::default();
        let mut number = 0.0;
        for entry in self.entries.iter().rev() {
            if entry.point.at_ms <= since {
                break;
            }
            number += 1.0;
            recent.calls_per_second += entry.point.calls_per_second;
            recent.add_times(&entry.times);
        }
        let points = self.entries.iter().map(|entry| entry.point);
        MemberView {
            name: &self.name,
            state: self.state(),
            calls_per_second: recent.calls_per_second / f64::max(number, 1.0),
            p99_ms: p99(&recent.times),
            seen: &self.seen,
            points: points.filter(|point| point.at_ms > after_ms).collect(),
        }
    }
}

impl Counted {
    fn new(at: Instant, status: &MemberStatus, calls: &MemberCalls) -> Self {
        let mut all = Rate::default();
        for times in &calls.times {
            all.add_times(&times.counts);
        }
        Self {
            at,
            calls: status.calls,
            losses: status.losses,
            recoveries: status.recoveries,
            times: all.times,
            still: None,
        }
    }
}

impl Rate {
    /// What an application has had between two moments.
    fn add(&mut self, before: &Counted, after: &Counted) {
        let seconds = (after.at - before.at).as_secs_f64();
        if seconds > 0.0 {
            self.calls_per_second += number(after.calls.saturating_sub(before.calls)) / seconds;
        }
        let before = before.times.iter().copied().chain(std::iter::repeat(0));
        let since = after.times.iter().zip(before);
        let since: Vec<_> = since
            .map(|(after, before)| after.saturating_sub(before))
            .collect();
        self.add_times(&since);
    }

    fn add_times(&mut self, counts: &[u64]) {
        if self.times.len() < counts.len() {
            self.times.resize(counts.len(), 0);
        }
        for (sum, count) in self.times.iter_mut().zip(counts) {
            *sum += count;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody needs that many digits")]
const fn number(count: u64) -> f64 {
    count as f64
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
