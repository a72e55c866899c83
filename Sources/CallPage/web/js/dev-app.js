/** The page where people are who they say: the server is in dev mode. */

import { fixedCredentials } from "./credentials.js";
import { devToken, identify } from "./identity.js";
import { LobbyView } from "./lobby-view.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";

export class DevApp {
  /** @param {import("./tones.js").Tones} tones @param {(session: Session | null) => void} onSession */
  constructor(tones, onSession) {
    this.tones = tones;
    this.onSession = onSession;
    this.lobby = new LobbyView((name, room) => {
      this.lobby.hide();
      this.#enter(name, room);
    });
  }

  start() {
    this.lobby.show();
  }

  /** @param {string} name @param {string} room */
  #enter(name, room) {
    const identity = identify(name);
    const session = new Session(identity, fixedCredentials(devToken(identity.userId)), { room });
    const stage = new Stage(session, this.tones, { onLeave: () => this.#leave(session, stage) });
    this.onSession(session);
    session.start();
    stage.render();
  }

  /** @param {Session} session @param {Stage} stage */
  async #leave(session, stage) {
    stage.freeze();
    await session.stop();
    stage.close();
    this.onSession(null);
    this.lobby.show();
  }
}
