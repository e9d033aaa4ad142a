//! The fields of the forms.

use axum::extract::Request;
use zeroize::Zeroizing;

use crate::http::body;
use crate::http::error::Problem;
use crate::http::fields::Fields;
use crate::http::site::Site;
use crate::hub::Room;

/// The content type of forms (HTML, section 4.10.22.7).
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// What the body of a form may have beside the text, in bytes: names of fields, the requested name, number and proof.
const FORM_BYTES: usize = 4 * 1024;

/// The fields of a form; those that it does not have are empty.
#[derive(Default)]
pub(super) struct Form {
    /// The number of the form, or of the window that it is in.
    pub(super) number: String,
    /// What proves that it is the room's own.
    pub(super) proof: String,
    /// The message.
    pub(super) text: String,
    /// The guest whom a private message is for.
    pub(super) to: String,
    /// The requested name.
    pub(super) name: String,
    /// The token of a guest who comes from another door. No other form has it.
    pub(super) token: String,
    /// The room's password.
    pub(super) password: String,
    /// The link of an invitation.
    pub(super) invite: String,
    /// Whether the invitation is for one guest alone.
    pub(super) once: bool,
    /// For how many days it lets guests in.
    pub(super) days: String,
    /// The passphrase of an identity. Only the entry's form has it.
    pub(super) passphrase: Zeroizing<String>,
    /// What was pasted from a key file. Only the entry's form has it.
    pub(super) key: Zeroizing<String>,
    /// Before which message a search goes on.
    pub(super) before: String,
    /// The number of the message that the form is about; 0 if it is none.
    pub(super) of: u64,
    /// The button that was pressed.
    pub(super) action: String,
    /// Whether the name is to be changed, and the message not to be published yet.
    pub(super) rename: bool,
}

impl Form {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// As [`body::read`].
    pub(super) async fn read(site: &Site, room: &Room, request: Request) -> Result<Self, Problem> {
        // Each byte may be written as three; a text that is a little too long shall be refused with it kept.
        let limit = 2 * 3 * room.limits().message_bytes + FORM_BYTES;
        let body = body::read(request, FORM, limit, site.settings.request_head).await?;
        let fields = Fields::parse(&body);
        let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
        let action = text("do");
        let rename = action == "rename";
        Ok(Self {
            number: text("form"),
            proof: text("proof"),
            text: text("text"),
            to: text("to"),
            name: text("name"),
            token: text("token"),
            password: text("password"),
            invite: text("invite"),
            once: !text("once").is_empty(),
            days: text("days"),
            passphrase: text("passphrase").into(),
            key: text("key").into(),
            before: text("before"),
            of: text("of").parse().unwrap_or(0),
            action,
            rename,
        })
    }
}
