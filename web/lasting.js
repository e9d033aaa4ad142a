/* What the room's log has, as the page shows it. */
'use strict';

/** A moment on the room's clock, on this guest's; and the present one, on the room's. */
const timeOf = (at) => opened + at * SECOND;
const roomTime = () => (Date.now() - opened) / SECOND;

function titled(title) {
  roomTitle = title;
  element('title').textContent = title;
  showTitle();
}

/** What lasts as it is shown: a message, or a line that says what else was done. */
function shown({ type, at, title, said, ...lasting }) {
  const item = { ...lasting, run: log.run, mine: mine.has(lasting.guest), time: timeOf(at) };
  if (item.act === 'announce') assign(item, { guest: 0, name: 'The room', mine: false, act: undefined });
  if (item.act && !NAMES.test(item.act)) govern();
  if (item.reply || item.edited || item.reactions || RICH.test(item.text)) bring('talk.js');
  if (type === 'title') item.words = phrase`The room is now called ${nameNode(title)}`;
  /* What waits for a host is shown by none of its words. */
  else if (item.kind === 'held') item.act = 'held';
  else if (type === 'unknown') item.words = ['Something that this page cannot show.'];
  return item;
}

/** Shows what lasts and is no message. */
function told(event) {
  if (event.seq <= cursor) return false;
  cursor = event.seq;
  const looking = attentive() && log.atEnd;
  if (!log.passOver(event)) log.message(shown(event));
  if (looking) looked = cursor;
  if (catchingUp && cursor >= head) caughtUp();
  showEmpty();
  return true;
}

/** The retention, in words. */
function keptWords({ messages, days }) {
  if (!messages) return 'Nothing is kept here.';
  const newest = counted(messages, 'message', 'messages');
  return days ? `Kept here: the newest ${newest}, for ${counted(days, 'day', 'days')}.` : `Kept here: the newest ${newest}.`;
}
