/* A room without Tor, and two guests who are in it. */

import { Guest } from './guest.mjs';
import { LocalRoom } from './room.mjs';

export class TwoGuests {
  /** `sizes` are those of their windows. */
  static async arrive(sizes) {
    const here = new TwoGuests();
    try {
      here.room = await LocalRoom.open();
      here.ann = await Guest.arrive(here.room, { name: 'ann', size: sizes.ann });
      here.bob = await Guest.arrive(here.room, { name: 'bob', size: sizes.bob });
      for (const guest of [here.ann, here.bob]) {
        await guest.open();
        await guest.connected();
      }
      return here;
    } catch (error) {
      await here.end();
      throw error;
    }
  }

  /** Ends the browsers and the room. */
  async end() {
    await this.ann?.leave();
    await this.bob?.leave();
    await this.room?.close();
  }
}
