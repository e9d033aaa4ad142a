/* The guest's name, and the form that changes it. */
'use strict';

/** `needed` says what the guest has to type before the next hello, and `waits` what they wait for. `brings` goes along with a hello
    beside what always does. What is loaded later has `entry`, which shows what is needed, `entered`, which ends that, and `keep`, which
    shows in the form how to stay the same guest. */
const naming = { form: element('name-form'), field: element('name-field'), button: element('name-button') };

/** The codes that refuse a hello until the guest brings something, or was let in. */
const ENTRY = /^(waiting|too_fast|not_allowed|bad_pass|(password|invitation|identity)_)/;

function called(name) {
  seat.called(name);
  element('name-shown').textContent = name;
}

/** Shows what a newcomer needs. */
async function openEntry(answer) {
  if (await bring('entry.js')) naming.entry(answer);
  else connection.lost();
}

/** Sends the hello with what is there now. */
function comeIn() {
  naming.needed = '';
  if (connection.state === 'greeting') connection.greet();
  else connection.open();
}

function openNaming(needed) {
  naming.entered?.();
  naming.needed = needed && 'Choose a name to come in';
  naming.brings = undefined;
  bring('entry.js').then(() => naming.keep?.());
  if (naming.form.hidden) naming.field.value = seat.name ?? '';
  naming.field.placeholder = needed ? 'Leave empty for a suggested one' : '';
  naming.form.hidden = false;
  element('you').hidden = true;
  element('name-cancel').hidden = needed;
  naming.field.focus();
  naming.field.select();
  showStatus(connection);
}

function closeNaming() {
  naming.needed = '';
  naming.entered?.();
  if (naming.form.hidden) return;
  const focused = naming.form.contains(document.activeElement);
  naming.form.hidden = true;
  element('you').hidden = false;
  if (focused) composer.focus();
}

naming.button.onclick = () => openNaming(false);
element('name-cancel').onclick = () => {
  complain();
  closeNaming();
};
naming.form.onkeydown = (event) => {
  if (event.key === 'Escape' && !naming.needed) {
    event.preventDefault();
    element('name-cancel').click();
  }
};
naming.form.onsubmit = (event) => {
  event.preventDefault();
  const name = naming.field.value.trim();
  complain();
  if (naming.needed) {
    seat.name = name || undefined;
    comeIn();
  } else if (!name || name === people.nameOf(people.me)) {
    closeNaming();
  } else if (!connection.send({ type: 'rename', name })) {
    complain('Not connected. Save the name again later.');
  }
};
