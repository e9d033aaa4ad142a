/* What stands around the conversation: settings, the way out at once, the room's address. */
'use strict';

/** What the guest has set, as words: Tor Browser tells every page "light", so the guest needs a say. */
const settings = document.documentElement.dataset;
settings.theme = shared.get('theme') ?? '';

/** Loads what helps with writing, unless it is there; tells whether it came. */
const help = async () => (await bring('talk.js')) || complain(OFFLINE);
element('theme').onclick = async () => (await help()) && talk.settle();

/** Leaves for a blank page, and forgets everything: the seat, what this window has, and what the browser stores. */
function panic() {
  connection.send({ type: 'leave' });
  doors.leaving = true;
  /* The others answer each other otherwise, and none gets away. */
  window.onstorage = null;
  kept.set = () => {};
  shared.set('panic', 'yes');
  location.replace('about:blank');
  /* Where storage is forbidden the page goes all the same. */
  sessionStorage.clear();
  localStorage.clear();
}
element('panic').onclick = panic;
/* All windows of this address go together. */
window.onstorage = ({ key }) => key === 'panic' && panic();
let escaped = -SECOND;
window.onkeydown = ({ key, timeStamp, target, defaultPrevented, repeat }) => {
  bring('talk.js');
  /* A key that is held is pressed once. */
  if (key === 'Escape' && !repeat) {
    if (timeStamp - escaped < 500) panic();
    /* One that closes something is none of the two. */
    escaped = defaultPrevented || document.querySelector(':popover-open, [open]') ? 0 : timeStamp;
  }
  if (key === '?' && target.placeholder === undefined) element('theme').click();
};

/* The address, to be given to others. That of a local room leads nowhere from elsewhere. */
if (!/^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)) {
  for (const place of document.querySelectorAll('.address')) place.textContent = location.origin;
} else {
  element('invitation').textContent = 'Say hello.';
  element('invite').hidden = true;
}
/** What a button does that copies the text of an element. */
const copies = (node) => async ({ target }) => {
  try {
    await navigator.clipboard.writeText(node.textContent);
    target.textContent = 'Copied';
  } catch {
    /* It is forbidden here; then the guest copies what is selected. */
    getSelection().selectAllChildren(node);
  }
};
element('copy').onclick = copies(element('invite-address'));
