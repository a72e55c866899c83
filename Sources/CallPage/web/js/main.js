/** The page's start: finds out how the server lets people in, and begins with that. */

import { DevApp } from "./dev-app.js";
import { loadIcons } from "./dom.js";
import { MatrixApp } from "./matrix-app.js";
import { loadSettings } from "./settings.js";
import { takeLoginToken } from "./sso.js";
import { Tones } from "./tones.js";

const loginToken = takeLoginToken();
loadIcons().catch((error) => console.warn("no icons:", error));
const tones = new Tones();
/** @typedef {import("./session.js").Session | null} MaybeSession */
/** For a look from the console, and for tests: the session in use. @type {{session: MaybeSession}} */
const debugHandle = { session: null };
Object.assign(window, { callrelay: debugHandle });
document.addEventListener("pointerdown", () => tones.unlock());
document.addEventListener("keydown", () => tones.unlock());

const settings = await loadSettings();
// What is for one kind of server only is hidden on the other, by the style sheet.
document.documentElement.dataset.auth = settings.auth;
const onSession = (/** @type {MaybeSession} */ session) => {
  debugHandle.session = session;
};
if (settings.auth === "matrix") new MatrixApp(settings, tones, onSession).start(loginToken);
else new DevApp(tones, onSession).start();
