/* How one message is drawn. */
'use strict';

/** The element of one message; `foot` stands at its end: the time, or what is happening with it. */
function messageNode({ guest, name, text, mine, follows }, foot) {
  const who = make('p', follows || mine ? 'who unseen' : 'who', mine ? 'You' : nameNode(name));
  if (!follows && !mine) who.append(badgeNode(guest));
  const words = make('p', 'words', linked(text));
  words.dir = 'auto';
  const node = make('div', 'message', who, make('div', 'bubble', words, foot));
  node.classList.toggle('mine', Boolean(mine));
  node.classList.toggle('follows', Boolean(follows));
  if (guest !== undefined) node.style.setProperty('--hue', hueOf(guest));
  return node;
}
