//! The machine-readable descriptions in `docs/`, to hold what the room really says against them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// Where the descriptions are for each other; nothing is fetched from there.
const BASE: &str = "http://docs.test/";

const ASYNCAPI: &str = include_str!("../../../docs/asyncapi.json");
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// Both descriptions.
pub(crate) struct Description {
    /// `docs/asyncapi.json`
    pub(crate) asyncapi: Value,
    /// `docs/openapi.json`
    pub(crate) openapi: Value,
    registry: Registry<'static>,
    /// Compiled schemas, by their text: to compile one takes much longer than to hold an event against it.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Description {
    /// Reads them. Here a member that is not described is a defect, so the schemas are made stricter than they
    /// are for others, who are told to ignore it.
    pub(crate) fn read() -> Self {
        let (mut asyncapi, mut openapi) =
            (serde_json::from_str(ASYNCAPI).unwrap(), serde_json::from_str(OPENAPI).unwrap());
        make_strict(&mut asyncapi);
        make_strict(&mut openapi);
        let registry = Registry::new()
            .add(format!("{BASE}asyncapi.json"), asyncapi.clone())
            .and_then(|registry| registry.add(format!("{BASE}openapi.json"), openapi.clone()))
            .and_then(|registry| registry.prepare())
            .unwrap();
        Self { asyncapi, openapi, registry, validators: Mutex::default() }
    }

    /// Checks an event or a frame against the description of its type.
    pub(crate) fn check_event(&self, event: &Value) {
        let kind = event["type"].as_str().unwrap();
        let message = &self.asyncapi["components"]["messages"][kind];
        assert!(message.is_object(), "{kind} is not described: {event}");
        self.check("asyncapi.json", &message["payload"], event);
    }

    /// Checks a value against a schema that stands in this file.
    pub(crate) fn check(&self, file: &str, schema: &Value, value: &Value) {
        let mut schema = schema.clone();
        if let Some(reference) = schema["$ref"].as_str() {
            let file = if reference.starts_with('#') { file } else { "" };
            schema = json!({ "$ref": format!("{BASE}{file}{reference}") });
        }
        let validator = self.validator(&schema);
        let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{value} against {schema}: {errors:?}");
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let compile = || jsonschema::options().with_registry(&self.registry).build(schema).unwrap();
        Arc::clone(validators.entry(schema.to_string()).or_insert_with(|| compile().into()))
    }

    /// Follows a reference within `docs/openapi.json`, if it is one.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.openapi.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }
}

fn make_strict(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(make_strict);
            if members.get("type").is_some_and(|kind| kind == "object") && members.contains_key("properties")
            {
                members.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_strict),
        _ => {}
    }
}
