//! Is an answer good enough? Graders, and what follows from many grades.
pub mod regex;
