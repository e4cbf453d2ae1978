//! The syntax tree of a template.

/// A node of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Data(String),
    Output(Expr),
    If {
        arms: Vec<(Expr, Vec<Node>)>,
        other: Vec<Node>,
    },
    For {
        names: Vec<String>,
        over: Expr,
        body: Vec<Node>,
        other: Vec<Node>,
    },
    Set {
        names: Vec<String>,
        value: Expr,
    },
    SetBlock {
        names: Vec<String>,
        body: Vec<Node>,
    },
    Macro {
        name: String,
        params: Vec<(String, Option<Expr>)>,
        body: Vec<Node>,
    },
    Filter {
        name: String,
        args: Vec<Expr>,
        body: Vec<Node>,
    },
    Switch {
        on: Expr,
        cases: Vec<(Expr, Vec<Node>)>,
        other: Vec<Node>,
    },
    /// `{% block %}`: its content, at the place where it is written.
    Block(Vec<Node>),
}

/// An expression, with its line.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// The kinds of expression.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Literal),
    Var(String),
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
    Member(Box<Expr>, Box<Expr>),
    Call {
        what: Box<Expr>,
        name: String,
        args: Vec<Expr>,
        named: Vec<(String, Expr)>,
    },
    Filter {
        name: String,
        args: Vec<Expr>,
        named: Vec<(String, Expr)>,
    },
    Test {
        name: String,
        args: Vec<Expr>,
    },
    In(Box<Expr>, Box<Expr>),
    Pow(Box<Expr>, Box<Expr>),
    FloorDiv(Box<Expr>),
    If {
        cond: Box<Expr>,
        then: Box<Expr>,
        other: Option<Box<Expr>>,
    },
    /// `!`, `-`, `+`.
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Brackets, which group what is inside.
    Group(Vec<Expr>),
}

/// A literal value.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Num(f64),
    Str(String),
}
