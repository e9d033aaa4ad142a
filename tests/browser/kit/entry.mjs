/* What a newcomer does at the entry, and what the page keeps of it. */

/** Types into the field with this label, with the keyboard alone. */
export async function type(guest, label, words) {
  await guest.page.bringToFront();
  await guest.see(`the field "${label}"`, (wanted) => {
    const input = [...document.querySelectorAll('#entry label')].find((each) => each.textContent.startsWith(wanted))?.querySelector('input');
    input?.focus();
    input?.select();
    return Boolean(input) && document.activeElement === input;
  }, label);
  await guest.page.keyboard.type(words);
}

/** All that the page and its browser keep, and all requests that left it. */
export async function traces(guest) {
  const kept = await guest.ask(() => JSON.stringify([
    { ...sessionStorage }, { ...localStorage }, document.documentElement.outerHTML, [...document.querySelectorAll('input')].map(({ value }) => value), invite ?? '', naming.brings ?? '', location.href, document.cookie,
  ]));
  return kept + guest.proxy.requests.join();
}
