/** The page for people with an account at the homeserver: signed out, or signed in. */

import { Account } from "./account.js";
import { Homeserver } from "./homeserver.js";
import { useProfiles } from "./names.js";
import { SignInView } from "./sign-in-view.js";
import { Visit } from "./visit.js";
import { describeGone } from "./words.js";

export class MatrixApp {
  /** @type {Visit | null} */ #visit = null;

  /**
   * @param {{homeserver: string, serverName: string}} settings @param {import("./tones.js").Tones} tones
   * @param {(session: import("./session.js").Session | null) => void} onSession
   */
  constructor({ homeserver, serverName }, tones, onSession) {
    useProfiles();
    this.tones = tones;
    this.onSession = onSession;
    this.homeserver = new Homeserver(homeserver, serverName);
    this.signInView = new SignInView(this.homeserver, async (proof) =>
      this.#enter(await Account.signIn(this.homeserver, proof)),
    );
    Account.onSignInElsewhere(() => this.#takeUp());
  }

  /** @param {string | null} loginToken from the homeserver; empty: one that nobody here asked for */
  start(loginToken) {
    if (this.#takeUp()) return;
    const isUnasked = loginToken === "";
    this.signInView.show(isUnasked ? "The sign-in was not begun in this tab. Begin it again here." : "");
    if (loginToken) this.signInView.try({ type: "m.login.token", token: loginToken });
  }

  /** Goes on as whoever is signed in in this browser. */
  #takeUp() {
    const account = this.#visit ? null : Account.kept(this.homeserver);
    if (account) this.#enter(account);
    return account !== null;
  }

  /** @param {Account} account */
  #enter(account) {
    if (this.#visit) return;
    this.signInView.hide();
    const visit = new Visit(account, this.tones);
    this.#visit = visit;
    account.addEventListener("gone", (event) => this.#leave(visit, /** @type {CustomEvent} */ (event).detail));
    this.onSession(visit.session);
    visit.start();
  }

  /** @param {Visit} visit @param {import("./account.js").GoneReason} why */
  #leave(visit, why) {
    visit.close();
    this.#visit = null;
    this.onSession(null);
    if (why === "signed-out" || why === "signed-out-untold") history.replaceState(null, "", "/");
    // Somebody else, or the same on another device, signed in in another tab.
    if (why === "changed" && this.#takeUp()) return;
    this.signInView.show(describeGone(why));
  }
}
