/** The page's start: puts the views and the session together. */

import { CallView } from "./call-view.js";
import { loadIcons } from "./dom.js";
import { identify } from "./identity.js";
import { IncomingView } from "./incoming-view.js";
import { LobbyView } from "./lobby-view.js";
import { RoomView } from "./room-view.js";
import { Session } from "./session.js";
import { Tones } from "./tones.js";

loadIcons().catch((error) => console.warn("no icons:", error));
const tones = new Tones();
/** For a look from the console, and for tests: the session in use. @type {{session: Session | null}} */
const debugHandle = { session: null };
Object.assign(window, { callrelay: debugHandle });

const lobby = new LobbyView((name, room) => {
  lobby.hide();
  enter(name, room);
});
lobby.show();
document.addEventListener("pointerdown", () => tones.unlock());
document.addEventListener("keydown", () => tones.unlock());

/** @param {string} name @param {string} room */
function enter(name, room) {
  const session = new Session(identify(name), room);
  const callView = new CallView(session);
  const roomView = new RoomView(session, leave);
  const incomingView = new IncomingView(session, () => roomView.relayOnly);
  debugHandle.session = session;

  const render = () => {
    callView.render();
    roomView.render();
    incomingView.render();
    ring(session);
    document.title = titleOf(session);
  };
  session.addEventListener("change", render);
  session.start();
  render();

  async function leave() {
    session.removeEventListener("change", render);
    await session.stop();
    tones.stop();
    roomView.hide();
    callView.hide();
    debugHandle.session = null;
    document.title = "callrelay";
    lobby.show();
  }
}

/** @param {Session} session */
function ring({ call, ringing }) {
  if (call?.phase === "ringing") tones.play("ringback");
  else if (!call && ringing.size > 0) tones.play("ring");
  else tones.stop();
}

/** @param {Session} session */
function titleOf({ call, ringing, room }) {
  if (call) return "In a call · callrelay";
  return ringing.size > 0 ? "Incoming call · callrelay" : `${room} · callrelay`;
}
