/* The guest's name, and the form that changes it. */
'use strict';

const naming = { form: element('name-form'), field: element('name-field'), button: element('name-button') };

function called(name) {
  seat.called(name);
  element('name-shown').textContent = name;
}

function openNaming(needed) {
  naming.needed = needed;
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
  naming.needed = false;
  if (naming.form.hidden) return;
  const focused = naming.form.contains(document.activeElement);
  naming.form.hidden = true;
  element('you').hidden = false;
  if (focused) composer.focus();
}

naming.button.addEventListener('click', () => openNaming(false));
element('name-cancel').addEventListener('click', () => {
  complain();
  closeNaming();
});
naming.form.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !naming.needed) element('name-cancel').click();
});
naming.form.addEventListener('submit', (event) => {
  event.preventDefault();
  const name = naming.field.value.trim();
  complain();
  if (naming.needed) {
    seat.name = name || undefined;
    naming.needed = false;
    if (connection.state === 'greeting') connection.greet();
    else connection.open();
  } else if (!name || name === people.nameOf(people.me)) {
    closeNaming();
  } else if (!connection.send({ type: 'rename', name })) {
    complain('Not connected at the moment. Save the name again when the connection is back.');
  }
});
