/* What stands around the conversation: light and dark, the room's address. */
'use strict';

/* Light and dark: Tor Browser tells every page "light", so the guest needs a say. */

function showTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}
element('theme').addEventListener('click', () => {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  showTheme(dark ? 'light' : 'dark');
  kept.set('theme', dataset.theme);
});
showTheme(kept.get('theme'));

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
element('copy').addEventListener('click', copies(element('invite-address')));
