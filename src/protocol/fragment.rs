//! What follows `#` in a link into a room, which no request tells.

use super::MAIN_ROOM;

/// The fragment of a link into a room, with a secret: `kind` is `host` or `invite`. The main room is not named.
pub fn link_fragment(room: &str, kind: &str, secret: &str) -> String {
    match room {
        MAIN_ROOM => format!("{kind}={secret}"),
        name => format!("room={name}&{kind}={secret}"),
    }
}

#[cfg(test)]
mod tests {
    use super::link_fragment;

    #[test]
    fn the_main_room_is_not_named() {
        assert_eq!(link_fragment("main", "host", "s"), "host=s");
        assert_eq!(link_fragment("tea", "invite", "s"), "room=tea&invite=s");
    }
}
