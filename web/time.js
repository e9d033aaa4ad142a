/* Moments in words. Tor Browser tells every page that the time zone is UTC, so what is recent has an age, and a time of day
   says of which zone it is. */
'use strict';

const MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** The page's language, as the browser writes it. Some have digits beside those of the page's other texts (web/build/languages.rs). */
const locale = navigator.language.startsWith(lang) ? navigator.language : lang;
const clockFace = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
const dayName = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const fullTime = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
/** The zone that days begin in, as it is called. */
const zoneName = clockFace.formatToParts().find(({ type }) => type === 'timeZoneName')?.value ?? '';

/** How long ago a moment was; what is older than a day has the time of day. */
function ageWords(moment, now = Date.now()) {
  const age = now - moment;
  if (age < MINUTE) return tr('now');
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  return clockFace.format(moment);
}

/** A moment that tells its date and time on hover. */
function timeNode(moment) {
  const node = make('time', '', ageWords(moment));
  node.dateTime = new Date(moment).toISOString();
  node.title = fullTime.format(moment);
  return node;
}

/** Ages grow: one timer for all that are shown, and none while nobody looks. */
function growOlder(container) {
  const now = Date.now();
  for (const node of container.getElementsByTagName('time')) {
    const words = ageWords(Date.parse(node.dateTime), now);
    /* Changed and not replaced, so that it is not read out as something new. */
    if (node.firstChild.data !== words) node.firstChild.data = words;
  }
}
