//! A scan as one page for a browser: nothing is loaded from elsewhere, no script runs, and every foreign word is escaped.

use std::io::Write;

use picket_model::landscape::Found;
use picket_report::html::escaped;

use super::rows::{gone_is_fine, world};
use super::spool::{Line, Spool};
use super::summary::{Summary, is_listed, is_open};
use crate::failure::Failure;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1a1a1a;\
    background:#fff}h1{font-size:1.5rem}table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;\
    padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}th{background:#f4f4f4}.bad{color:#a40000;\
    font-weight:600}.warn{color:#8a5a00}.dim{color:#666}details{margin:.2rem 0}code{font-size:.9em}\
    @media(prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}th{background:#222}th,td{border-color:#333}\
    .bad{color:#ff8080}.warn{color:#ffc266}.dim{color:#999}}";

/// Writes the page.
pub(super) fn page(spool: &Spool, summary: &Summary, out: &mut impl Write) -> Result<(), Failure> {
    let mut write = |text: String| out.write_all(text.as_bytes()).or_else(gone_is_fine);
    write(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Picket scan</title><style>{STYLE}</style></head><body>\n"
    ))?;
    write(headline(summary))?;
    write("<h2>Clusters</h2><table><tr><th>Cluster<th>Kind<th>Version<th>Nodes<th>Open to the world<th>Owner<th>Where</tr>\n".to_owned())?;
    for cluster in &summary.clusters {
        write(cluster_row(cluster))?;
    }
    write("</table>\n<h2>Not seen, so not ruled out</h2><ul>".to_owned())?;
    for blind in &summary.unseen {
        let what: Vec<&str> = blind.what.iter().map(String::as_str).collect();
        let places: Vec<&str> = blind.places.iter().map(String::as_str).collect();
        write(format!(
            "<li>{} in {}: <b>{}</b></li>\n",
            escaped(&what.join(", ")),
            escaped(&places.join(", ")),
            escaped(&blind.reason)
        ))?;
    }
    write("</ul>\n<h2>Instances</h2><table><tr><th>Instance<th>Name<th>Type<th>Public address<th>Launched<th>Cluster<th>Where</tr>\n".to_owned())?;
    for line in spool.lines()? {
        let Line::Place(place) = line? else { continue };
        for i in &place.instances {
            write(format!(
                "<tr><td><code>{}</code><td>{}<td>{}<td class=\"warn\">{}<td>{}<td>{}<td>{}</tr>\n",
                escaped(i.id.as_str()),
                escaped(i.name.as_str()),
                escaped(i.instance_type.as_str()),
                escaped(i.public_ip.as_ref().map_or("", |ip| ip.as_str())),
                i.launched_at.strftime("%Y-%m-%d"),
                escaped(i.cluster.as_deref().unwrap_or("")),
                escaped(&place.survey.scope.to_string()),
            ))?;
        }
    }
    write("</table></body></html>\n".to_owned())
}

fn headline(summary: &Summary) -> String {
    let open = summary.clusters.iter().filter(|c| is_open(c)).count();
    format!(
        "<h1>Picket scan of {}</h1><p>{} Kubernetes clusters, <span class=\"warn\">{} of them on no list of AWS</span>, \
         <span class=\"bad\">{open} open to the world</span>; {} instances in {} Regions of {} accounts. \
         <span class=\"dim\">{}, {} reads, nothing was changed.</span></p>\n",
        escaped(summary.account.as_str()),
        summary.clusters.len(),
        summary.unlisted,
        summary.instances,
        summary.regions,
        summary.accounts,
        summary.at.strftime("%Y-%m-%d %H:%M UTC"),
        summary.calls,
    )
}

fn cluster_row(cluster: &Found) -> String {
    let text =
        |value: &Option<picket_model::Untrusted>| value.as_ref().map(|v| escaped(v.as_str())).unwrap_or_default();
    let open: Vec<String> = cluster.exposure.iter().filter(|r| r.public).filter_map(world).collect();
    let clues: String = cluster
        .evidence
        .iter()
        .map(|c| format!("<li>{} <code>{}</code> {}</li>", c.weight, escaped(c.found.as_str()), escaped(&c.at)))
        .collect();
    format!(
        "<tr><td><b>{}</b><details><summary class=\"dim\">how we know</summary><ul>{clues}</ul></details>\
         <td{}>{}<td>{}<td>{}<td class=\"bad\">{}<td>{}<td>{}</tr>\n",
        escaped(&cluster.id),
        if is_listed(cluster) { "" } else { " class=\"warn\"" },
        escaped(&cluster.distribution),
        text(&cluster.version),
        cluster.nodes.len(),
        escaped(&open.join("; ")),
        text(&cluster.owner),
        escaped(&cluster.scope.to_string()),
    )
}
