//! The title of a room.

/// A title as it is kept.
pub(super) fn checked_title(given: &str) -> Result<String, String> {
    let title = given.trim();
    if title.is_empty() {
        return Err("there is nothing to see in it".into());
    }
    if title.chars().any(char::is_control) {
        return Err("it has a control character in it".into());
    }
    let characters = title.chars().count();
    if characters > 64 {
        return Err(format!("it has {characters} characters"));
    }
    Ok(title.into())
}
