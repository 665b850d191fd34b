//! What people and other tools read: the live report and the export formats. Pure: data in, text out.
