use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use super::Workload;
use super::path::{Member, Way};
use super::worker::Figure;

/// The figures of one member over all ways.
#[derive(Debug)]
pub(super) struct Report {
    member: Member,
    figures: BTreeMap<(Workload, Way), Vec<Figure>>,
}

/// What SoftHSM took to sign on the machine that the floors were set on: ECDSA over P-256, `C_SignInit` and `C_Sign`.
pub(super) const SIGNATURE_WHERE_FLOORS_WERE_SET: Duration = Duration::from_nanos(34_100);

/// What everslot may cost more than the bare member, at most.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Floor {
    member: Member,
    way: Way,
    workload: Workload,
    limit: Duration,
    /// The median difference for one call in nanoseconds; none when the way does not have the workload.
    cost: Option<f64>,
}

impl Report {
    pub(super) fn new(member: Member) -> Self {
        Self {
            member,
            figures: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, way: Way, workload: Workload, figure: Figure) {
        self.figures
            .entry((workload, way))
            .or_default()
            .push(figure);
    }

    /// A row for each workload, a column for each way: the median, and the difference to bare, of the whole and of one C function.
    pub(super) fn table(&self) -> Table {
        let ways = Way::to(self.member);
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(std::iter::once("operation").chain(ways.iter().map(|way| way.title())));
        for workload in Workload::ALL {
            let cells = ways.iter().map(|&way| self.cell(workload, way));
            table.add_row(std::iter::once(workload.title().to_owned()).chain(cells));
        }
        table
            .column_iter_mut()
            .skip(1)
            .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        table
    }

    /// How much slower this machine is than the one that the floors were set on: what a signature of the bare member takes longer. Not
    /// below 1, since a fast machine makes nothing easier.
    pub(super) fn pace(&self) -> f64 {
        let here = self.median(Workload::Sign, Way::Bare);
        let here = here.expect("the bare member signs");
        (here / SIGNATURE_WHERE_FLOORS_WERE_SET.as_nanos() as f64).max(1.0)
    }

    /// The floors for everslot's two ways, on a machine of this [pace](Self::pace).
    pub(super) fn floors(&self, pace: f64) -> Vec<Floor> {
        let limits = [
            (Way::InProcess, Duration::from_micros(1)),
            (Way::Hosted, Duration::from_micros(12)),
        ];
        let floor = |way, limit: Duration, workload| Floor {
            member: self.member,
            way,
            workload,
            limit: limit.mul_f64(pace),
            cost: self.cost(workload, way),
        };
        limits
            .iter()
            .flat_map(|&(way, limit)| Workload::ALL.map(|workload| floor(way, limit, workload)))
            .collect()
    }

    fn cell(&self, workload: Workload, way: Way) -> String {
        match (self.median(workload, way), self.cost(workload, way)) {
            (None, _) => self.refusal(workload, way),
            (Some(median), Some(cost)) if way != Way::Bare => {
                let calls = f64::from(workload.calls());
                format!(
                    "{:.2} ({:+.2}, {:+.2} a call)",
                    median / 1e3,
                    cost * calls / 1e3,
                    cost / 1e3
                )
            }
            (Some(median), _) => format!("{:.2}", median / 1e3),
        }
    }

    /// Nanoseconds of one repetition.
    fn median(&self, workload: Workload, way: Way) -> Option<f64> {
        let figures = self.figures.get(&(workload, way))?;
        let mut times: Vec<Duration> = figures.iter().copied().collect::<Result<_, _>>().ok()?;
        times.sort_unstable();
        Some(times.get(times.len() / 2)?.as_nanos() as f64)
    }

    /// The median over the rounds of the difference to bare in the same round, for one call.
    fn cost(&self, workload: Workload, way: Way) -> Option<f64> {
        let (bare, other) = (
            self.figures.get(&(workload, Way::Bare))?,
            self.figures.get(&(workload, way))?,
        );
        let difference = |(bare, other): (&Figure, &Figure)| {
            Some(other.ok()?.as_nanos() as f64 - bare.ok()?.as_nanos() as f64)
        };
        let mut differences: Vec<f64> = bare
            .iter()
            .zip(other)
            .map(difference)
            .collect::<Option<_>>()?;
        differences.sort_unstable_by(f64::total_cmp);
        Some(differences.get(differences.len() / 2)? / f64::from(workload.calls()))
    }

    fn refusal(&self, workload: Workload, way: Way) -> String {
        let figures = self.figures.get(&(workload, way)).into_iter().flatten();
        figures
            .copied()
            .find_map(Figure::err)
            .map(|code| code.to_string())
            .unwrap_or_default()
    }
}

impl Floor {
    pub(super) fn is_met(&self) -> bool {
        self.cost
            .is_some_and(|cost| cost <= self.limit.as_nanos() as f64)
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = match self.member {
            Member::SoftHsm => "SoftHSM",
            Member::TestModule => "test module",
        };
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        let cost = self.cost.map_or_else(
            || "not to be had".to_owned(),
            |cost| format!("{:+.2} µs", cost / 1e3),
        );
        write!(
            f,
            "  {verdict:6} {:20} {member:11} {:45} {cost} a call over bare, at most {:.2?}",
            self.way.title(),
            self.workload.title(),
            self.limit
        )
    }
}
