//! `freehold bench`: what decides a run, what is asked, what it measured, and what its journal says.
//!
//! ```text
//! asked ─► settings, targets, spending ─► consent, requests (in `cli`, by `measure`) ─► journal, tally ─► document
//!                                             ▲                                           │
//!                                             └── stopping, resume: what is left to ask ◄─┘
//! ```
//!
//! | file | decides |
//! |---|---|
//! | [`asked`], [`range`], [`limits`] | what may be asked for, on the command line and by a journal |
//! | [`settings`] | defaults, what is echoed, what makes two runs the same |
//! | [`targets`], [`privacy`] | what is known of an API and its price; whether prompts may go there |
//! | [`bounds`], [`spending`] | the most a run can cost, and whether somebody has to agree |
//! | [`steps`], [`load`], [`request`] | which requests are sent, in which order, with which text |
//! | [`local_models`], [`memory`], [`template`] | how a model is loaded, whether it fits, whether it takes the prompts |
//! | [`questions`], [`human`], [`recorded`] | what graders from outside are asked; what people and logs say |
//! | [`engine_only`] | runs of the engine that ask for no answers |
//! | [`stopping`] | when a run ends before all was asked |
//! | [`journal`], [`resume`], [`replay`] | what is written down, what a run that goes on takes from it, and what may be decided anew |
//! | [`tally`], [`load_samples`], [`measured`], [`outcome`] | what the requests came to, the report, and what is missing of it |

pub mod asked;
pub mod bounds;
pub mod engine_only;
pub mod human;
pub mod journal;
pub mod limits;
pub mod load;
pub mod load_samples;
pub mod local_models;
pub mod measured;
pub mod memory;
pub mod outcome;
pub mod privacy;
pub mod questions;
pub mod range;
pub mod recorded;
pub mod replay;
pub mod request;
pub mod resume;
pub mod settings;
pub mod spending;
pub mod steps;
pub mod stopping;
pub mod tally;
pub mod targets;
pub mod template;
