//! What people and other tools read of an account: the live report and the export formats. Pure: data in, text out.
//! What is true is gathered by others; here it is only put into words, and every foreign word is escaped for its sink.

pub mod asff;
pub mod audit;
pub mod csv;
pub mod html;
pub mod junit;
#[cfg(test)]
mod made;
pub mod ocsf;
pub mod risk;
pub mod sarif;
pub mod snapshot;
pub mod together;

pub use snapshot::Report;
