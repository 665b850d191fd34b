//! Writes a report, given as JSON on standard input, as a page on standard output: for looking at it in a browser.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let report: picket_report::Report = serde_json::from_reader(std::io::stdin())?;
    println!("{}", picket_report::html::render(&report)?);
    Ok(())
}
