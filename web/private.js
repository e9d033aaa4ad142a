/* Messages for one guest alone, and who is writing. Loaded together with talk.js, and run before it. */
'use strict';
{
  /** Takes account of what the room tells of private messages. */
  function whispered(event) {
    const { type, guest, id } = event;
    if (type === 'private') {
      const message = shown(event);
      if (message.mine) unsaid.remove(id);
      log.message(message);
      showEmpty();
      if (message.mine || attentive() || talk.hides(message)) return;
      unread++;
      /* What counts mentions may have to come yet. */
      return bring('talk.js').then(() => showTitle(message));
    }
    /* Those that the room has forgotten before they came back. */
    for (const { id, to, sent } of unsaid.messages.values()) if (to && sent) unsaid.remove(id);
    if (type === 'private_gap' || whispersEnd(guest)) log.line('Private messages that were here are no longer kept.');
  }

  /** Takes away what was exchanged with a guest, or with all; tells how many messages that were. */
  function whispersEnd(guest) {
    const gone = log.items.filter((item) => item.to && (!guest || item.guest === guest || item.to === guest));
    for (const item of gone) assign(item, { words: [], text: '', to: 0 });
    if (gone.length) log.redraw();
    return gone.length;
  }

  /* Who is writing. */

  const writers = new Map();
  const line = assign(make('p', 'quiet'), { id: 'writers', ariaLive: 'polite' });
  element('newest').before(line);
  let typed = 0;
  element('text').addEventListener('input', () => {
    /* Not of a command, and not of what is private. The room tells it once in three seconds at most. */
    if (!policy.typing || Date.now() - typed < 4 * SECOND || !/^[^/]/.test(draft())) return;
    typed = Date.now();
    connection.send({ type: 'typing' });
  });

  function heard({ type, guest }) {
    if (!/typing|message/.test(type)) return;
    clearTimeout(writers.get(guest));
    writers.delete(guest);
    if (type === 'typing' && !mine.has(guest) && !talk.hides({ guest })) writers.set(guest, setTimeout(heard, 6 * SECOND, { type: 'message', guest }));
    const [one, other, more] = [...writers.keys()].map((guest) => people.nameOf(guest)).filter(Boolean);
    const words = more ? 'Several guests are writing…' : other ? `${one} and ${other} are writing…` : one ? `${one} is writing…` : '';
    /* The same words are not read out again. */
    if (line.textContent !== words) line.textContent = words;
  }

  assign(talk, { whispered, whispersEnd, heard });
}
