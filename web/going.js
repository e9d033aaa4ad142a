/* Going to another room of the address, coming back, and leaving. */
'use strict';

/** Takes the role that a link gives. */
const takeRole = () => claim && connection.send({ type: 'claim', id: claimId, link: claim });
window.onhashchange = () => {
  const was = here;
  takeFragment();
  const room = here;
  here = was;
  if (room !== was) return goTo(room, aim);
  if (invite && connection.state !== 'connected') return comeIn();
  takeRole();
  invite = undefined;
  lead();
};

/** Leads to the message of the address, or to the newest. */
const lead = async () => (aim ? (await help()) && talk.jump(aim) : log.toEnd());

/** Goes to another room of the address, over the same WebSocket, and to a message there. What waits to be sent is of this one, and holds the
    guest here. */
function goTo(room, to) {
  aim = undefined;
  if (unsaid.any || talk.waits?.()) {
    showRoom();
    invite = claim = undefined;
    return complain('What you did here is not sent yet.');
  }
  lookAway();
  rooms.left?.();
  closeNaming();
  naming.brings = undefined;
  going = here;
  if (talk.begun) talk.begin();
  talk.lastWhisper = 0;
  element('people').hidePopover();
  here = room;
  aim = to;
  showRoom();
  people.replace([]);
  decided({});
  cursor = epoch = looked = said = undefined;
  mine.clear();
  deleted = [];
  [marked, unread] = [false, 0];
  log.begin(0);
  if (connection.rung || !connection.send(connection.hello())) connection.open();
}

/* Coming back, and leaving. */

window.ononline = () => connection.wake({ online: true });

/* Leaving the page: close in order, and come back if the page does, unless another window has the seat by then. */
window.addEventListener('pagehide', () => {
  lookAway();
  connection.stop();
  seat.release?.();
});
window.onpageshow = async ({ persisted }) => {
  if (!persisted) return;
  if (await seat.hold(seat.token, 500)) connection.open();
  else connection.stop(CLOSE.takenOver);
};
element('leave').onclick = () => {
  connection.send({ type: 'leave' });
  connection.stop(LEFT);
  seat.forget();
  element('people').hidePopover();
};
window.addEventListener('beforeunload', (event) => unsaid.any && !doors.leaving && event.preventDefault());
