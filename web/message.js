/* How one message is drawn. */
'use strict';

/** So many columns are in a line on a wide window, and so many lines of a message are shown before somebody asks for all. */
const COLUMNS = 70, LINES = 24;

/** How many lines a text takes at least. */
const linesOf = (text) => text.split('\n').reduce((lines, { length }) => lines + Math.max(1, Math.ceil(length / COLUMNS)), 0);

/** The element of one message; `foot` stands at its end: the time, or what is happening with it. */
function messageNode(message, follows, foot) {
  const { guest, name, mine } = message;
  const text = calm(message.text);
  const unseen = follows || mine;
  const who = make(unseen ? 'p' : 'h3', unseen ? 'who unseen' : 'who', mine ? 'You' : nameNode(name));
  if (!unseen && guest) who.append(badgeNode(guest, name));
  const words = make('div', 'words', ...(talk.words?.(message, text) ?? [linked(text)]));
  words.dir = 'auto';
  const bubble = make('div', 'bubble', talk.above?.(message) ?? '', words, foot);
  const node = make('article', 'message', who, bubble);
  node.classList.toggle('mine', Boolean(mine));
  node.classList.toggle('follows', Boolean(follows));
  if (guest !== undefined) node.classList.add(colourOf(guest));
  if (!message.whole && linesOf(text) > LINES) {
    node.classList.add('long');
    const all = button('Show all', () => {
      message.whole = true;
      node.classList.remove('long');
      all.remove();
      words.tabIndex = -1;
      words.focus({ preventScroll: true });
    });
    words.after(all);
  }
  return node;
}
