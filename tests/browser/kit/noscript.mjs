/* A guest whose Firefox runs no scripts. The tests look into the frames from outside; while a frame is still being
   written, Firefox answers questions about the whole page only, and the page can reach into its frames. */

import { Guest } from './guest.mjs';
import { until } from './until.mjs';

export class NoscriptPage extends Guest {
  static arrive(room, options) {
    return super.arrive(room, { ...options, javascript: false });
  }

  /** Opens the room and enters where that is asked for; the page is never "loaded", since its messages never end. */
  async open({ name = '' } = {}) {
    await this.page?.close();
    await this.openTab();
    if (await this.arrived() === 'entry') await this.enter(name);
    await this.ready();
  }

  /** Opens the address in another tab, which the verbs are about from then on. */
  openTab() {
    return super.open({ waitUntil: 'domcontentloaded' });
  }

  /** Waits until the entry or the room is there, and says which. */
  arrived() {
    return until('the entry or the room', () => this.ask(() => {
      const shown = document.querySelector('noscript iframe')?.contentDocument;
      if (shown?.readyState !== 'complete' && !shown?.querySelector('iframe')) return false;
      return shown.getElementById('name') ? 'entry' : shown.querySelector('iframe') && 'room';
    }), { deadline: 60_000 });
  }

  /** Types a name at the entry and sends it with Enter. */
  async enter(name) {
    await this.ask(() => document.querySelector('noscript iframe').contentDocument.getElementById('name').focus());
    await this.page.keyboard.type(name);
    await this.page.keyboard.press('Enter');
  }

  /** Runs in the page, with the documents of its frames. */
  inside(question, ...values) {
    return this.page.evaluate(`(() => {
      const room = document.querySelector('noscript iframe').contentDocument;
      const [connection, say] = [...room.querySelectorAll('iframe')].map((frame) => frame.contentDocument);
      const stream = connection?.querySelector('iframe');
      const messages = stream ? stream.contentDocument : connection;
      return (${question})({ room, connection, messages, say }, ...${JSON.stringify(values)});
    })()`);
  }

  /** Waits until something can be said. */
  ready() {
    return until('the form can be written in', () => this.inside(({ say }) => say?.readyState === 'complete' && say.activeElement?.name === 'text'), { deadline: 60_000 });
  }

  /** Waits until the messages have been loaded again from this side's cache, whether the room can be reached or not. */
  async triesAgain() {
    await this.inside(({ connection }) => (connection.body.dataset.old = 'yes'));
    await until('another try', () => this.inside(({ connection }) => connection?.querySelector('iframe') && !connection.body.dataset.old), { deadline: 60_000 });
  }

  /** Presses the browser's Back, which only a frame follows. */
  async back() {
    await this.page.evaluate(() => history.back());
  }

  /** What is written in the form, and not sent yet. */
  draft() {
    return this.inside(({ say }) => say?.querySelector('textarea')?.value);
  }

  /** Waits for text among the messages. */
  hears(text) {
    return until(`the text ${JSON.stringify(text)}`, () => this.inside(({ messages }, wanted) => messages?.body?.innerText.includes(wanted), text), { deadline: 60_000 });
  }

  /** Waits until this text among the messages is in view. */
  sees(text) {
    return until(`the text ${JSON.stringify(text)} is in view`, () => this.inside(({ messages }, wanted) => {
      const node = [...messages.querySelectorAll('p')].findLast((each) => each.textContent.includes(wanted));
      const { top, bottom } = node.getBoundingClientRect();
      return top >= 0 && bottom <= messages.defaultView.innerHeight;
    }, text));
  }

  /** Waits for the form, which comes later than the messages now and then. */
  name() {
    return until('the name in the form', () => this.inside(({ say }) => say?.querySelector('.row bdi')?.textContent));
  }

  /** The names in the newest roster; none before it is there. */
  people() {
    return this.inside(({ messages }) => [...([...messages?.querySelectorAll('aside') ?? []].at(-1)?.querySelectorAll('bdi') ?? [])].map((name) => name.textContent));
  }

  badges() {
    return until('the roster', () => this.inside(({ messages }) => {
      const roster = [...messages.querySelectorAll('aside')].at(-1);
      return roster && Object.fromEntries([...roster.querySelectorAll('li')].map((item) => [item.querySelector('bdi').textContent, item.querySelector('.badge').dataset.badge]));
    }));
  }

  badge() {
    return until('the badge in the form', () => this.inside(({ say }) => say?.querySelector('.row .badge')?.dataset.badge));
  }

  async write(text) {
    await this.ready();
    await this.page.keyboard.type(text);
  }

  /** Writes a message and sends it as people with a keyboard do. */
  async say(text) {
    const fresh = () => this.inside(({ say }) => say.querySelector('[name=form]').value);
    await this.write(text);
    const form = await fresh();
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.press('Enter');
    await until('another form', async () => (await fresh()) !== form, { deadline: 60_000 });
    await this.ready();
  }

  async clear() {
    await this.ready();
    await this.page.keyboard.down('Control');
    await this.page.keyboard.press('a');
    await this.page.keyboard.up('Control');
    await this.page.keyboard.press('Delete');
  }

  /** Opens the field for the name and saves what is typed with Enter. */
  async rename(name) {
    await this.inside(({ say }) => {
      say.getElementById('naming').checked = true;
      say.querySelector('[name=name]').focus();
      say.querySelector('[name=name]').select();
      say.body.dataset.old = 'yes';
    });
    await this.page.keyboard.type(name);
    await this.page.keyboard.press('Enter');
    await until('the answer', () => this.inside(({ say }) => say?.readyState === 'complete' && say.body && !say.body.dataset.old), { deadline: 60_000 });
  }

  /** Presses reload. */
  async reload() {
    await this.inside(({ room }) => {
      room.body.dataset.old = 'yes';
      room.defaultView.top.location.reload();
    });
    await until('another page', () => this.inside(({ room }) => room.body && !room.body.dataset.old), { deadline: 60_000 });
    await this.ready();
  }

  /** Presses a button among the messages. */
  press(words) {
    return until(`the button "${words}"`, () => this.inside(({ messages }, wanted) => {
      const button = [...messages.querySelectorAll('button')].find((each) => each.textContent === wanted);
      button?.click();
      return Boolean(button);
    }, words));
  }

  /** Presses a button above the messages. */
  pressOutside(words) {
    return this.inside(({ room }, wanted) => [...room.querySelectorAll('button')].find((button) => button.textContent === wanted).click(), words);
  }

  /** Follows a link of the room. */
  follow(words) {
    return this.inside(({ room }, wanted) => {
      [...room.querySelectorAll('a')].find((link) => link.textContent === wanted).click();
    }, words);
  }

  /** The requests without what stands after "?". */
  paths() {
    return this.proxy.requests.map((request) => request.split('?')[0]);
  }
}
