/* What a link brought along, and the room's other addresses, one for each machine that serves it. What goes on at one of them is
   moving.js, which is loaded while this one answers, and only where there are others. */
'use strict';

/** What the page of another address gave this one; the secret of a link that gives a role, until the room has taken it; and what is
    to let this guest in, of a link of either kind, until there is a welcome. */
let brought, claim, invite;
/** The room of this address that the window is in, which stays in the address bar. */
let here = 'main';
/** The number of the message that the address leads to. */
let aim;
/** The fragment of a link into this room. */
const inRoom = (rest) => [here !== 'main' && `room=${here}`, rest].filter(Boolean).join('&').replace(/^(?=.)/, '#');
const showRoom = () => history.replaceState(null, '', location.pathname + inRoom(aim && `message=${aim}`));
/** The address bar loses everything else before anything is done. */
function takeFragment() {
  const { hash } = location;
  const [, room, rest] = /^#?(?:room=([a-z\d-]+)&?)?(.*)/.exec(hash);
  here = room ?? 'main';
  aim = +/^message=(\d{1,15})$/.exec(rest)?.[1];
  showRoom();
  const [, kind, secret] = /^(host|invite)=([\w-]{43})$/.exec(rest) ?? [];
  invite = secret;
  claim = kind === 'host' ? secret : undefined;
  brought = !kind && !aim && rest && `#${rest}`;
}
takeFragment();

const doors = {
  known: kept.get('doors')?.split(' ') ?? [],

  told(known = []) {
    this.known = known;
    kept.set('doors', known.join(' '));
    if (known.length) bring('moving.js');
  },
};
