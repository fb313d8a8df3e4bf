//! Single values of the design file, and the shapes they come in: one or many, by name, raw.

use super::schema::Definitions;
use super::{Context, Document};
use crate::tree::{Node, Value as TreeValue};
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::value::*;
use causeway_model::finding::Finding;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::net::IpAddr;

/// A list, or a single value that stands for a list of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Many(Vec::new())
    }
}

impl<T: Document> Document for Many<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        match &node.value {
            TreeValue::Seq(_) => Vec::decode(node, cx).map(Many),
            _ => T::decode(node, cx).map(|value| Many(vec![value])),
        }
    }

    fn schema(defs: &mut Definitions) -> Value {
        let item = T::schema(defs);
        json!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

impl<T: Document> Document for Vec<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let TreeValue::Seq(items) = &node.value else {
            return cx.expected(node, "a list");
        };
        Some(
            items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| cx.within(&at.to_string(), item.span, |cx| T::decode(item, cx)))
                .collect(),
        )
    }

    fn schema(defs: &mut Definitions) -> Value {
        json!({ "type": "array", "items": T::schema(defs) })
    }
}

/// Values by name, in the order written. Names are unique (the tree refuses duplicate keys).
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T: Document> Document for Named<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let entries = cx.mapping(node, "a mapping of names")?;
        Some(Named(
            entries
                .iter()
                .filter_map(|entry| {
                    let value = cx.within(&entry.key, entry.key_span, |cx| T::decode(&entry.node, cx))?;
                    Some((entry.key.to_string(), value))
                })
                .collect(),
        ))
    }

    fn schema(defs: &mut Definitions) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(defs) })
    }
}

/// An object, or the one word that stands for it (`outbound: loadBalancer` for `outbound: {type: loadBalancer}`).
pub trait Shorthand: Document {
    /// The object a scalar stands for.
    fn from_scalar(node: &Node, cx: &mut Context) -> Option<Self>;
    /// The schema of the scalar.
    fn scalar_schema(defs: &mut Definitions) -> Value;
}

/// See [`Shorthand`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrWord<T>(pub T);

impl<T: Shorthand> Document for OrWord<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        match &node.value {
            TreeValue::Scalar(_) => T::from_scalar(node, cx).map(OrWord),
            _ => T::decode(node, cx).map(OrWord),
        }
    }

    fn schema(defs: &mut Definitions) -> Value {
        json!({ "anyOf": [T::scalar_schema(defs), T::schema(defs)] })
    }
}

/// A part of the tree kept as it is, for a reader of its own (Kubernetes objects).
#[derive(Debug, Clone, PartialEq)]
pub struct Raw(pub Node);

impl Document for Raw {
    fn decode(node: &Node, _: &mut Context) -> Option<Self> {
        Some(Raw(node.clone()))
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({})
    }
}

impl Document for String {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        match node.text() {
            Some(text) if !node.is_null() => Some(text.to_owned()),
            _ => cx.expected(node, "text"),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": ["string", "number", "boolean"] })
    }
}

impl Document for bool {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        node.as_bool_12().or_else(|| cx.expected(node, "`true` or `false`"))
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "boolean" })
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl Document for $type {
            fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
                match node.as_u64().map(<$type>::try_from) {
                    Some(Ok(value)) => Some(value),
                    _ => cx.expected(node, &format!("a whole number from 0 to {}", <$type>::MAX)),
                }
            }

            fn schema(_: &mut Definitions) -> Value {
                json!({ "type": "integer", "minimum": 0 })
            }
        }
    )*};
}

whole_numbers!(u16, u32, u64);

impl Document for Cidr {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let Some(text) = node.text().filter(|_| !node.is_null()) else {
            return cx.expected(node, "a prefix such as `10.0.0.0/16`");
        };
        match Cidr::parse(text) {
            Ok(parsed) => {
                if parsed.host_bits.is_some() {
                    let finding = Finding::new(
                        codes::CIDR_HOST_BITS_SET,
                        cx.path(),
                        format!("`{text}` has host bits set: the network is `{}`", parsed.cidr),
                    )
                    .help(format!("write `{}`", parsed.cidr))
                    .on(text)
                    .evidence(format!(
                        "a /{} covers {} to {}",
                        parsed.cidr.prefix_len(),
                        parsed.cidr.first(),
                        parsed.cidr.last()
                    ))
                    .at(Some(node.span));
                    cx.findings.push(finding);
                }
                Some(parsed.cidr)
            }
            Err(error) => {
                cx.error(node.span, format!("`{}`: {error}", cx.path()), error.hint().unwrap_or_default());
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "string", "examples": ["10.0.0.0/16"] })
    }
}

impl Document for IpAddr {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let Some(text) = node.text().filter(|_| !node.is_null()) else {
            return cx.expected(node, "an address such as `10.0.0.4`");
        };
        match causeway_addr::parse_address(text) {
            Ok(address) => Some(address),
            Err(error) => {
                cx.error(node.span, format!("`{}`: {error}", cx.path()), error.hint().unwrap_or_default());
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "string", "examples": ["10.0.0.4"] })
    }
}

macro_rules! texts {
    ($($type:ty: $parse:expr, $what:literal, $json:tt;)*) => {$(
        impl Document for $type {
            fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
                let value = node.text().filter(|_| !node.is_null()).and_then($parse);
                value.or_else(|| cx.expected(node, $what))
            }

            fn schema(_: &mut Definitions) -> Value {
                json!({ "type": $json })
            }
        }
    )*};
}

texts! {
    Share: Share::parse, "a whole number from 0 up, or a percentage such as `10%`", ["integer", "string"];
    Factor: Factor::parse, "a number from 0 up with at most three decimals, such as `1.5`", ["number", "string"];
    Version: Version::parse, "a version such as `\"1.33\"` (in quotes, or 1.30 becomes 1.3)", ["string", "number"];
    Date: |text| text.parse().ok(), "a date such as `2026-10-01`", ["string"];
}

macro_rules! words {
    ($($type:ty)*) => {$(
        impl Document for $type {
            fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
                if let Some(value) = node.text().and_then(<$type>::parse) {
                    return Some(value);
                }
                let known = <$type>::WORDS.iter().map(|(word, _)| *word);
                if let Some(text) = node.text()
                    && let Some(nearest) = causeway_model::suggest::nearest(text, known.clone())
                {
                    cx.error(node.span, format!("`{}` can't be `{text}`", cx.path()), format!("did you mean `{nearest}`?"));
                    return None;
                }
                let list: Vec<_> = known.map(|word| format!("`{word}`")).collect();
                cx.expected(node, &format!("one of {}", list.join(", ")))
            }

            fn schema(_: &mut Definitions) -> Value {
                json!({ "enum": <$type>::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
            }
        }
    )*};
}

words! {
    Mode Dataplane PolicyEngine OutboundType ApiAccess KubeProxyMode Os MasqueradeAgent IngressKind Exposure
    ServiceType TrafficPolicy IpFamily Tier
}

/// Text with a closed set of words, for places that need no type in the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Word(pub String);

impl Document for Word {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        String::decode(node, cx).map(Word)
    }

    fn schema(defs: &mut Definitions) -> Value {
        String::schema(defs)
    }
}
