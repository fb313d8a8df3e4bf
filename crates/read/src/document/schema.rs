//! The JSON Schema of the design file, collected from the same statements the decoder comes from.

use super::{DesignDocument, Document};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Definitions met so far, by type name.
#[derive(Debug, Default)]
pub struct Definitions(BTreeMap<&'static str, Value>);

/// A field of an object: its key, what it means, and its type's schema. A table rather than code: there are hundreds of them.
pub(crate) type Field = (&'static str, &'static str, fn(&mut Definitions) -> Value);

impl Definitions {
    /// Defines an object once and answers a reference to it.
    pub fn object(&mut self, name: &'static str, doc: &'static str, fields: &[Field]) -> Value {
        if !self.0.contains_key(name) {
            self.0.insert(name, Value::Null);
            let mut properties = Map::new();
            for (key, doc, schema) in fields {
                let mut schema = schema(self);
                if let Some(schema) = schema.as_object_mut() {
                    schema.insert("description".into(), json!(doc.trim()));
                }
                properties.insert((*key).into(), nullable(schema));
            }
            let schema = json!({
                "type": "object",
                "description": doc.trim(),
                "properties": properties,
                "additionalProperties": false,
            });
            self.0.insert(name, schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// Every field may be written as null, which means the same as leaving it out.
fn nullable(schema: Value) -> Value {
    let description = schema.get("description").cloned();
    let mut whole = json!({ "anyOf": [schema, { "type": "null" }] });
    if let (Some(description), Some(whole)) = (description, whole.as_object_mut()) {
        whole.insert("description".into(), description);
    }
    whole
}

/// The whole schema (draft 2020-12), for editors.
pub fn json_schema() -> Value {
    let mut defs = Definitions::default();
    let root = DesignDocument::schema(&mut defs);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Causeway design",
        "$ref": root.get("$ref").cloned().unwrap_or_default(),
        "$defs": defs.0,
    })
}
