/* What the reader has looked at, and what they have not: the title, the line where the unread begin, and ages that grow. */
'use strict';

const attentive = () => !document.hidden && document.hasFocus();

/* Ages on the messages. */

const grow = () => document.hidden || growOlder(element('said'));
setInterval(grow, MINUTE / 4);

/* The number of unread messages, in the title. */

/** `message` is one more that is unread. */
function showTitle(message) {
  document.title = unread ? `(${unread}) ${roomTitle}` : roomTitle;
  talk.notice?.(message);
}

function markNew(after) {
  marked = true;
  log.mark(after);
}

/** The reader looks at the page; at its end, nothing is unread. */
function look() {
  if (!attentive()) return;
  if (log.atEnd) {
    marked = false;
    looked = cursor;
  }
  if (!unread) return;
  unread = 0;
  showTitle();
}

function lookAway() {
  if (looked !== undefined) kept.set('looked', `${people.me} ${looked}`);
  seat.remember();
}
window.onfocus = look;
window.onblur = lookAway;
document.onvisibilitychange = () => {
  grow();
  if (document.hidden) return lookAway();
  look();
  connection.wake();
};

function showEmpty() {
  const empty = log.empty && !unsaid.messages.size && connection.state === 'connected';
  element('empty').hidden = !empty;
}
