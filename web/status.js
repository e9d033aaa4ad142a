/* The status: a sentence on the connection, and the way to try again. */
'use strict';

/** While the room is there and its storage is not. */
const CANNOT_WRITE = 'The room cannot write now. What you write is sent when it can.';
/** In place of a close code: the guest has left. */
const LEFT = 'left';

function showStatus({ state, cause, everWelcome, way, late }) {
  const waiting = state === 'waiting';
  let words = late === 'silent' ? 'Not answering…' : storageAway ? CANNOT_WRITE : way ? `Connected (${way})` : 'Connected';
  if (state === 'connecting' || state === 'greeting') words = everWelcome ? 'Reconnecting…' : 'Connecting…';
  if (state === 'greeting') words = naming.needed || naming.waits || words;
  if (waiting) {
    words = everWelcome ? 'Connection lost. Reconnecting' : 'The room does not answer. Trying again';
    if (cause === CLOSE.roomClosing) words = 'The room was closed. Looking for it again';
    if (cause === CLOSE.roomFull) words = 'The room is full. Trying again';
    if (cause === 'locked') words = 'The room is locked. Trying again';
    if (cause === 'not_kept') words = 'The room is not ready. Trying again';
  }
  if (waiting || state === 'connecting') words = doors.words ?? words;
  if (state === 'stopped') {
    words = {
      [CLOSE.takenOver]: 'This chat went on in another window.',
      [CLOSE.helloLate]: naming.needed,
      [LEFT]: 'You have left.',
    }[cause] ?? 'Not connected';
  }
  const shown = element('status-words');
  if (shown.textContent !== words) shown.textContent = words;
  element('status').dataset.state = late === 'silent' || (storageAway && state === 'connected') ? 'late' : state;
  element('status-countdown').textContent = waiting ? `in ${connection.secondsLeft()} s` : '';
  const now = element('now');
  now.hidden = !waiting && state !== 'stopped';
  now.textContent = waiting ? 'Now' : cause === LEFT || cause === CLOSE.banned ? 'Come in again' : 'Continue here';
  /* From outside the room nobody knows who is in it. */
  if ([CLOSE.roomFull, CLOSE.banned, 'locked', LEFT].includes(cause)) {
    people.replace([]);
    talk.whispersEnd?.();
  }
  showLimits();
  if (late) unsaid.interrupted(late === 'turn' ? 'waiting for its turn' : 'not confirmed yet');
  else if (state !== 'connected') unsaid.interrupted();
}

element('now').onclick = comeIn;
