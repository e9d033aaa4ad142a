/* The room's other addresses, one for each machine that serves it. What goes on at one of them is moving.js, which is loaded
   while this one answers, and only where there are others. */
'use strict';

/** What the page of another address gave this one; the address bar loses it before anything else is done. */
const brought = location.hash;
if (brought) history.replaceState(null, '', location.pathname);

const doors = {
  known: kept.get('doors')?.split(' ') ?? [],

  told(known = []) {
    this.known = known;
    kept.set('doors', known.join(' '));
    if (known.length) this.load();
  },

  /** Runs moving.js, which the policy knows by its text. */
  load() {
    return (this.loading ??= fetch('moving.js')
      .then((answer) => answer.text())
      .then((text) => document.head.append(make('script', '', text)))
      .catch(() => new Promise((resolve) => setTimeout(resolve, SECOND)).then(() => (this.loading = undefined))));
  },
};
