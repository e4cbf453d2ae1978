//! SQL in an answer: can a parser of the named database read it, and does it keep to what is allowed?

use super::regex::Regex;
use crate::threads;
use serde_json::Value;
use sqlparser::dialect::{self, Dialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};
use std::sync::LazyLock;

/// What an `is-sql` assertion requires.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wanted {
    pub(super) database: Option<String>,
    /// Patterns of `action::database::table`.
    pub(super) tables: Option<Vec<String>>,
    /// Patterns of `action::table::column`.
    pub(super) columns: Option<Vec<String>>,
}

impl Wanted {
    pub(super) fn read(value: &Value) -> Self {
        let list = |key: &str| {
            let list = value.get(key)?.as_array()?;
            Some(list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        };
        Self {
            database: value.get("databaseType").and_then(Value::as_str).map(str::to_owned),
            tables: list("allowedTables"),
            columns: list("allowedColumns").map(with_unnamed_tables),
        }
    }

    fn database(&self) -> &str {
        self.database.as_deref().unwrap_or("MySQL")
    }
}

/// A column that is allowed in its table is allowed where a statement does not name the table, too.
fn with_unnamed_tables(columns: Vec<String>) -> Vec<String> {
    let unnamed: Vec<String> = columns
        .iter()
        .filter_map(|c| {
            let parts: Vec<&str> = c.split("::").collect();
            let [action, table, column] = parts[..] else { return None };
            (table != "null").then(|| format!("{action}::null::{column}"))
        })
        .collect();
    columns.into_iter().chain(unnamed).collect()
}

fn dialect(name: &str) -> Box<dyn Dialect> {
    match name.to_ascii_lowercase().as_str() {
        "postgresql" | "redshift" => Box::new(dialect::PostgreSqlDialect {}),
        "transactsql" => Box::new(dialect::MsSqlDialect {}),
        "sqlite" => Box::new(dialect::SQLiteDialect {}),
        "bigquery" => Box::new(dialect::BigQueryDialect {}),
        "snowflake" => Box::new(dialect::SnowflakeDialect {}),
        "hive" => Box::new(dialect::HiveDialect {}),
        "mysql" | "mariadb" => Box::new(dialect::MySqlDialect {}),
        _ => Box::new(dialect::GenericDialect {}),
    }
}

static MISSING_COMMA: LazyLock<[Option<Regex>; 2]> = LazyLock::new(|| {
    [
        "(?:all|distinct)",
        "(?:all|distinct(?:row)?|high_priority|straight_join|sql_(?:big_result|buffer_result|cache|calc_found_rows|no_cache|small_result))",
    ]
    .map(|modifier| {
        let name = "[A-Za-z_][A-Za-z0-9_]*";
        let pattern = format!(r"(?i:\bselect\s+(?:{modifier}\s+)*(?!{modifier}\b){name}\s+{name}\s+from\b)");
        Regex::new(&pattern).ok()
    })
});
/// `TOP 3` is Transact-SQL's `LIMIT`.
static TOP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i:\bselect\s+(?:distinct\s+)?top\s+\d)").ok());
static SERIES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i:\bgenerate_series\s*\()").ok());

/// Words that statements begin with.
const BEGINNINGS: &str = " ALTER ANALYZE ATTACH BEGIN CALL CLOSE COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESC \
    DESCRIBE DETACH DISCARD DO DROP END EXEC EXECUTE EXPLAIN FETCH FLUSH FROM GRANT INSERT KILL LOAD LOCK MERGE OPEN \
    OPTIMIZE PRAGMA PREPARE RELEASE RENAME REPLACE RESET RETURN REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW START TABLE \
    TRUNCATE UNLOCK UPDATE USE VACUUM VALUES WITH ";

/// Operators and keywords of an answer that are read. A chain of them, `a = 1 AND a = 1 AND …`, is a tree as deep as
/// it is long, and what walks over it calls itself as often.
const MOST_OPERATORS: usize = 2_000;
/// As many are read on the stack that is there; more get one of their own.
const FEW_OPERATORS: usize = 20;
/// Bytes of that stack.
const STACK: usize = 64 << 20;

/// An answer with a longer chain of operators than can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Is the whole answer SQL?
pub(super) fn is(text: &str, wanted: &Wanted) -> Result<bool, TooLong> {
    if !may_be(text, wanted) {
        return Ok(false);
    }
    let Ok(tokens) = Tokenizer::new(&*dialect(wanted.database()), text).tokenize() else { return Ok(false) };
    let is_operator = |token: &&Token| match token {
        Token::Word(word) => word.keyword != Keyword::NoKeyword,
        Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => false,
        _ => true,
    };
    match tokens.iter().filter(is_operator).count() {
        0..=FEW_OPERATORS => Ok(reads(text, wanted)),
        n if n <= MOST_OPERATORS => threads::with_stack(STACK, || reads(text, wanted)).ok_or(TooLong),
        _ => Err(TooLong),
    }
}

/// What can be said without a parser.
fn may_be(text: &str, wanted: &Wanted) -> bool {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.matches('`').count() % 2 == 1 {
        return false;
    }
    // What no statement begins with is none: most answers are text, and reading them all takes long.
    let first: String =
        trimmed.trim_start_matches(['(', ';']).chars().take_while(char::is_ascii_alphabetic).collect();
    let comment = trimmed.starts_with(['-', '/', '#']);
    if !comment && !BEGINNINGS.contains(format!(" {} ", first.to_ascii_uppercase()).as_str()) {
        return false;
    }
    let database = wanted.database();
    let mysql = matches!(database, "MySQL" | "MariaDB");
    // Two names side by side are an alias to a parser, and a forgotten comma to a reader.
    let pattern = MISSING_COMMA[usize::from(mysql)].as_ref();
    let plain = without_literals(trimmed, matches!(database, "TransactSQL" | "Sqlite"));
    if pattern.is_some_and(|p| p.test(&plain) != Ok(false)) {
        return false;
    }
    if database == "MySQL" && SERIES.as_ref().is_some_and(|s| s.test(trimmed) == Ok(true)) {
        return false;
    }
    let has_top = matches!(database, "TransactSQL" | "Snowflake" | "Redshift");
    if !has_top && TOP.as_ref().is_some_and(|t| t.test(&plain) == Ok(true)) {
        return false;
    }
    true
}

/// Can a parser of the database read it, and does it keep to what is allowed?
fn reads(text: &str, wanted: &Wanted) -> bool {
    let database = wanted.database();
    let Ok(statements) = Parser::parse_sql(&*dialect(database), text) else { return false };
    if statements.is_empty() || statements.iter().any(|s| empty_select(&s.to_string())) {
        return false;
    }
    let uses = uses(&statements.iter().map(ToString::to_string).collect::<Vec<_>>(), database);
    let allowed = |patterns: &Option<Vec<String>>, found: &[String]| {
        patterns.as_ref().is_none_or(|patterns| {
            let regexes: Vec<Regex> =
                patterns.iter().filter_map(|p| Regex::new(&format!("^(?i:{p})$")).ok()).collect();
            found.iter().all(|f| regexes.iter().any(|r| r.test(f) == Ok(true)))
        })
    };
    allowed(&wanted.tables, &uses.tables) && allowed(&wanted.columns, &uses.columns)
}

/// `SELECT FROM t`: some dialects read it, nobody means it.
fn empty_select(statement: &str) -> bool {
    let upper = statement.to_ascii_uppercase();
    let empty = |from: &str| ["FROM ", "WHERE"].iter().any(|word| from.starts_with(word));
    upper == "SELECT"
        || upper.strip_prefix("SELECT ").is_some_and(empty)
        || upper.split("(SELECT ").skip(1).any(empty)
}

/// Is there SQL in fenced code, or is the whole answer SQL?
pub(super) fn contains(text: &str, wanted: &Wanted) -> Result<bool, TooLong> {
    let blocks = code_blocks(text);
    let candidates = if blocks.is_empty() { vec![text.to_owned()] } else { blocks };
    let found: Vec<Result<bool, TooLong>> = candidates.iter().map(|c| is(c, wanted)).collect();
    if found.contains(&Ok(true)) {
        Ok(true)
    } else {
        found.into_iter().find(Result::is_err).unwrap_or(Ok(false))
    }
}

/// Fenced code blocks without a language, or with `sql`.
fn code_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(char, usize, bool, Vec<&str>)> = None;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for line in text.split('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let body = &line[indent..];
        let mark = body.chars().next().filter(|c| indent <= 3 && (*c == '`' || *c == '~'));
        let fence = mark.map(|m| (m, body.chars().take_while(|c| *c == m).count())).filter(|f| f.1 >= 3);
        match (&mut open, fence) {
            (None, Some((mark, len))) => {
                let info = body[len..].trim().to_lowercase();
                open = Some((mark, len, info.is_empty() || info == "sql", Vec::new()));
            }
            (Some((mark, len, sql, lines)), Some((m, l)))
                if m == *mark && l >= *len && body[l..].trim().is_empty() =>
            {
                if *sql {
                    blocks.push(lines.join("\n").trim().to_owned());
                }
                open = None;
            }
            (Some((.., lines)), _) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// The text without its string literals and comments.
fn without_literals(sql: &str, brackets: bool) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let quote = match c {
            '\'' | '"' | '`' => Some(c),
            '[' if brackets => Some(']'),
            _ => None,
        };
        let len = if let Some(quote) = quote {
            out.push_str(" ? ");
            let mut chars = rest.char_indices().skip(1).peekable();
            let mut end = rest.len();
            while let Some((i, c)) = chars.next() {
                if c == '\\' && quote != ']' {
                    chars.next();
                } else if c == quote {
                    if chars.peek().is_some_and(|(_, n)| *n == quote) {
                        chars.next();
                    } else {
                        end = i + 1;
                        break;
                    }
                }
            }
            end
        } else if rest.starts_with("--") || c == '#' {
            out.push(' ');
            rest.find(['\r', '\n']).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            out.push(' ');
            rest.find("*/").map_or(rest.len(), |e| e + 2)
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[len..];
    }
    out
}

/// Tables and columns that a text of SQL uses, as `action::where::what`.
struct Uses {
    tables: Vec<String>,
    columns: Vec<String>,
}

/// Read from statements as the parser writes them out: a table follows FROM, JOIN, INTO, UPDATE or TABLE;
/// names that a WITH defines are no tables.
fn uses(statements: &[String], database: &str) -> Uses {
    let mut uses = Uses { tables: Vec::new(), columns: Vec::new() };
    for statement in statements {
        let Ok(tokens) = Tokenizer::new(&*dialect(database), statement).tokenize() else {
            continue;
        };
        let words: Vec<String> =
            tokens.iter().map(ToString::to_string).filter(|t| !t.trim().is_empty()).collect();
        let action = match words.first().map(|w| w.to_ascii_uppercase()).as_deref() {
            Some("INSERT") => "insert",
            Some("UPDATE") => "update",
            Some("DELETE") => "delete",
            Some("CREATE") => "create",
            Some("DROP") => "drop",
            Some("ALTER") => "alter",
            Some("TRUNCATE") => "truncate",
            Some("REPLACE") => "replace",
            _ => "select",
        };
        let upper: Vec<String> = words.iter().map(|w| w.to_ascii_uppercase()).collect();
        let bare = |w: &str| w.trim_matches(['`', '"', '[', ']']).to_owned();
        let defined: Vec<String> = (0..words.len())
            .filter(|i| {
                upper.get(i + 1).is_some_and(|w| w == "AS") && upper.get(i + 2).is_some_and(|w| w == "(")
            })
            .map(|i| bare(&words[i]))
            .collect();
        for (i, word) in upper.iter().enumerate() {
            let named = matches!(word.as_str(), "FROM" | "JOIN" | "INTO" | "UPDATE" | "TABLE");
            // What is compared with something is a column.
            let compared = upper.get(i + 1).is_some_and(|w| {
                matches!(
                    w.as_str(),
                    "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "LIKE" | "IN" | "IS" | "BETWEEN"
                )
            });
            let name = words[i].as_str();
            if compared && name.starts_with(|c: char| c.is_alphabetic() || "_`\"".contains(c)) {
                let place = match (i.checked_sub(2), i.checked_sub(1)) {
                    (Some(place), Some(dot)) if words[dot] == "." => bare(&words[place]),
                    _ => "null".to_owned(),
                };
                uses.columns.push(format!("{action}::{place}::{}", bare(name)));
            }
            if !named {
                continue;
            }
            let skip = usize::from(upper.get(i + 1).is_some_and(|w| w == "IF")) * 3;
            let Some(first) = words.get(i + 1 + skip).filter(|w| *w != "(") else { continue };
            let (place, name) = match (words.get(i + 2 + skip).map(String::as_str), words.get(i + 3 + skip)) {
                (Some("."), Some(second)) => (bare(first), bare(second)),
                _ => ("null".to_owned(), bare(first)),
            };
            if defined.contains(&name) {
                continue;
            }
            let own = match word.as_str() {
                "FROM" | "JOIN" if action == "delete" && i <= 1 => "delete",
                "FROM" | "JOIN" => "select",
                _ => action,
            };
            uses.tables.push(format!("{own}::{place}::{name}"));
        }
        // The names between SELECT and FROM.
        if let (Some(select), Some(from)) =
            (upper.iter().position(|w| w == "SELECT"), upper.iter().position(|w| w == "FROM"))
        {
            let mut at = select + 1;
            while at < from {
                let word = &words[at];
                let (place, name) = match (words.get(at + 1).map(String::as_str), words.get(at + 2)) {
                    (Some("."), Some(column)) => {
                        let place = bare(word);
                        let column = column.clone();
                        at += 2;
                        (place, column)
                    }
                    _ => ("null".to_owned(), word.clone()),
                };
                at += 1;
                if name == "*" {
                    uses.columns.push(format!("select::{place}::(.*)"));
                } else if name.starts_with(|c: char| c.is_alphabetic() || "_`\"".contains(c))
                    && words.get(at).is_none_or(|w| w != "(")
                    && !matches!(upper[at - 1].as_str(), "DISTINCT" | "ALL" | "AS")
                {
                    uses.columns.push(format!("select::{place}::{}", bare(&name)));
                }
            }
        }
    }
    uses
}
