//! Ids, parsed once at the door: a value of these types is well formed, so no
//! later code checks it again. Whether the thing exists is for AWS to say.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}, such as `{example}`")]
pub struct IdError {
    /// What was found, cut to 64 characters.
    pub found: String,
    /// What it should have been, with its article.
    pub expected: &'static str,
    /// A well-formed value.
    pub example: &'static str,
}

/// A checked string type: one parser, used by `parse`, serde and `FromStr` alike.
macro_rules! checked_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $example:literal, $check:expr) => {
        $(#[$doc])*
        #[doc = concat!("\n\nExample: `", $example, "`.")]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses `text`.
            ///
            /// # Errors
            /// Says what was found and what a right value looks like.
            pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    Ok(Self(text))
                } else {
                    let found = text.chars().take(64).collect();
                    Err(IdError { found, expected: $expected, example: $example })
                }
            }

            /// The id as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// `prefix` and then 8 to 17 lower-case hexadecimal digits, as EC2 makes its ids.
fn ec2_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|hex| {
        (8..=17).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

checked_id!(
    /// An AWS account.
    AccountId, "a 12-digit AWS account id", "123456789012",
    |t| t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit())
);
checked_id!(
    /// An AWS Region.
    Region, "an AWS Region", "us-east-1",
    |t| (6..=25).contains(&t.len())
        && t.split('-').count() >= 3
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
checked_id!(
    /// An EC2 instance.
    InstanceId, "an EC2 instance id", "i-0abc1234def567890", |t| ec2_id(t, "i-")
);
checked_id!(
    /// An elastic network interface.
    InterfaceId, "a network interface id", "eni-0abc1234def567890", |t| ec2_id(t, "eni-")
);
checked_id!(
    /// A security group.
    GroupId, "a security group id", "sg-0abc1234def567890", |t| ec2_id(t, "sg-")
);
checked_id!(
    /// A VPC.
    VpcId, "a VPC id", "vpc-0abc1234def567890", |t| ec2_id(t, "vpc-")
);

/// Where a thing lives: AWS calls are made, and state is kept, per account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The account that owns the thing.
    pub account: AccountId,
    /// The Region that it is in.
    pub region: Region,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_id_is_kept_as_it_is() {
        for id in ["i-0abc1234def567890", "i-12345678"] {
            assert_eq!(InstanceId::parse(id).map(|i| i.to_string()), Ok(id.to_owned()));
        }
        assert!(Region::parse("us-gov-west-1").is_ok());
        assert!(AccountId::parse("123456789012").is_ok());
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for bad in ["", "i-", "i-XYZ45678", "i-0abc1234def5678901", "eni-12345678", "i-1234567\n"] {
            let error = InstanceId::parse(bad).err().map(|e| e.to_string());
            assert!(error.is_some_and(|e| e.contains("such as `i-0abc")), "{bad:?}");
        }
        assert!(AccountId::parse("12345678901").is_err());
        assert!(Region::parse("us-east-1; drop").is_err());
    }

    #[test]
    fn serde_goes_through_the_same_door() {
        assert!(serde_json::from_str::<GroupId>("\"sg-12345678\"").is_ok());
        assert!(serde_json::from_str::<GroupId>("\"default\"").is_err());
    }
}
