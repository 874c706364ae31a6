//! What the words and signs of a statement are to its size. It must not know what they mean.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

/// Operators that are words.
pub const OPERATORS: &[Keyword] = &[
    Keyword::AND,
    Keyword::OR,
    Keyword::XOR,
    Keyword::NOT,
    Keyword::IS,
    Keyword::NOTNULL,
    Keyword::IN,
    Keyword::BETWEEN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::RLIKE,
    Keyword::REGEXP,
    Keyword::SIMILAR,
    Keyword::MATCH,
    Keyword::MEMBER,
    Keyword::OVERLAPS,
    Keyword::DIV,
    Keyword::OPERATOR,
    Keyword::COLLATE,
    Keyword::AT,
    Keyword::CASE,
    Keyword::INTERVAL,
    Keyword::PRIOR,
    Keyword::BINARY,
    Keyword::EXPLAIN,
    Keyword::DESCRIBE,
    Keyword::DESC,
];
/// What goes on behind commas: `SELECT a, b FROM c UNION SELECT a, b FROM d`.
pub const CHAINED: &[Keyword] = &[
    Keyword::UNION,
    Keyword::EXCEPT,
    Keyword::INTERSECT,
    Keyword::MINUS,
    Keyword::JOIN,
    Keyword::APPLY,
    Keyword::PIVOT,
    Keyword::UNPIVOT,
    Keyword::MATCH_RECOGNIZE,
];
pub const TYPES: &[Keyword] = &[Keyword::ARRAY, Keyword::STRUCT, Keyword::MAP];
/// When what is in the brackets cannot be read, the parser reads it once more as the arguments of a function of that name.
pub const RETRIED: &[Keyword] = &[
    Keyword::ARRAY,
    Keyword::CAST,
    Keyword::TRY_CAST,
    Keyword::SAFE_CAST,
    Keyword::CONVERT,
    Keyword::TRY_CONVERT,
    Keyword::EXTRACT,
    Keyword::CEIL,
    Keyword::FLOOR,
    Keyword::POSITION,
    Keyword::SUBSTR,
    Keyword::SUBSTRING,
    Keyword::OVERLAY,
    Keyword::TRIM,
    Keyword::NOT,
    Keyword::STRUCT,
    Keyword::MATCH,
];

pub fn keyword(token: Option<&Token>) -> Option<Keyword> {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Words behind which an operand comes, beside operators.
pub const BEFORE_OPERANDS: &[Keyword] = &[
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::FROM,
    Keyword::TO,
    Keyword::DISTINCT,
    Keyword::AS,
    Keyword::ZONE,
];

pub fn ends_operand(token: Option<&Token>) -> bool {
    match token {
        None => false,
        Some(Token::RParen | Token::RBracket | Token::RBrace | Token::Placeholder(_)) => true,
        Some(Token::Word(_)) => {
            keyword(token).is_none_or(|word| !OPERATORS.contains(&word) && !BEFORE_OPERANDS.contains(&word))
        }
        Some(token) => is_literal(token),
    }
}

pub fn is_query(token: Option<&Token>) -> bool {
    const BEGINNINGS: [Keyword; 5] = [Keyword::SELECT, Keyword::WITH, Keyword::FROM, Keyword::VALUES, Keyword::TABLE];
    keyword(token).is_some_and(|word| BEGINNINGS.contains(&word))
}

/// Whether `*` behind `token` stands for all columns: it is no product.
pub fn is_all(token: Option<&Token>) -> bool {
    let words = [Keyword::SELECT, Keyword::DISTINCT, Keyword::ALL];
    matches!(token, Some(Token::LParen | Token::Comma | Token::Period))
        || keyword(token).is_some_and(|word| words.contains(&word))
}

pub fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
    )
}
