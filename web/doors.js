/* What a link brought along, and the room's other addresses, one for each machine that serves it. What goes on at one of them is
   moving.js, which is loaded while this one answers, and only where there are others. */
'use strict';

/** What the page of another address gave this one; and the secret of a link that gives a role, until the room has taken it. */
let brought, claim;
/** The address bar loses it before anything else is done. */
function takeFragment() {
  const { hash } = location;
  if (!hash) return;
  history.replaceState(null, '', location.pathname);
  claim = /^#host=([\w-]{43})$/.exec(hash)?.[1];
  brought = !claim && hash;
}
takeFragment();

const doors = {
  known: kept.get('doors')?.split(' ') ?? [],

  told(known = []) {
    this.known = known;
    kept.set('doors', known.join(' '));
    if (known.length) bring('moving.js');
  },
};
