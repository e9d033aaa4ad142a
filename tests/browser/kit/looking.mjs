/* Whether a guest looks at the page, and at which part of the conversation. */

/** Another tab is in front of this guest's page. */
export async function lookAway(guest) {
  guest.other ??= await guest.browser.newPage();
  await guest.other.bringToFront();
  await guest.see('the page is hidden', () => document.hidden || !document.hasFocus());
}

/** It is in front again. */
export async function lookBack(guest) {
  await guest.page.bringToFront();
  await guest.see('the page is looked at', () => !document.hidden && document.hasFocus());
}

/** The end of the conversation is in view. */
export const toEnd = (guest) => guest.ask(() => {
  const scroller = document.getElementById('scroller');
  scroller.scrollTop = scroller.scrollHeight;
});
