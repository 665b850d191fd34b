//! Every rule that is built in, and how the engine refuses what it should.

mod built_in;
mod refusals;
mod semantics;
