//! The chat without JavaScript, as far as a browser goes through it, and then not read.

use std::future::pending;

use onionroom_bench::Outcome;

use super::Stranger;
use super::connection::Connection;

/// How many documents lead to the messages, at most: the entry, what its form leads to, the room.
const DOCUMENTS_MAX: usize = 8;

/// The document of messages, which does not end, unread.
pub(super) async fn unread(stranger: Stranger) -> Outcome<()> {
    let mut connection = stranger.connect().await?;
    let (mut cookies, mut path, mut form) = (Vec::new(), "/rooms/main/page".to_owned(), None);
    for _ in 0..DOCUMENTS_MAX {
        let last = path.contains("/page/messages");
        let (head, body) = ask(&mut connection, &stranger, &path, &cookies, form.take(), last).await?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        for line in head.lines() {
            let Some((name, cookie)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("set-cookie") {
                let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
                let name = cookie.split('=').next().unwrap_or_default().to_owned();
                cookies.retain(|kept: &String| kept.split('=').next() != Some(&name));
                cookies.push(cookie);
            }
        }
        let location = head.lines().find_map(|line| line.strip_prefix("location: "));
        match (status, location) {
            ("200", _) if last => return pending().await,
            ("302" | "303" | "307", Some(location)) => path = resolved(&path, location),
            ("200", None) => match (attribute(&body, "src=\"", "window="), hidden(&body)) {
                (Some(messages), _) => path = resolved(&path, &messages),
                (None, fields) if !fields.is_empty() => {
                    path = "/rooms/main/page/enter".into();
                    form = Some(fields);
                }
                _ => return Err("no way from this document".into()),
            },
            _ => {
                stranger.refused(status);
                return Err(head.into());
            }
        }
    }
    Err("too many documents".into())
}

async fn ask(
    connection: &mut Connection<'_>,
    stranger: &Stranger,
    path: &str,
    cookies: &[String],
    form: Option<String>,
    head_only: bool,
) -> Outcome<(String, String)> {
    let mut headers = format!("Origin: http://{}\r\n", stranger.route.onion);
    headers += "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n";
    if !cookies.is_empty() {
        headers += &format!("Cookie: {}\r\n", cookies.join("; "));
    }
    let request = match form {
        None => stranger.head(&format!("GET {path}"), &headers),
        Some(form) => {
            let kind = "Content-Type: application/x-www-form-urlencoded";
            headers += &format!("{kind}\r\nContent-Length: {}\r\n", form.len());
            stranger.head(&format!("POST {path}"), &headers) + &form
        }
    };
    connection.write(request.as_bytes()).await?;
    match head_only {
        true => Ok((connection.head().await?, String::new())),
        false => connection.answer().await,
    }
}

/// The path that a reference in the document at `path` leads to (RFC 3986, section 5), as far as the room needs it.
fn resolved(path: &str, reference: &str) -> String {
    if let Some((_, rest)) = reference.split_once("://") {
        return rest.find('/').map_or_else(|| "/".to_owned(), |slash| rest[slash..].to_owned());
    }
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let path = path.split('?').next().unwrap_or_default();
    if reference.starts_with('?') {
        return format!("{path}{reference}");
    }
    let mut directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut reference = reference;
    while let Some(rest) = reference.strip_prefix("../") {
        directory = directory.rsplit_once('/').map_or("", |(directory, _)| directory);
        reference = rest;
    }
    format!("{directory}/{}", reference.trim_start_matches("./"))
}

/// The value of the first such attribute that contains a text.
fn attribute(body: &str, begin: &str, text: &str) -> Option<String> {
    let values = body.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
    values.filter(|value| value.contains(text)).map(|value| value.replace("&amp;", "&")).next()
}

/// The hidden fields of a document as the body of a form.
fn hidden(body: &str) -> String {
    let inputs = body.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let inputs = inputs.filter(|input| input.contains("hidden"));
    let fields = inputs.filter_map(|input| {
        Some(format!("{}={}", attribute(input, " name=\"", "")?, attribute(input, " value=\"", "")?))
    });
    fields.collect::<Vec<_>>().join("&")
}
