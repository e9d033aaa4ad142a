/* Which guest this window is: what it keeps, for a reload and for coming back. */
'use strict';

/** How long after it was last seen a seat of a closed window may be taken again. */
const RETURN = 60 * 60 * SECOND;
/** Of so many windows the seats are kept. */
const SEATS = 4;

/** What the browser stores. It can be forbidden; then the page does without. */
const storage = (area) => ({
  get(key) {
    try {
      return area().getItem(key) ?? undefined;
    } catch {
      return undefined;
    }
  },
  set(key, value) {
    try {
      if (value) area().setItem(key, value);
      else area().removeItem(key);
    } catch {
      /* The page works without. */
    }
  },
});
/** This window's own, which a reload does not lose. */
const kept = storage(() => sessionStorage);
/** For all windows; in a private session it ends with the session. */
const shared = storage(() => localStorage);

/**
 * A seat belongs to one window at a time: a duplicated tab copies the token too, and must not take the first one's seat.
 * The window that has it holds a lock, which ends with the window. So a seat without a lock is that of a window that was
 * closed, and whoever comes back in this browser has it again, with the name.
 */
const seat = {
  token: kept.get('token'),
  name: kept.get('name'),

  /** Finds the seat to come in with: this window's, that of a closed one, or a new one. */
  async find() {
    if (this.token && (await this.hold(this.token, 500))) return;
    const known = this.token;
    for (const { token, name, at, looked } of navigator.locks ? this.all() : []) {
      /* Who left here wants to be nobody that was. */
      if (known || kept.get('left') || Date.now() - at > RETURN || !(await this.hold(token, 0))) continue;
      assign(this, { token, name });
      kept.set('looked', looked);
      return;
    }
    this.renew(known ? undefined : this.name);
  },

  /** Becomes a new guest, or the one with this token. */
  renew(name, token = randomToken()) {
    assign(this, { token, name });
    this.hold(token, 0);
  },

  /** Takes the lock of a seat, unless another window has it for longer than so many milliseconds. */
  async hold(token, patience) {
    this.release?.();
    if (!navigator.locks) return true;
    const options = patience ? { signal: AbortSignal.timeout(patience) } : { ifAvailable: true };
    return new Promise((resolve) => {
      const held = (lock) => {
        resolve(Boolean(lock));
        return lock && new Promise((release) => (this.release = release));
      };
      /* Where locks are forbidden, there is nobody to ask. */
      navigator.locks.request(`seat ${token}`, options, held).catch(({ name }) => resolve(!/Timeout|Abort/.test(name)));
    });
  },

  /** The room has welcomed this guest. */
  async welcomed(token) {
    if (token !== this.token) this.hold(token, 0);
    this.token = token;
    kept.set('token', token);
    kept.set('left');
    this.remember();
  },

  called(name) {
    this.name = name;
    kept.set('name', name);
    this.remember();
  },

  all() {
    try {
      return JSON.parse(shared.get('seats') ?? '[]');
    } catch {
      return [];
    }
  },

  /** Keeps the seat for coming back; but not one that a link brought, so that no other window becomes that guest. */
  remember() {
    if ([undefined, kept.get('came')].includes(kept.get('token'))) return;
    const { token, name } = this;
    this.keep([{ token, name, at: Date.now(), looked: kept.get('looked') }]);
  },

  /** Forgets it: the guest has left. */
  forget() {
    kept.set('token');
    kept.set('name');
    kept.set('left', 'yes');
    this.keep([]);
    this.renew();
  },

  keep(own) {
    const others = this.all().filter(({ token, at }) => token !== this.token && Date.now() - at < RETURN);
    const seats = [...own, ...others].slice(0, SEATS);
    shared.set('seats', seats.length ? JSON.stringify(seats) : undefined);
  },
};
