//! Charts as SVG that takes its colours from the page: bars of benchmarks, the trend, times, and who can reach a cluster.
//! Each says in words what it shows, for those who do not see it.

use std::fmt::Write as _;

use super::words::{count, escaped, short, took};
use crate::snapshot::{Day, Episode, Reach};

const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// One horizontal bar; parts are a class and a count.
pub(super) fn bar(parts: &[(&str, usize)], says: &str) -> String {
    const WIDTH: usize = 160;
    let total: usize = parts.iter().map(|(_, n)| n).sum();
    let mut svg = open(WIDTH, 12, says);
    let mut x = 0.0;
    for (class, n) in parts.iter().filter(|(_, n)| *n > 0) {
        let width = WIDTH as f64 * *n as f64 / total.max(1) as f64;
        let _ = write!(svg, r#"<rect class="f-{class}" x="{x:.1}" y="0" width="{width:.1}" height="12"/>"#);
        x += width;
    }
    svg + "</svg>"
}

/// Open findings by day, stacked by severity.
pub(super) fn trend(days: &[Day]) -> String {
    const W: usize = 560;
    const BASE: f64 = 160.0;
    let Some(last) = days.last() else { return nothing("No day has passed yet.") };
    let most = days.iter().map(|d| d.open.iter().sum::<u32>()).max().unwrap_or(0).max(1);
    let says = format!("{} open on {}, at most {most} a day", last.open.iter().sum::<u32>(), last.date);
    let mut svg = open(W, 190, &says);
    let step = (W as f64 - 50.0) / days.len() as f64;
    for (n, day) in days.iter().enumerate() {
        let (x, mut y) = (40.0 + step * n as f64, BASE);
        let _ = write!(svg, "<g><title>{}: {}</title>", escaped(&day.date), by_severity(day));
        for (class, open) in SEVERITIES.iter().zip(day.open) {
            let height = (BASE - 15.0) * f64::from(open) / f64::from(most);
            y -= height;
            let width = (step * 0.8).min(40.0);
            let _ = write!(
                svg,
                r#"<rect class="f-{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
            );
        }
        svg.push_str("</g>");
    }
    axis(&mut svg, W, BASE, &most.to_string());
    if let Some(first) = days.first() {
        label(&mut svg, 40.0, BASE + 18.0, &first.date);
    }
    if days.len() > 1 {
        label(&mut svg, W as f64 - 90.0, BASE + 18.0, &last.date);
    }
    svg + "</svg>" + &legend()
}

fn by_severity(day: &Day) -> String {
    let parts: Vec<String> = SEVERITIES.iter().zip(day.open).map(|(name, n)| format!("{n} {name}")).collect();
    parts.join(", ")
}

fn legend() -> String {
    let items: Vec<String> = SEVERITIES.iter().map(|s| format!(r#"<span class="{s}">■</span> {s}"#)).collect();
    format!("<small>{}</small>", items.join(" &#160; "))
}

/// Containments on a time axis of orders of magnitude, one mark each, with median and worst.
pub(super) fn times(episodes: &[Episode]) -> String {
    const W: usize = 560;
    let mut all: Vec<u64> = episodes.iter().filter_map(|e| e.took_ms).collect();
    all.sort_unstable();
    let (Some(worst), Some(median)) = (all.last(), all.get(all.len().saturating_sub(1) / 2)) else {
        return nothing("Nothing was contained yet.");
    };
    let says = format!("{}: median {}, worst {}", count(all.len(), "containment"), took(*median), took(*worst));
    let mut svg = open(W, 120, &says);
    let x = |ms: u64| 30.0 + (W as f64 - 60.0) * ((ms.max(10) as f64).log10() - 1.0) / 5.0;
    for (ms, name) in [(10, "10 ms"), (100, "100 ms"), (1000, "1 s"), (10_000, "10 s"), (100_000, "100 s")] {
        let _ = write!(svg, r#"<line class="axis" x1="{0:.1}" x2="{0:.1}" y1="20" y2="80"/>"#, x(ms));
        label(&mut svg, x(ms) - 15.0, 98.0, name);
    }
    for (n, ms) in all.iter().enumerate() {
        let y = 30 + n % 5 * 9;
        let _ = write!(
            svg,
            r#"<circle class="f-good" cx="{:.1}" cy="{y}" r="4"><title>{}</title></circle>"#,
            x(*ms),
            took(*ms)
        );
    }
    label(&mut svg, 30.0, 14.0, &says);
    svg + "</svg>"
}

/// Who can reach which part of a cluster, as lines from left to right; the internet's are marked.
pub(super) fn exposure(reaches: &[Reach]) -> String {
    if reaches.is_empty() {
        return nothing("Not known: no rule or endpoint could be read.");
    }
    let sources = distinct(reaches.iter().map(|r| (r.from.to_string(), r.world)));
    let parts = distinct(reaches.iter().map(|r| (part(r), reaches.iter().any(|o| part(o) == part(r) && o.world))));
    let height = sources.len().max(parts.len()) * 40 + 16;
    let says: Vec<String> = reaches.iter().map(|r| format!("{} from {}", part(r), r.from)).collect();
    let mut svg = open(520, height, &says.join("; "));
    let row = |n: usize| 24.0 + 40.0 * n as f64;
    for reach in reaches {
        let from = sources.iter().position(|(s, _)| *s == reach.from.to_string()).unwrap_or(0);
        let to = parts.iter().position(|(p, _)| *p == part(reach)).unwrap_or(0);
        let class = if reach.world { "edge-bad" } else { "edge" };
        let (y1, y2) = (row(from), row(to));
        let _ = write!(svg, r#"<path class="{class}" d="M190 {y1:.0} C 260 {y1:.0} 260 {y2:.0} 330 {y2:.0}"/>"#);
    }
    for (n, (name, world)) in sources.iter().enumerate() {
        node(&mut svg, 4, row(n), name, *world);
    }
    for (n, (name, world)) in parts.iter().enumerate() {
        node(&mut svg, 330, row(n), name, *world);
    }
    svg + "</svg>"
}

fn part(reach: &Reach) -> String {
    if reach.port == 0 { reach.part.clone() } else { format!("{} :{}", reach.part, reach.port) }
}

fn distinct(all: impl Iterator<Item = (String, bool)>) -> Vec<(String, bool)> {
    let mut seen: Vec<(String, bool)> = Vec::new();
    for (name, world) in all {
        if !seen.iter().any(|(known, _)| *known == name) {
            seen.push((name, world));
        }
    }
    seen
}

fn node(svg: &mut String, x: usize, y: f64, name: &str, world: bool) {
    let class = if world { "box-bad" } else { "box" };
    let _ = write!(svg, r#"<rect class="{class}" x="{x}" y="{:.0}" width="186" height="28" rx="5"/>"#, y - 14.0);
    label(svg, x as f64 + 8.0, y + 4.0, &short(name, 27));
}

fn label(svg: &mut String, x: f64, y: f64, text: &str) {
    let _ = write!(svg, r#"<text x="{x:.0}" y="{y:.0}">{}</text>"#, escaped(text));
}

fn axis(svg: &mut String, width: usize, base: f64, most: &str) {
    let _ = write!(svg, r#"<line class="axis" x1="36" x2="{width}" y1="{base}" y2="{base}"/>"#);
    label(svg, 4.0, 20.0, most);
    label(svg, 4.0, base, "0");
}

fn open(width: usize, height: usize, says: &str) -> String {
    format!(
        r#"<svg role="img" aria-label="{}" viewBox="0 0 {width} {height}" width="{width}" height="{height}">"#,
        escaped(&short(says, 600))
    )
}

fn nothing(says: &str) -> String {
    format!(r#"<p class="none">{}</p>"#, escaped(says))
}
