//! A tree as JSON, for readers that take JSON: scalars get the type YAML 1.2 gives them.

use super::{Node, Value};

impl Node {
    /// The tree as a JSON value. Keys stay in the order written where the JSON library keeps it; numbers that JSON can't hold
    /// become text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Seq(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.to_string(), entry.node.to_json())).collect())
            }
            Value::Scalar(_) if self.is_null() => Json::Null,
            Value::Scalar(scalar) => {
                let number = || {
                    let whole = self.as_u64().map(Json::from).or_else(|| self.as_i64().map(Json::from));
                    whole.or_else(|| self.as_f64().and_then(serde_json::Number::from_f64).map(Json::Number))
                };
                self.as_bool_12()
                    .map(Json::Bool)
                    .or_else(number)
                    .unwrap_or_else(|| Json::String(scalar.text.to_string()))
            }
        }
    }

    /// Whether two trees say the same, wherever they stand. A plain and a quoted scalar differ only if their types do.
    pub fn same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Scalar(one), Value::Scalar(two)) => {
                one.text == two.text && (one.style == two.style || self.as_str().is_some() == other.as_str().is_some())
            }
            (Value::Seq(one), Value::Seq(two)) => {
                one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| one.same(two))
            }
            (Value::Map(one), Value::Map(two)) => {
                one.len() == two.len()
                    && one.iter().all(|entry| {
                        let twin = two.iter().find(|twin| twin.key == entry.key);
                        twin.is_some_and(|twin| twin.node.same(&entry.node))
                    })
            }
            _ => false,
        }
    }
}
