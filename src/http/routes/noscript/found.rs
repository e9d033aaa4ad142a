//! The page to search, and the page of a message among those around it.

use axum::response::Response;
use http::{Method, StatusCode};

use super::answer::{document, document_with, head, refused, see_other};
use super::guest_form::SeatedForm;
use super::seat::resume;
use super::session::{PageRoom, Session, prove, random_number};
use crate::http::fields::Fields;
use crate::protocol::search::Query;
use crate::protocol::{
    Hello, HistoryRequest, NUMBER_LIMIT, Place, Refusal, SEARCH_DEFAULT, SearchRequest, Token,
};
use crate::transport::noscript::found::{self, SearchPage};
use crate::transport::noscript::markup::Look;

/// How many messages a page has at most.
const MESSAGES: usize = 50;

/// The form to search with.
pub(super) async fn page(PageRoom(room): PageRoom, session: Session, method: Method) -> Response {
    let Some(token) = session.token.clone() else { return see_other("../page") };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    match resume(&room, session.name.as_ref(), &token).await {
        Ok(_) => shown(&session, &token, SearchPage::default(), None),
        Err(refusal) => refused(session.language, Look::Host, refusal),
    }
}

/// Searches.
pub(super) async fn submit(seated: SeatedForm) -> Response {
    let SeatedForm { room, session, token, form, .. } = seated;
    let asked = SearchPage { text: &form.text, ..SearchPage::default() };
    let searched = async {
        let query = Query::parse(&form.text, false)?;
        let before = form.before.parse().ok().filter(|before| (1..NUMBER_LIMIT).contains(before));
        let request = SearchRequest { query, from: None, before, limit: SEARCH_DEFAULT as usize };
        let hello = Hello { token: Some(token.clone()), ..Hello::default() };
        room.search_stateless(hello, request).await
    };
    match searched.await {
        Ok((found, clock)) => {
            shown(&session, &token, SearchPage { found: Some((&found, clock)), ..asked }, None)
        }
        Err(refusal) => shown(&session, &token, asked, Some(refusal)),
    }
}

fn shown(session: &Session, token: &Token, page: SearchPage<'_>, refusal: Option<Refusal>) -> Response {
    let (number, problem) = (random_number(), refusal.map(|refusal| session.problem(refusal)));
    let content = found::search(&SearchPage {
        language: session.language,
        title: &session.front.title,
        form: &number,
        proof: &prove(token, &number),
        note: problem.as_ref().map(|problem| problem.detail.as_str()),
        ..page
    });
    document_with(session.language, Look::Host, problem.as_ref(), content)
}

/// Messages in their places: around the one that is meant, before or after one, or the newest.
pub(super) async fn context(
    PageRoom(room): PageRoom,
    session: Session,
    method: Method,
    fields: Fields,
) -> Response {
    let message = meant(&fields);
    let Some(token) = session.token.clone() else { return see_other(&address("../page", message)) };
    if method == Method::HEAD {
        return head(session.language, &room, &token, Look::Host).await;
    }
    let number = |name| fields.number(name, 1..=NUMBER_LIMIT - 1).ok().flatten();
    let switch = found::switch_of(session.language, message, number("before"), number("after"));
    let place = match (message, number("before"), number("after")) {
        (Some(seq), ..) => Place::Around(seq),
        (None, None, Some(after)) => Place::After(after),
        (None, before, _) => Place::Before(before.unwrap_or(NUMBER_LIMIT - 1)),
    };
    let read = async {
        let welcome = resume(&room, session.name.as_ref(), &token).await?.join.welcome;
        let mut page = room.history(HistoryRequest { place, limit: MESSAGES }).await?;
        // Nothing is after the newest.
        page.before =
            page.before.min(page.messages.last().map_or(1, |last| last.record.seq).max(welcome.head) + 1);
        Ok::<_, Refusal>((page, welcome.head, welcome.clock))
    };
    match read.await {
        Ok((page, head, clock)) => {
            let content = found::context(
                session.language,
                &session.front.title,
                message,
                &page,
                (head, clock),
                &switch,
            );
            document(session.language, Look::Host, StatusCode::OK, content)
        }
        Err(refusal) => refused(session.language, Look::Host, refusal),
    }
}

/// The number of the message that an address means; what is none counts as absent.
pub(super) fn meant(fields: &Fields) -> Option<u64> {
    fields.number("message", 1..=NUMBER_LIMIT - 1).ok().flatten()
}

/// An address that means this message.
pub(super) fn address(page: &str, message: Option<u64>) -> String {
    message.map_or_else(|| page.to_owned(), |seq| format!("{page}?message={seq}"))
}

/// Where a message is shown, from the page of the room.
pub(super) fn place_of(seq: u64) -> String {
    format!("page/context?message={seq}#m{seq}")
}
