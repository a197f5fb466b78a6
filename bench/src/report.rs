//! The table, and the same as JSON.

use std::{fs, path::Path};

use anyhow::Result;
use serde::Serialize;

use crate::machine::Facts;

#[derive(Serialize)]
pub struct Report {
    machine: Facts,
    quick: bool,
    rows: Vec<Row>,
    for_scale: &'static [&'static str],
    /// Measures that could not be taken, and counts that grew. Never a time.
    pub failures: Vec<String>,
}

#[derive(Serialize)]
pub struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    /// The same figure of a direct call to the upstream.
    direct: Option<f64>,
    /// The same figure of a bare proxy, by the same load.
    proxy: Option<f64>,
    target: Option<Target>,
    note: String,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
}

/// Measured with the same load elsewhere, for a feeling of what the figures mean.
const FOR_SCALE: &[&str] = &[
    "server CPU per turn / per 1,000 streamed tokens, of others:",
    "  a bare hyper proxy                           47 µs    9 ms",
    "  the nearest Rust gateway, in memory         715 µs   35 ms",
    "  the same with PostgreSQL                  1,343 µs and the database's own",
    "  the best Python service                   1,258 µs   75 ms",
    "  the usual one (FastAPI, SQLAlchemy, httpx) 11,832 µs  155 ms",
];

impl Report {
    pub fn new(machine: Facts, quick: bool) -> Report {
        Report { machine, quick, rows: Vec::new(), for_scale: FOR_SCALE, failures: Vec::new() }
    }

    /// Adds a row, which the returned reference may go on describing.
    pub fn row(&mut self, name: impl Into<String>, value: f64, unit: &'static str) -> &mut Row {
        let row = Row { name: name.into(), value, unit, direct: None, proxy: None, target: None, note: String::new() };
        eprintln!("  {}: {} {unit}", row.name, number(value));
        self.rows.push(row);
        let last = self.rows.len() - 1;
        &mut self.rows[last]
    }

    pub fn print(&self) {
        let machine = &self.machine;
        println!("{}, {} cores, Linux {}", machine.cpu, machine.cores, machine.kernel);
        println!("server on core {}, load and upstream on core {}", machine.server_core, machine.load_core);
        if machine.server_core == machine.load_core {
            println!("ONE CORE for both: latencies and rates say little");
        }
        if self.quick {
            println!("a quick run: shows that it works, its figures mean little");
        }
        println!(
            "\n{:<52} {:>10} {:<9} {:>10} {:>10}  {:<14} note",
            "measure", "figure", "unit", "direct", "proxy", "target"
        );
        for row in &self.rows {
            let [direct, proxy] = [row.direct, row.proxy].map(|other| other.map(number).unwrap_or_default());
            let target = row.target.map(|target| target.describe(row.value)).unwrap_or_default();
            let (value, unit) = (number(row.value), row.unit);
            let line =
                format!("{:<52} {value:>10} {unit:<9} {direct:>10} {proxy:>10}  {target:<14} {}", row.name, row.note);
            println!("{}", line.trim_end());
        }
        println!("\n{}", self.for_scale.join("\n"));
        for failure in &self.failures {
            println!("\nFAILED: {failure}");
        }
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, serde_json::to_string_pretty(self)?)?;
        println!("\nas JSON: {}", path.display());
        Ok(())
    }
}

impl Row {
    pub fn direct(&mut self, value: f64) -> &mut Row {
        self.direct = Some(value);
        self
    }

    pub fn proxy(&mut self, value: f64) -> &mut Row {
        self.proxy = Some(value);
        self
    }

    pub fn target(&mut self, target: Target) -> &mut Row {
        self.target = Some(target);
        self
    }

    pub fn note(&mut self, note: impl Into<String>) -> &mut Row {
        self.note = note.into();
        self
    }
}

impl Target {
    fn describe(self, value: f64) -> String {
        let (sign, limit, met) = match self {
            Target::AtMost(limit) => ("≤", limit, value <= limit),
            Target::AtLeast(limit) => ("≥", limit, value >= limit),
        };
        format!("{sign} {} {}", number(limit), if met { "met" } else { "MISSED" })
    }
}

/// About three digits that matter, and commas.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    let whole = groups.collect::<Vec<_>>().join(",");
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        assert_eq!(number(11_832.4), "11,832");
        assert_eq!(number(-1234.0), "-1,234");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(0.61), "0.61");
        assert_eq!(number(0.0), "0");
    }

    #[test]
    fn the_median_of_an_even_count_is_between_the_two() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
