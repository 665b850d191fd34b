//! The operators of a leaf. What a rule compares with is read once, when the rule is.

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use super::compare;
use super::kind::Type;
use super::network;

/// An operator with what it compares with.
#[derive(Debug)]
pub enum Operator {
    /// Something is there.
    Present,
    /// Nothing is there.
    Absent,
    /// The same.
    Eq(Value),
    /// Something else.
    NotEq(Value),
    /// By number.
    Number(Order, f64),
    /// One element is this; `true` for anywhere in the text.
    Has(Value, bool),
    /// No element is this; `true` for nowhere in the text.
    NotHave(Value, bool),
    /// All of these are there.
    HasAll(Vec<Value>),
    /// Nothing else is there.
    ValidElements(Vec<Value>),
    /// A file mode that grants no more.
    Bitmask(u32),
    /// Text that matches.
    Matches(Box<Regex>),
    /// Not the whole world.
    CidrNotPublic,
    /// None of these ports is open to the world.
    PortClosed(Vec<u16>),
    /// Longer or older than so many seconds, or shorter.
    Duration(Order, i64),
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Order {
    fn holds<T: PartialOrd>(self, found: T, expected: T) -> bool {
        match self {
            Self::More => found > expected,
            Self::AtLeast => found >= expected,
            Self::Less => found < expected,
            Self::AtMost => found <= expected,
        }
    }
}

/// All names, for messages.
pub(crate) const NAMES: &str = "eq noteq gt gte lt lte has nothave has_all valid_elements bitmask regex present absent \
                                cidr_not_public port_closed duration_gt duration_lt";

impl Operator {
    /// Reads an operator and what it compares with.
    ///
    /// # Errors
    /// Says what is missing or unknown.
    pub fn parse(name: &str, value: Option<&Value>, substring: bool) -> Result<Self, String> {
        if matches!(name, "present" | "absent" | "cidr_not_public") {
            return match value {
                Some(_) => Err(format!("`{name}` takes no value")),
                None if name == "present" => Ok(Self::Present),
                None if name == "absent" => Ok(Self::Absent),
                None => Ok(Self::CidrNotPublic),
            };
        }
        if substring && !matches!(name, "has" | "nothave") {
            return Err("`compat: substring` is for `has` and `nothave`".to_owned());
        }
        let is_known = NAMES.split_whitespace().any(|n| n == name);
        let missing = || if is_known { format!("`{name}` needs a value") } else { unknown(name) };
        let value = value.filter(|v| !v.is_null()).ok_or_else(missing)?;
        Self::with_value(name, value, substring)
    }

    fn with_value(name: &str, value: &Value, substring: bool) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{name}` compares with {what}, not with `{value}`");
        let number = |order| compare::number(value).map(|n| Self::Number(order, n)).ok_or(wrong("a number"));
        let duration = |order| {
            compare::seconds(value).map(|s| Self::Duration(order, s)).ok_or(wrong("a length of time, such as `90d`"))
        };
        let scalar = || compare::text(value).map(|_| value.clone()).ok_or(wrong("one value"));
        Ok(match name {
            "eq" => Self::Eq(value.clone()),
            "noteq" => Self::NotEq(value.clone()),
            "gt" => number(Order::More)?,
            "gte" => number(Order::AtLeast)?,
            "lt" => number(Order::Less)?,
            "lte" => number(Order::AtMost)?,
            "has" => Self::Has(scalar()?, substring),
            "nothave" => Self::NotHave(scalar()?, substring),
            "has_all" => Self::HasAll(value.as_array().cloned().ok_or(wrong("a list"))?),
            "valid_elements" => Self::ValidElements(compare::elements(value).ok_or(wrong("a list"))?),
            "bitmask" => Self::Bitmask(compare::octal(value).ok_or(wrong("octal digits, such as \"644\""))?),
            "regex" => {
                let text = value.as_str().ok_or(wrong("a pattern"))?;
                Self::Matches(Box::new(Regex::new(text).map_err(|e| format!("`{text}` is no pattern: {e}"))?))
            }
            "port_closed" => Self::PortClosed(ports(value).ok_or(wrong("a port, or a list of ports"))?),
            "duration_gt" => duration(Order::More)?,
            "duration_lt" => duration(Order::Less)?,
            other => return Err(unknown(other)),
        })
    }

    /// Whether values of this type can be asked so at all.
    ///
    /// # Errors
    /// Says what the operator is for.
    pub fn suits(&self, of: &Type) -> Result<(), String> {
        let (fits, what) = match self {
            Self::Number(..) => (matches!(of, Type::Int | Type::Number | Type::String), "numbers"),
            Self::Bitmask(_) => (matches!(of, Type::Int | Type::String), "file modes"),
            Self::Matches(_) => (!matches!(of, Type::List(_) | Type::Map(_) | Type::Object(_)), "text"),
            Self::CidrNotPublic => (is_cidr(of) || matches!(of, Type::List(t) if is_cidr(t)), "address ranges"),
            Self::PortClosed(_) => (matches!(of, Type::List(_)), "lists of permissions"),
            Self::Duration(..) => {
                (matches!(of, Type::Time | Type::Int | Type::String | Type::Number), "times and lengths of time")
            }
            _ => (true, ""),
        };
        if fits || *of == Type::Any { Ok(()) } else { Err(format!("this operator is for {what}, and it is {of}")) }
    }

    /// Whether it holds for what was found; none if that cannot be told.
    #[must_use]
    pub fn holds(&self, found: &Value, now: Timestamp) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Absent => Some(false),
            Self::Eq(expected) => Some(compare::same(found, expected)),
            Self::NotEq(expected) => Some(!compare::same(found, expected)),
            Self::Number(order, expected) => compare::number(found).map(|n| order.holds(n, *expected)),
            Self::Has(expected, false) => compare::has(found, expected),
            Self::Has(expected, true) => compare::contains(found, expected),
            Self::NotHave(expected, false) => compare::has(found, expected).map(|has| !has),
            Self::NotHave(expected, true) => compare::contains(found, expected).map(|has| !has),
            Self::HasAll(all) => all.iter().try_fold(true, |every, e| Some(every & compare::has(found, e)?)),
            Self::ValidElements(allowed) => compare::all_valid(found, allowed),
            Self::Bitmask(most) => compare::mode(found).map(|mode| mode & !most == 0),
            Self::Matches(regex) => compare::text(found).map(|text| regex.is_match(&text)),
            Self::CidrNotPublic => network::is_public(found).map(|public| !public),
            Self::PortClosed(ports) => {
                let open = ports.iter().try_fold(false, |any, p| Some(any | network::port_open(found, *p)?));
                open.map(|open| !open)
            }
            Self::Duration(order, expected) => compare::age(found, now).map(|age| order.holds(age, *expected)),
        }
    }
}

fn is_cidr(of: &Type) -> bool {
    matches!(of, Type::Cidr | Type::String)
}

fn unknown(name: &str) -> String {
    format!("`{name}` is no operator; there are {NAMES}")
}

fn ports(value: &Value) -> Option<Vec<u16>> {
    let port = |v: &Value| v.as_u64().and_then(|n| u16::try_from(n).ok());
    match value {
        Value::Array(items) => items.iter().map(port).collect(),
        one => port(one).map(|p| vec![p]),
    }
}
