/* The other rooms of this address: a list with what is unread in each, and the way there. Loaded together with governed.js, where there are some. */
'use strict';
{
  style('rooms.css');
  const list = make('ul');
  const section = make('nav', '', make('h2', '', 'Rooms'), list);
  assign(section, { id: 'rooms', ariaLabel: 'Rooms', hidden: true });
  element('invite').before(section);

  /** By name, as the room has told them last. */
  const known = new Map();
  /** How many messages were said in each when this window was there last. */
  const seen = JSON.parse(kept.get('seen') ?? '{}');

  function show() {
    list.replaceChildren(...[...known.values()].map(({ name, title, said: count, guests }) => {
      const unread = name === here ? 0 : Math.max(0, count - (seen[name] ??= count));
      const link = make('a', '', nameNode(title));
      link.href = `#room=${name}`;
      /* Rooms leave no trace in the browser's history. */
      link.onclick = () => {
        location.replace(link.href);
        return false;
      };
      if (name === here) link.ariaCurrent = 'page';
      const words = [unread && counted(unread, 'unread message', 'unread messages'), counted(guests, 'guest', 'guests')];
      return make('li', unread ? 'unread' : '', link, make('span', 'quiet', ` ${words.filter(Boolean).join(', ')}`));
    }));
    section.hidden = known.size < 2;
  }

  assign(rooms, {
    told({ type, rooms: lines, gone = [] }) {
      if (type === 'welcome') known.clear();
      for (const line of lines) known.set(line.name, line);
      for (const name of gone) known.delete(name);
      show();
    },
    /** What was read in the room that the guest leaves, on the way to another one. */
    left() {
      setTimeout(show);
      seen[here] = said ?? seen[here];
      kept.set('seen', JSON.stringify(seen));
    },
  });
  window.addEventListener('pagehide', rooms.left);
}
