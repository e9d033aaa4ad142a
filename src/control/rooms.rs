//! What is asked of all rooms of an address.

use serde_json::{Map, Value};

use super::answer::Failed;

/// A request about the rooms themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomsRequest {
    /// Which there are.
    List,
    /// Makes another one.
    Add {
        /// Its name in addresses.
        name: String,
        /// Its title; its name if there is none.
        title: Option<String>,
        /// Whether guests find it in the list of rooms.
        listed: bool,
    },
    /// Closes one and erases all that it has kept.
    Remove {
        /// Its name.
        name: String,
    },
}

impl RoomsRequest {
    /// Decodes a request with the member `rooms`.
    ///
    /// # Errors
    /// With a code and a sentence that says what would be right.
    pub fn decode(asked: &Value, members: &Map<String, Value>) -> Result<Self, Failed> {
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Failed::new("wrong_kind", format!("The member {name:?} must be a text."))),
        };
        let name =
            || text("name")?.ok_or_else(|| Failed::new("missing_field", "The member \"name\" is missing."));
        match asked.as_str() {
            Some("list") => Ok(Self::List),
            Some("add") => {
                let listed = match members.get("listed") {
                    None => true,
                    Some(Value::Bool(listed)) => *listed,
                    Some(_) => {
                        return Err(Failed::new(
                            "wrong_kind",
                            "The member \"listed\" must be true or false.",
                        ));
                    }
                };
                Ok(Self::Add { name: name()?, title: text("title")?, listed })
            }
            Some("remove") => Ok(Self::Remove { name: name()? }),
            _ => Err(Failed::new("wrong_kind", "The member \"rooms\" must be one of list, add, remove.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: &str) -> Result<RoomsRequest, Failed> {
        let Value::Object(members) = serde_json::from_str(json).unwrap() else { panic!("{json}") };
        RoomsRequest::decode(&members["rooms"], &members)
    }

    #[test]
    fn rooms_are_listed_added_and_removed() {
        assert_eq!(decode(r#"{"rooms":"list"}"#), Ok(RoomsRequest::List));
        let tea = |title: Option<&str>, listed| RoomsRequest::Add {
            name: "tea".into(),
            title: title.map(str::to_owned),
            listed,
        };
        assert_eq!(decode(r#"{"rooms":"add","name":"tea"}"#), Ok(tea(None, true)));
        let all = r#"{"rooms":"add","name":"tea","title":"Tea","listed":false}"#;
        assert_eq!(decode(all), Ok(tea(Some("Tea"), false)));
        assert_eq!(
            decode(r#"{"rooms":"remove","name":"tea"}"#),
            Ok(RoomsRequest::Remove { name: "tea".into() })
        );
        for (json, code) in [
            (r#"{"rooms":7}"#, "wrong_kind"),
            (r#"{"rooms":"add"}"#, "missing_field"),
            (r#"{"rooms":"add","name":7}"#, "wrong_kind"),
            (r#"{"rooms":"add","name":"tea","listed":"no"}"#, "wrong_kind"),
        ] {
            assert_eq!(decode(json).unwrap_err().code, code, "{json}");
        }
    }
}
