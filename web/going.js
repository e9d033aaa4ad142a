/* Going to another room of the address, coming back, and leaving. */
'use strict';

/** Takes the role that a link gives. */
const takeRole = () => claim && connection.send({ type: 'claim', id: claimId, link: claim });
window.onhashchange = () => {
  const was = here;
  takeFragment();
  const room = here;
  here = was;
  if (room !== was) return goTo(room);
  if (invite && connection.state !== 'connected') return comeIn();
  takeRole();
  invite = undefined;
};

/** Goes to another room of the address, over the same WebSocket. What waits to be sent is of this one, and holds the guest here. */
function goTo(room) {
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
  here = room;
  showRoom();
  people.replace([]);
  decided({});
  cursor = epoch = looked = undefined;
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
