//! The answers of `docs/openapi.json` against the running room: each that it gives is described, and each that is described
//! it gives. Both descriptions are complete in themselves.

use std::collections::BTreeSet;
use std::time::Duration;

use onionroom::protocol::{Act, Role};
use serde_json::{Value, json};

use crate::kit::description::Description;
use crate::kit::raw::Answer;
use crate::kit::{TestRoom, Visitor};

const AS_JSON: &str = "Content-Type: application/json";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
/// What a browser says of a form of the room's own.
const OWN: &str = "Sec-Fetch-Site: same-origin";
const HANDSHAKE: [&str; 5] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Protocol: chat",
];

/// What is described but cannot be provoked from outside: the log would have to fail, or the guest to leave at the
/// very moment.
const OUT_OF_REACH: [(&str, &str); 5] =
    [("leave", "503"), ("say", "409"), ("whisper", "409"), ("act", "409"), ("claim", "409")];

/// Which operation answered with which status.
struct Surface {
    description: Description,
    seen: BTreeSet<(String, String)>,
}

impl Surface {
    fn operation(&self, method: &str, path: &str) -> &Value {
        let operation = &self.description.openapi["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation
    }

    /// The request body that the description gives as an example.
    fn example(&self, method: &str, path: &str) -> String {
        let content = &self.operation(method, path)["requestBody"]["content"]["application/json"];
        self.description.check("openapi.json", &content["schema"], &content["example"]);
        content["example"].to_string()
    }

    /// Checks an answer against its description.
    fn saw(&mut self, method: &str, path: &str, answer: &Answer) {
        let operation = self.operation(method, path);
        let status = answer.status.to_string();
        let response = self.description.resolve(&operation["responses"][&status]);
        assert!(response.is_object(), "{method} {path}: {status} is not described: {}", answer.text());
        for (name, described) in response["headers"].as_object().into_iter().flatten() {
            let value = answer.header(&name.to_lowercase()).unwrap_or_else(|| panic!("{path}: no {name}"));
            let schema = &self.description.resolve(described)["schema"];
            self.description.check("openapi.json", schema, &value.into());
        }
        match response["content"].as_object() {
            None => assert!(answer.body.is_empty(), "{path}: {status} is described without a body"),
            Some(content) => {
                let given = answer.header("content-type").unwrap().split(';').next().unwrap();
                let described = content.get(given).unwrap_or_else(|| panic!("{path}: {status} in {given}"));
                if given.ends_with("json") {
                    self.description.check("openapi.json", &described["schema"], &answer.json());
                }
            }
        }
        let operation = operation["operationId"].as_str().unwrap().to_owned();
        self.seen.insert((operation, status));
    }

    /// Every operation: method, path as described, whether it has this status.
    fn operations(&self, status: &str) -> Vec<(String, String)> {
        let mut operations = Vec::new();
        for (path, methods) in self.description.openapi["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if operation["responses"][status].is_object() {
                    operations.push((method.to_uppercase(), path.clone()));
                }
            }
        }
        operations
    }
}

fn in_main(path: &str) -> String {
    path.replace("{room}", "main")
}

#[tokio::test]
async fn every_answer_is_described_and_every_described_answer_occurs() {
    let mut surface = Surface { description: Description::read(), seen: BTreeSet::new() };
    let room =
        TestRoom::open_with(|settings| settings.listen.request_head = Duration::from_millis(500)).await;
    let _bob = room.guest("Bob").await;
    refusals_of_all(&mut surface, &room).await;
    refusals_of_bodies(&mut surface, &room).await;
    particular_answers(&mut surface, &room).await;
    the_page_without_javascript(&mut surface, &room).await;
    a_full_room(&mut surface).await;
    a_guest_who_says_too_much(&mut surface).await;

    for (path, methods) in surface.description.openapi["paths"].as_object().unwrap() {
        for operation in methods.as_object().unwrap().values().filter(|value| value.is_object()) {
            let name = operation["operationId"].as_str().unwrap();
            for status in operation["responses"].as_object().unwrap().keys() {
                let seen = surface.seen.contains(&(name.to_owned(), status.clone()));
                assert!(seen || OUT_OF_REACH.contains(&(name, status)), "{path}: {name} never gave {status}");
            }
        }
    }
}

/// What does not depend on the address: a bad `Host`, another site, no token, no such room.
async fn refusals_of_all(surface: &mut Surface, room: &TestRoom) {
    let (host, stranger) = (format!("Host: {}", room.host()), Visitor::stranger(room));
    for (method, path) in surface.operations("400") {
        let line = format!("{method} {} HTTP/1.1", in_main(&path));
        surface.saw(&method, &path, &room.raw().await.request(&[&line]).await);
        surface.saw(&method, &path, &room.raw().await.request(&[&line, "Host: evil.example"]).await);
        let lines = [line.as_str(), &host, "Origin: http://evil.example"];
        surface.saw(&method, &path, &room.raw().await.request(&lines).await);
    }
    for (method, path) in surface.operations("401") {
        surface.saw(&method, &path, &stranger.request(&method, &in_main(&path), &[], "").await);
    }
    for (method, path) in surface.operations("404") {
        let attic = path.replace("{room}", "attic");
        let form = path.contains("/page").then_some(FORM);
        surface.saw(&method, &path, &stranger.request(&method, &attic, form.as_slice(), "").await);
    }
}

/// What is wrong with a body, or with a name.
async fn refusals_of_bodies(surface: &mut Surface, room: &TestRoom) {
    let ann = Visitor::arrive(room, "Amy").await;
    for (method, path) in without_pages(surface.operations("415")) {
        let target = in_main(&path);
        let long = json!({ "text": "x".repeat(65 * 1024) }).to_string();
        let unfit =
            json!({ "name": "x".repeat(33), "id": "1", "text": " ", "act": "announce", "to": 1 }).to_string();
        for body in ["{", long.as_str(), unfit.as_str()] {
            surface.saw(&method, &path, &ann.request(&method, &target, &[AS_JSON], body).await);
        }
        surface.saw(&method, &path, &ann.request(&method, &target, &[], "{}").await);
        let mut slow = room.raw().await;
        let token = format!("Authorization: Bearer {}", ann.token());
        let host = format!("Host: {}", room.host());
        let line = format!("{method} {target} HTTP/1.1");
        let lines = [line.as_str(), &host, &token, AS_JSON, "Content-Length: 2", "", "{"];
        slow.write(lines.join("\r\n").as_bytes()).await;
        surface.saw(&method, &path, &slow.answer().await);
        if path.contains("guests") {
            let taken = ann.request(&method, &target, &[AS_JSON], r#"{"name":"Bob"}"#).await;
            surface.saw(&method, &path, &taken);
        }
    }
}

/// What each address is for.
async fn particular_answers(surface: &mut Surface, room: &TestRoom) {
    let ann = Visitor::arrive(room, "Eve").await;
    surface.saw("GET", "/", &ann.get("/").await);
    surface.saw("GET", "/health", &ann.get("/health").await);
    surface.saw("GET", "/rooms", &ann.get("/rooms").await);
    surface.saw("GET", "/chat", &ann.get("/chat").await);
    surface.saw("GET", "/chat", &ann.request("GET", "/chat", &HANDSHAKE, "").await);
    let path = "/rooms/{room}";
    surface.saw("GET", path, &ann.get(&in_main(path)).await);
    for (method, path) in [
        ("POST", "/rooms/{room}/messages"),
        ("PATCH", "/rooms/{room}/guests/me"),
        ("POST", "/rooms/{room}/guests"),
        ("POST", "/rooms/{room}/qr"),
        ("POST", "/rooms/{room}/search"),
    ] {
        let example = surface.example(method, path);
        let stranger = Visitor::stranger(room);
        let asker = if path == "/rooms/{room}/guests" { &stranger } else { &ann };
        let answer = asker.request(method, &in_main(path), &[AS_JSON], &example).await;
        surface.saw(method, path, &answer);
    }
    let private = "/rooms/{room}/private";
    surface.example("POST", private);
    let una = Visitor::arrive(room, "Ulla").await;
    let psst = json!({ "id": "psst", "to": una.welcome["guest"]["id"], "text": "psst" });
    for _ in 0..2 {
        surface.saw("POST", private, &ann.post(&in_main(private), psst.clone()).await);
    }
    let typing = "/rooms/{room}/typing";
    surface.saw("POST", typing, &ann.request("POST", &in_main(typing), &[], "").await);
    let path = "/rooms/{room}/messages";
    surface.saw("GET", path, &ann.get(&(in_main(path) + "?around=1")).await);
    surface.saw("GET", path, &una.get(&(in_main(path) + "?private=0")).await);
    let answer = ann.get(&in_main(path)).await;
    surface.saw("GET", path, &answer);
    let tag = format!("If-None-Match: {}", answer.header("etag").unwrap());
    surface.saw("GET", path, &ann.request("GET", &in_main(path), &[&tag], "").await);
    let path = "/rooms/{room}/events";
    surface.saw("GET", path, &ann.request("GET", &in_main(path), &[], "").await);
    let (acts, claims, held) = ("/rooms/{room}/acts", "/rooms/{room}/claims", "/rooms/{room}/held");
    for round in 0..2 {
        surface.saw("GET", held, &ann.get(&in_main(held)).await);
        surface.saw("GET", acts, &ann.get(&in_main(acts)).await);
        let example = surface.example("POST", acts);
        surface.saw("POST", acts, &ann.request("POST", &in_main(acts), &[AS_JSON], &example).await);
        let link = match round {
            0 => room.link(Role::Host).await,
            _ => "A".repeat(43),
        };
        let body = json!({ "id": format!("claim-{round}"), "link": link });
        surface.saw("POST", claims, &ann.post(&in_main(claims), body).await);
        surface.example("POST", claims);
        if round == 1 {
            let act = json!({ "id": "link", "act": "link", "role": "moderator" });
            surface.saw("POST", acts, &ann.post(&in_main(acts), act).await);
            // What waits, with the words for a host.
            let words = json!({ "id": "words", "act": "words", "words": ["scam"] });
            surface.saw("POST", acts, &ann.post(&in_main(acts), words).await);
            let (messages, scam) = ("/rooms/{room}/messages", json!({ "id": "scam", "text": "No scam." }));
            let ida = Visitor::arrive(room, "Ida").await;
            surface.saw("POST", messages, &ida.post(&in_main(messages), scam).await);
            surface.saw("GET", held, &ann.get(&in_main(held)).await);
            let release = json!({ "id": "release", "act": "release", "messages": [1] });
            surface.saw("POST", acts, &ann.post(&in_main(acts), release).await);
            surface.saw("GET", "/rooms/{room}", &ann.get("/rooms/main").await);
        }
    }
    let wipe = "/rooms/{room}/wipe";
    let example = surface.example("POST", wipe);
    let hal = Visitor::arrive(room, "Hal").await;
    surface.saw("POST", wipe, &hal.request("POST", &in_main(wipe), &[AS_JSON], &example).await);
    let _asked = room.takes_wipes();
    for confirm in ["another title", "onionroom"] {
        surface.saw("POST", wipe, &ann.post(&in_main(wipe), json!({ "confirm": confirm })).await);
    }
    let path = "/rooms/{room}/waiting";
    surface.saw("GET", path, &Visitor::arrive(room, "Una").await.get(&in_main(path)).await);
    surface.saw("GET", path, &ann.get(&in_main(path)).await);
    let path = "/rooms/{room}/guests/me";
    surface.saw("DELETE", path, &ann.request("DELETE", &in_main(path), &[], "").await);
}

async fn a_full_room(surface: &mut Surface) {
    let room = TestRoom::open_with(|settings| settings.room.guests = 1).await;
    let _bob = room.guest("Bob").await;
    let mut ann = Visitor::stranger(&room);
    ann.welcome = json!({ "token": "A".repeat(43) });
    let all = surface.operations("503").into_iter().filter(|(method, _)| method != "DELETE");
    for (method, path) in all {
        let page = path.contains("/page");
        let body = if method == "GET" || page { String::new() } else { surface.example(&method, &path) };
        let cookie = cookie(&ann, &room);
        let headers = if page { vec![FORM, OWN, &cookie] } else { vec![AS_JSON] };
        surface.saw(&method, &path, &ann.request(&method, &in_main(&path), &headers, &body).await);
    }
}

async fn a_guest_who_says_too_much(surface: &mut Surface) {
    let room = TestRoom::open_with(|settings| settings.room.messages_per_minute = 60).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for (method, path) in surface.operations("429") {
        // Time goes on, so one now and then goes through.
        for number in 0.. {
            let (token, name, id) = (ann.token(), format!("Ann{number}"), number.to_string());
            let link = "A".repeat(43);
            let json = json!({
                "token": token, "name": name, "id": id, "text": "x", "act": "unpin", "link": link, "to": 1,
            });
            let json = json.to_string();
            let cookie = cookie(&ann, &room);
            let (headers, body) = match path.contains("/page") {
                true if path.ends_with("/identity") => {
                    (vec![FORM, OWN, &cookie], format!("form={number}&do=release"))
                }
                true if path.ends_with("/message") => {
                    (vec![FORM, OWN, &cookie], format!("form={number}&of=1&text=x&do=reply"))
                }
                true => (vec![FORM, OWN, &cookie], format!("form={number}&text=x&do=unpin&to=1")),
                false => (vec![AS_JSON], json),
            };
            let answer = ann.request(&method, &in_main(&path), &headers, &body).await;
            surface.saw(&method, &path, &answer);
            if answer.status == 429 {
                break;
            }
        }
    }
}

/// The cookie of a guest who entered without JavaScript.
fn cookie(visitor: &Visitor, room: &TestRoom) -> String {
    format!("Cookie: guest{}={}", room.address().port(), visitor.token())
}

fn without_pages(operations: Vec<(String, String)>) -> Vec<(String, String)> {
    operations.into_iter().filter(|(_, path)| !path.contains("/page")).collect()
}

async fn the_page_without_javascript(surface: &mut Surface, room: &TestRoom) {
    let ann = Visitor::arrive(room, "Pam").await;
    let cookie = cookie(&ann, room);
    let inside = [FORM, OWN, &cookie];
    for (method, path) in surface.operations("421").into_iter().filter(|(_, path)| path.contains("/page")) {
        // By a window, in a frame, and by who is in the room.
        for headers in [&[][..], &["Sec-Fetch-Dest: iframe"], &inside[..1]] {
            surface.saw(&method, &path, &ann.request(&method, &in_main(&path), headers, "").await);
        }
        if method == "POST" {
            let long = format!("form=6&text={}", "x".repeat(60 * 1024));
            for (kind, body) in [(FORM, long.as_str()), (AS_JSON, "{}")] {
                let headers = [kind, OWN, &cookie];
                surface.saw("POST", &path, &ann.request("POST", &in_main(&path), &headers, body).await);
            }
            let mut slow = room.raw().await;
            let line = format!("POST {} HTTP/1.1", in_main(&path));
            let lines = [&line, &format!("Host: {}", room.host()), FORM, "Content-Length: 9", "", "form"];
            slow.write(lines.join("\r\n").as_bytes()).await;
            surface.saw("POST", &path, &slow.answer().await);
        }
    }
    let (host, identity) = ("/rooms/{room}/page/host", "/rooms/{room}/page/identity");
    let (private, eve) = ("/rooms/{room}/page/private", Visitor::arrive(room, "Evi").await);
    let eve = &eve.welcome["guest"]["id"];
    room.appoint(ann.welcome["guest"]["id"].as_u64().unwrap(), Role::Host).await;
    let (say, enter) = ("/rooms/{room}/page/say", "/rooms/{room}/page/enter");
    let (page, search) = ("/rooms/{room}/page", "/rooms/{room}/page/search");
    let message = "/rooms/{room}/page/message";
    for (path, body) in [
        (say, "form=1&text=good+evening".to_owned()),
        (say, "form=2&text=not+yet&name=Pamela&do=rename".to_owned()),
        (say, "form=3&name=Bob&do=rename".to_owned()),
        (say, "form=4&text=+".to_owned()),
        (host, "form=8&do=words&text=scam%0D%0Afree+money".to_owned()),
        (host, "form=8&do=words&text=".to_owned()),
        (host, "form=8&do=lock".to_owned()),
        (host, "form=8&do=unlock".to_owned()),
        (host, "form=8&do=link_moderator".to_owned()),
        (host, "form=8&do=invite&name=Eve&once=1&days=7".to_owned()),
        (host, "form=8&do=dance".to_owned()),
        (host, "form=8&do=slow&text=x".to_owned()),
        (identity, "form=9&do=release".to_owned()),
        (identity, "form=9&do=reserve".to_owned()),
        (identity, "form=9&do=key".to_owned()),
        (identity, "form=9&do=dance".to_owned()),
        (search, "form=11&text=evening".to_owned()),
        (search, "form=11&text=+".to_owned()),
        (message, "form=10&of=1&text=yes&do=reply".to_owned()),
        (message, "form=10&of=1&text=+&do=reply".to_owned()),
        (message, "form=10&of=99999&text=x&do=edit".to_owned()),
        (message, "form=10&of=1&do=dance".to_owned()),
        (private, format!("form=9&do=whisper&to={eve}&text=psst")),
        (private, format!("form=9&do=whisper&to={eve}&text=+")),
        (private, "form=9&do=whisper&to=1&text=psst".to_owned()),
        (private, "form=9&do=whisper&text=psst".to_owned()),
        (say, format!("form=5&text={}", "x".repeat(5000))),
        (enter, "name=Bob".to_owned()),
        (enter, format!("name={}", "x".repeat(33))),
        (enter, "name=Pam".to_owned()),
        ("/rooms/{room}/page/continue", "form=7".to_owned()),
        ("/rooms/{room}/page/language", "language=de&back=host".to_owned()),
        ("/rooms/{room}/page/leave", String::new()),
    ] {
        surface.saw("POST", path, &ann.request("POST", &in_main(path), &inside, &body).await);
    }
    surface.saw("GET", page, &ann.request("GET", "/rooms/main/page?message=1", &inside, "").await);
    let parts = [
        "",
        "/connection",
        "/reconnect",
        "/reached",
        "/messages",
        "/say",
        "/message",
        "/host",
        "/identity",
        "/search",
        "/context",
        "/private",
        "/language",
    ];
    for path in parts.map(|part| format!("/rooms/{{room}}/page{part}")) {
        surface.saw("GET", &path, &ann.request("GET", &in_main(&path), &inside, "").await);
    }
    // Who waits; and who waits no more.
    let path = "/rooms/{room}/page/waiting";
    for approval in [true, false] {
        room.govern(Act::Approval { approval, present: Vec::new() }).await;
        let mut newcomer = Visitor::stranger(room);
        newcomer.welcome = json!({ "token": "B".repeat(42) + "A" });
        let cookie = self::cookie(&newcomer, room);
        surface.saw("GET", path, &newcomer.request("GET", &in_main(path), &[FORM, OWN, &cookie], "").await);
    }
}

#[test]
fn the_descriptions_are_complete_in_themselves() {
    let description = Description::read();
    for document in [&description.openapi, &description.asyncapi] {
        for_each(document, &mut |value| {
            let Some(reference) = value["$ref"].as_str() else { return };
            let (file, pointer) = reference.split_once('#').unwrap();
            let target = if file.is_empty() { document } else { &description.asyncapi };
            assert!(target.pointer(pointer).is_some(), "{reference} leads nowhere");
        });
    }
    for message in description.asyncapi["components"]["messages"].as_object().unwrap().values() {
        description.check("asyncapi.json", &message["payload"], &message["examples"][0]["payload"]);
    }
    let codes = &description.asyncapi["components"]["schemas"]["Code"]["enum"];
    let known: Vec<_> = onionroom::protocol::Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(*codes, json!(known));
}

fn for_each(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(members) => members.values().for_each(|value| for_each(value, look)),
        Value::Array(items) => items.iter().for_each(|value| for_each(value, look)),
        _ => {}
    }
}
