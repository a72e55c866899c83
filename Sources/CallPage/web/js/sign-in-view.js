/** The door for people with a Matrix account: a password, or single sign-on, as the homeserver offers. */

import { element, find, setText } from "./dom.js";
import { leaveForSso } from "./sso.js";
import { describeSignInError } from "./words.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {{type: string, token?: string, password?: string, identifier?: {type: string, user: string}}} Proof */

export class SignInView {
  #view = find("lobby");
  #form = /** @type {HTMLFormElement} */ (find("password-form"));
  #user = /** @type {HTMLInputElement} */ (find("user-input"));
  #password = /** @type {HTMLInputElement} */ (find("password-input"));
  #retry = find("sign-in-retry");
  /** What the homeserver offers, once it has said so. */ #isOffered = false;
  #isBusy = false;

  /**
   * @param {import("./homeserver.js").Homeserver} homeserver
   * @param {(proof: Proof) => Promise<void>} signIn
   */
  constructor(homeserver, signIn) {
    this.homeserver = homeserver;
    this.signIn = signIn;
    setText(find("server-name"), homeserver.serverName);
    this.#user.placeholder = "alice";
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#retry.onclick = () => this.#askForFlows();
  }

  /** @param {string} [why] somebody is here that was signed in before */
  show(why = "") {
    this.#view.hidden = false;
    setText(find("sign-in-why"), why);
    this.#say("");
    this.#password.value = "";
    if (this.#isOffered) this.#focus();
    else this.#askForFlows();
  }

  hide() {
    this.#view.hidden = true;
    this.#user.value = "";
    this.#password.value = "";
  }

  /** @param {Proof} proof */
  async try(proof) {
    if (this.#isBusy) return;
    this.#setBusy(true);
    this.#say("");
    try {
      await this.signIn(proof);
    } catch (error) {
      this.#say(describeSignInError(error, this.homeserver.serverName, proof.type));
    }
    this.#setBusy(false);
    if (!this.#view.hidden) this.#focus();
  }

  async #askForFlows() {
    this.#retry.hidden = true;
    this.#say("");
    setText(find("sign-in-hint"), "Asking the homeserver how to sign in…");
    try {
      this.#offer(await this.homeserver.flows());
    } catch (error) {
      setText(find("sign-in-hint"), "");
      this.#say(describeSignInError(error, this.homeserver.serverName));
      this.#retry.hidden = false;
    }
  }

  /** @param {{hasPassword: boolean, hasSso: boolean, providers: import("./homeserver.js").Provider[]}} flows */
  #offer({ hasPassword, hasSso, providers }) {
    this.#isOffered = true;
    setText(find("sign-in-hint"), "");
    this.#form.hidden = !hasPassword;
    find("sso").hidden = !hasSso;
    find("sso-or").hidden = !hasPassword;
    const choices = providers.length > 0 ? providers : [{ id: null, name: "single sign-on" }];
    find("sso-buttons").replaceChildren(...choices.map((choice) => this.#ssoButton(choice, hasPassword)));
    if (!hasPassword && !hasSso) this.#say("This page knows none of the ways in which the homeserver lets people sign in.");
    this.#setBusy(this.#isBusy);
    this.#focus();
  }

  /** @param {{id: string | null, name: string}} provider @param {boolean} isSecond */
  #ssoButton({ id, name }, isSecond) {
    const kind = isSecond ? "secondary" : "primary";
    const attributes = { type: "button", class: `button ${kind} wide`, "data-testid": "sso-button" };
    const button = element("button", attributes, element("span", {}, `Continue with ${name}`));
    button.onclick = () => leaveForSso(this.homeserver, id);
    return button;
  }

  #submit() {
    const user = fullUserId(this.#user.value, this.homeserver.serverName);
    const password = this.#password.value;
    const isOfHere = user.endsWith(`:${this.homeserver.serverName}`);
    this.#user.setAttribute("aria-invalid", String(!user || !isOfHere));
    this.#password.setAttribute("aria-invalid", String(!password));
    if (!user || !password) {
      this.#say(user ? "Enter your password." : "Enter your user name.");
      (user ? this.#password : this.#user).focus();
    } else if (!isOfHere) {
      this.#say(`Only accounts at ${this.homeserver.serverName} can sign in here.`);
      this.#user.focus();
    } else {
      this.try({ type: "m.login.password", identifier: { type: "m.id.user", user }, password });
    }
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    find("sign-in").setAttribute("aria-busy", String(isBusy));
    for (const button of find("sign-in").querySelectorAll("button")) button.disabled = isBusy;
    setText(find("sign-in-button"), isBusy ? "Signing in…" : "Sign in");
  }

  #focus() {
    if (this.#form.hidden) /** @type {HTMLElement | null} */ (find("sso-buttons").querySelector("button"))?.focus();
    else (this.#user.value ? this.#password : this.#user).focus();
  }

  /** @param {string} text */
  #say(text) {
    setText(find("sign-in-error"), text);
  }
}

/**
 * `@alice:example.org` of `alice`, `@alice` or itself; empty if there is no name.
 * @param {string} typed @param {string} serverName
 */
function fullUserId(typed, serverName) {
  const name = typed.trim().replace(/^@/, "");
  if (!name || name.startsWith(":")) return "";
  return name.includes(":") ? `@${name}` : `@${name}:${serverName}`;
}
