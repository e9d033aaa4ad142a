/* The menu of a guest or a message, by the keyboard; and the dialog of hosts. */

/** Opens that of a guest in the list, or of the newest message that begins with this text. */
export async function openMenu(guest, { name, text }) {
  await guest.page.bringToFront();
  /* What has the menu is loaded with the first key. */
  await guest.page.keyboard.press('Shift');
  await guest.see('the button for the menu', (wanted, inList) => {
    const places = [...document.querySelectorAll(inList ? '#people-list li' : '#said .message')];
    const isMeant = (words) => (inList ? words === wanted : words.startsWith(wanted));
    const open = places.findLast((each) => isMeant(each.querySelector(inList ? 'bdi' : '.words').textContent))?.querySelector('.tool');
    open?.scrollIntoView({ block: 'center' });
    open?.focus();
    return Boolean(open) && document.activeElement === open;
  }, name ?? text, Boolean(name));
  await guest.page.keyboard.press('Enter');
  await guest.see('the menu', () => document.getElementById('menu').matches(':popover-open'));
}

/** Presses entries of a menu, one after the other. */
export async function choose(guest, of, ...words) {
  await openMenu(guest, of);
  for (const each of words) await guest.press('#menu', each);
}

/** Fills a field of the hosts' dialog, which is open, and saves it. */
export async function set(guest, label, value) {
  await guest.ask((wanted, text) => {
    const form = [...document.querySelectorAll('#govern form')].find((each) => each.textContent.startsWith(wanted));
    form.querySelector('input, textarea').value = text;
    form.requestSubmit();
  }, label, value);
  await guest.see(`${label} is done`, (wanted) => document.querySelector('#govern [role=alert]').textContent.startsWith(wanted), label.split(',')[0]);
}
