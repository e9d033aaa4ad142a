/* A guest: a Firefox of its own, set up as Tor Browser is, with verbs for what people do. */

import fs from 'node:fs';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { SocksProxy } from './proxy.mjs';
import { until } from './until.mjs';

const SCREENSHOTS = path.resolve(import.meta.dirname, '../../../target/screenshots');

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

function firefox() {
  const wanted = process.env.ONIONROOM_FIREFOX ?? 'firefox-esr';
  const places = wanted.includes('/') ? [''] : (process.env.PATH ?? '').split(path.delimiter);
  const found = places.map((place) => path.join(place, wanted)).find((file) => fs.existsSync(file));
  if (!found) throw new Error(`no ${wanted} on PATH: install Firefox ESR, or set ONIONROOM_FIREFOX to its path`);
  return found;
}

/** The preferences that make Firefox behave as Tor Browser does, and keep it silent otherwise. */
function torBrowser(port, javascript) {
  return {
    'network.proxy.type': 1,
    'network.proxy.socks': '127.0.0.1',
    'network.proxy.socks_port': port,
    'network.proxy.socks_version': 5,
    'network.proxy.socks_remote_dns': true,
    'network.proxy.no_proxies_on': '',
    'network.proxy.allow_hijacking_localhost': true,
    'network.dns.blockDotOnion': false,
    'dom.securecontext.allowlist_onions': true,
    'privacy.resistFingerprinting': true,
    'browser.privatebrowsing.autostart': true,
    'javascript.enabled': javascript,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'network.trr.mode': 5,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'services.settings.server': 'data:,#remote-settings-dummy/v1',
    'media.gmp-manager.updateEnabled': false,
    'extensions.systemAddon.update.enabled': false,
  };
}

export class Guest {
  /** What the browser complained about: console errors and warnings, errors of the page. */
  problems = [];

  /** `preferences` are Firefox's own, in place of or beside those of Tor Browser. */
  static async arrive(room, { name, size, javascript = true, preferences = {} }) {
    const guest = new this();
    const { hostname, port } = new URL(room.url);
    guest.url = room.url;
    guest.size = size;
    guest.proxy = await SocksProxy.open({ room: { hostname, port: Number(port || 80) }, socks: room.socks, isolation: name });
    guest.browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: firefox(),
      headless: true,
      acceptInsecureCerts: room.trustsAnyone ?? false,
      /* Firefox heeds `services.settings.server` only with this. */
      env: { ...process.env, MOZ_REMOTE_SETTINGS_DEVTOOLS: '1' },
      extraPrefsFirefox: { ...torBrowser(guest.proxy.port, javascript), ...preferences },
    });
    return guest;
  }

  async leave() {
    await this.browser?.close();
    await this.proxy.close();
  }

  /** Opens the room in a new tab, which the verbs are about from then on. */
  async open({ waitUntil = 'load' } = {}) {
    this.page = await this.browser.newPage();
    await this.page.setViewport(this.size);
    this.page.on('console', (message) => {
      if (['error', 'warn', 'warning'].includes(message.type())) this.problems.push(`${message.type()}: ${message.text()}`);
    });
    this.page.on('pageerror', (error) => this.problems.push(`page: ${error.message}`));
    await this.page.goto(this.url, { waitUntil, timeout: 90_000 });
  }

  /** Runs in the page. */
  ask(question, ...values) {
    return this.page.evaluate(question, ...values);
  }

  /** Waits for something in the page. */
  see(what, question, ...values) {
    return until(what, () => this.ask(question, ...values), { deadline: 60_000 });
  }

  connected() {
    return this.status('Connected');
  }

  status(words) {
    return this.see(`the status says "${words}"`, (wanted) => document.getElementById('status-words').textContent.includes(wanted), words);
  }

  /** Has the page come in by this way, "events" or "polling", as if it had found out that no better one goes through, which
      takes it its time: that it does is tested in fallback.test.mjs. */
  async comeInBy(way) {
    await this.ask(async (wanted) => {
      await bring('requests.js');
      connection.rung = WIRES.findIndex(({ name }) => name === wanted);
      connection.open();
    }, way);
    await this.status(`Connected (${way})`);
  }

  name() {
    return this.ask(() => document.getElementById('name-shown').textContent);
  }

  people() {
    return this.ask(() => [...document.querySelectorAll('#people-list bdi')].map((name) => name.textContent));
  }

  /** The badges in the roster, by name. */
  badges() {
    return this.ask(() => Object.fromEntries([...document.querySelectorAll('#people-list li')].map((item) => [item.querySelector('bdi').textContent, item.querySelector('.badge').dataset.badge])));
  }

  /** The badge beside one's own name. */
  badge() {
    return this.ask(() => document.querySelector('#badge-shown .badge').dataset.badge);
  }

  /** The texts of the messages shown as said, in order. */
  messages() {
    return this.ask(() => [...document.querySelectorAll('#said .words')].map((words) => words.textContent));
  }

  /** Who said the message with this text: their name, or "You". */
  author(text) {
    return this.ask((wanted) => {
      const words = [...document.querySelectorAll('#said .words')].find((each) => each.textContent === wanted);
      return words?.closest('.message').querySelector('.who').textContent;
    }, text);
  }

  hears(text) {
    return this.see(
      `the message ${JSON.stringify(text)}`,
      (wanted) => [...document.querySelectorAll('#said .words')].some((words) => words.textContent === wanted),
      text,
    );
  }

  line(words) {
    return this.see(
      `the line "${words}"`,
      (wanted) => [...document.querySelectorAll('#said .line')].some((line) => line.textContent.includes(wanted)),
      words,
    );
  }

  /** Types a message, line breaks with Shift, and sends it with Enter. */
  async say(text) {
    await this.page.focus('#text');
    for (const [index, line] of text.split('\n').entries()) {
      if (index) {
        await this.page.keyboard.down('Shift');
        await this.page.keyboard.press('Enter');
        await this.page.keyboard.up('Shift');
      }
      await this.page.keyboard.type(line);
    }
    await this.page.keyboard.press('Enter');
  }

  /** Presses the button with these words, by the keyboard. */
  async press(where, words) {
    await this.page.bringToFront();
    await this.see(`the button "${words}"`, (place, wanted) => {
      const found = [...document.querySelectorAll(`${place} button`)].find((each) => each.textContent === wanted && each.getClientRects().length);
      found?.focus();
      return Boolean(found) && document.activeElement === found;
    }, where, words);
    await this.page.keyboard.press('Enter');
  }

  async rename(name) {
    await this.page.click('#name-button');
    await this.page.keyboard.type(name);
    await this.page.keyboard.press('Enter');
  }

  async screenshot(name) {
    fs.mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  }
}
