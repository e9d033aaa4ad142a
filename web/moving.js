/* How a guest goes on at another address of this room. Loaded when the room says that it has others, or when the page of another
   one sent the guest here. What goes along is in the fragment of the address, which browsers send to no server: docs/protocol.md
   has its form. */
'use strict';
{
  /** After so long without the room, and so many attempts, the others are looked at; */
  const PATIENCE = 20 * SECOND, ATTEMPTS = 2;
  /** after this long also while the first attempt hangs. */
  const HANGING = 45 * SECOND;
  /** How long an address may take to answer. */
  const PROBE = 30 * SECOND;
  /** How much later than another address its own may answer, so that the page stays. */
  const GRACE = 5 * SECOND;
  /** Between two rounds over the others. */
  const PAUSE = 15 * SECOND;
  /** How long an address that was full is not gone to again. */
  const FULL = 60 * SECOND;
  /** What goes along at most; a fragment with more is not taken. */
  const SAYS = 64, SAID_BYTES = 128 * 1024, DRAFT_BYTES = 16 * 1024, DOORS = 16;

  const ORIGIN = /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?$/;

  /** What came along, once it is taken; or whether it was not, because this window has a seat here. */
  let came, passedOver = false;
  /** When the room was lost. */
  let since;
  /** Whether it said that it is full; or that it cannot let this guest in at the moment. */
  let turnedAway = false, unable = false;
  /** Whether the others are being looked at. */
  let looking = false;
  let timer;
  /** The addresses that the policy of this document does not have, because they are newer than it: nothing can be asked there. */
  const barred = new Set();
  /** When an address was found full, or unable to let this guest in. */
  const full = new Map();

  const links = make('span', 'doors');
  element('status').append(links);
  document.addEventListener('securitypolicyviolation', ({ blockedURI }) => {
    if (URL.canParse(blockedURI)) barred.add(new URL(blockedURI).origin);
  });

  /* What goes along. */

  const isText = (value, bytes) => typeof value === 'string' && value.length <= bytes && byteLength(value) <= bytes;
  const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;
  const isSay = (say) => Array.isArray(say) && say.length === 2 && /^[\w-]{1,64}$/.test(say[0]) && isText(say[1], SAID_BYTES);
  const isBag = ({ token, name, guest, after, epoch, says, draft, invite: link, full: others }) =>
    /* 32 bytes: the last character has four bits. Any other is no token, and the room would give the visitor one of their own. */
    typeof token === 'string' && /^[\w-]{42}[AEIMQUYcgkosw048]$/.test(token)
    && isText(name, 128) && isNumber(guest) && isNumber(after) && isText(epoch, 64)
    && Array.isArray(says) && says.length <= SAYS && says.every(isSay)
    && says.reduce((sum, [, text]) => sum + byteLength(text), 0) <= SAID_BYTES
    && isText(draft, DRAFT_BYTES)
    && (link === undefined || /^[\w-]{43}$/.test(link))
    && Array.isArray(others) && others.length <= DOORS && others.every((door) => isText(door, 256) && ORIGIN.test(door));

  /** What is in a fragment, if it is all as it should be. */
  function unpacked(fragment) {
    try {
      const packed = /^#go=([\w-]+)$/.exec(fragment)[1].replaceAll('-', '+').replaceAll('_', '/');
      const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt());
      const bag = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      return isBag(bag) ? bag : undefined;
    } catch {
      return undefined;
    }
  }

  /** What is for one guest here does not go along, and then nothing does. */
  const unsent = () => [...unsaid.messages.values()].filter((message) => !message.sent).map(({ id, text, to }) => [id, to ?? text]);

  /** The fragment to go with; nothing if more waits to be sent than can go along. */
  function packed() {
    const bag = {
      token: seat.token,
      name: seat.name ?? '',
      guest: people.me ?? 0,
      after: looked ?? cursor ?? 0,
      epoch: epoch ?? '',
      says: unsent(),
      draft: draft(),
      invite,
      full: [...full.keys()].slice(0, DOORS),
    };
    if (!isBag(bag)) return undefined;
    const bytes = Array.from(encoder.encode(JSON.stringify(bag)), (byte) => String.fromCharCode(byte));
    return `#go=${base64(bytes.join(''))}`;
  }

  /* Coming. Everybody can make a link with a fragment: a window that has a seat here keeps it. */

  function come() {
    const bag = unpacked(brought);
    const own = kept.get('token');
    if (!bag) return;
    passedOver = Boolean(own && own !== bag.token);
    if (passedOver) return;
    came = bag;
    assign(seat, { token: bag.token, name: bag.name || undefined });
    kept.set('token', bag.token);
    kept.set('came', bag.token);
    kept.set('name', bag.name);
    if (bag.guest) kept.set('looked', `${bag.guest} ${bag.after}`);
    if (bag.draft) kept.set('draft', bag.draft);
    invite = bag.invite;
    for (const door of bag.full) full.set(door, Date.now());
  }

  /** Whether the guest has the seat that what came along belongs to. */
  const isTheirs = (token) => came && token === came.token;

  function arrived() {
    if (isTheirs(seat.token)) for (const [id, text] of came.says) unsaid.add(text, id);
    else came = undefined;
  }

  function welcomed(welcome) {
    /* What was to be said as one guest is never said as another. */
    if (came && !isTheirs(welcome.token)) {
      for (const [id] of came.says) unsaid.remove(id);
      came = undefined;
    }
    /* Numbers of another run say nothing of what was read. */
    if (came && cursor === undefined && came.epoch && came.epoch !== welcome.room.epoch) kept.set('looked');
  }

  function caughtUp() {
    if (passedOver) log.line('You came from another address of this room. This window has a guest of its own here: nothing was taken along.');
    passedOver = false;
    if (!came || came.told) return;
    came.told = true;
    const other = button('Come in as a new guest', () => {
      doors.leaving = true;
      connection.stop();
      seat.forget();
      location.reload();
    });
    log.line(...phrase`This room is also at this address; you go on here as ${nameNode(seat.name)}. If you did not come from another address of this room: ${other}`);
  }

  /* Going. */

  /** Whether the room is away, or has no place. */
  function isAway() {
    const { state, reached } = connection;
    return state === 'waiting' || state === 'connecting' || (state === 'greeting' && !reached);
  }

  /** Whether the others are to be looked at. */
  function isDue() {
    if (since === undefined) return false;
    if (turnedAway) return true;
    const away = Date.now() - since;
    return away >= HANGING || (away >= PATIENCE && connection.failures >= ATTEMPTS);
  }

  function changed() {
    if (!isAway()) {
      if (connection.state !== 'greeting') turnedAway = unable = false;
      if (connection.state === 'connected') full.clear();
      since = undefined;
      links.replaceChildren();
      return say(undefined);
    }
    const { cause } = connection;
    if (cause === CLOSE.roomFull) turnedAway = true;
    if (cause === 'not_kept') unable = true;
    if (cause === CLOSE.roomFull || cause === 'not_kept') full.set(location.origin, Date.now());
    since ??= Date.now();
    if (!doors.known.length || looking) return;
    if (isDue()) return look();
    clearTimeout(timer);
    const away = Date.now() - since;
    timer = setTimeout(changed, (away < PATIENCE ? PATIENCE : HANGING) - away + 10);
  }

  /** What the status says. */
  function say(words) {
    if (doors.words === words) return;
    doors.words = words;
    showStatus(connection);
  }

  const isFull = (door) => Date.now() - (full.get(door) ?? -FULL) < FULL;

  /** Looks at the others in turn, again and again, and goes to the first that answers. */
  async function look() {
    looking = true;
    for (let first = true; isDue(); first = false) {
      const others = doors.known.filter((door) => ORIGIN.test(door) && door !== location.origin && !isFull(door));
      if (turnedAway || unable) say(others.length ? 'The room cannot let you in here; looking at its other addresses. Trying again' : 'The room cannot let you in, at all its addresses. Trying again');
      else say(first ? 'This address does not answer; looking at the others of this room. Trying again' : 'No address of this room answers. Trying again');
      /* Where this address does answer requests, another transport helps and not another address. */
      let here = false;
      const own = !turnedAway && !unable && answers(location.origin).then((answered) => (here = answered));
      for (const door of others) {
        if (isBarred(door) || !(await answers(door))) continue;
        /* Its own answer may come a moment later than that of the other. */
        await Promise.race([own, new Promise((resolve) => setTimeout(resolve, GRACE))]);
        if (here || !isDue()) break;
        if (go(door)) return;
      }
      if (isDue()) offer(others.filter(isBarred));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    looking = false;
    changed();
  }

  /** Whether nothing can be asked there; also where a page that came encrypted would ask without encryption. */
  const isBarred = (door) => barred.has(door) || (location.protocol === 'https:' && door.startsWith('http:'));

  /** Whether somebody answers there. What they say is not read. */
  async function answers(door) {
    const request = { mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PROBE) };
    const answered = await fetch(`${door}/health`, request).then(() => true, () => false);
    /* A violation of the policy is told a moment later. */
    if (!answered) await new Promise((resolve) => setTimeout(resolve, 50));
    return answered;
  }

  /** Goes there, in place of this page, which cannot be loaded again. */
  function go(door) {
    const fragment = packed();
    if (!fragment) return offer([door]);
    doors.leaving = true;
    location.replace(`${door}/${fragment}`);
    /* Where that comes to nothing the page is still here. */
    setTimeout(() => {
      doors.leaving = looking = false;
      changed();
    }, 4 * PROBE);
    return true;
  }

  /** Shows addresses that the guest may go to: nothing is known of them, or not everything can go along. */
  function offer(others) {
    links.replaceChildren();
    for (const door of others) {
      const link = make('a', '', new URL(door).host);
      link.href = `${door}/`;
      link.onclick = (event) => {
        const fragment = packed();
        if (!fragment) return;
        event.preventDefault();
        doors.leaving = true;
        location.assign(`${door}/${fragment}`);
      };
      links.append(' ', link);
    }
    if (others.length) links.prepend('Go on at:');
  }

  assign(doors, { arrived, welcomed, caughtUp, changed });
  if (brought) come();
  else changed();
}
