/** The little that the views need of the document. */

/** @template {HTMLElement} T @param {string} testId @returns {T} the one element that carries it */
export function find(testId) {
  const found = document.querySelector(`[data-testid="${testId}"]`);
  if (!found) throw new Error(`the page has no ${testId}`);
  return /** @type {T} */ (found);
}

/**
 * @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Brings the pictures into the document, once: none is missing then while the server is away. */
export async function loadIcons() {
  const answer = await fetch("/icons.svg");
  const sheet = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  sheet.setAttribute("hidden", "");
  document.body.append(document.adoptNode(sheet));
}

/** @param {string} name a symbol of icons.svg */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** @param {HTMLElement} button @param {string} name @param {string} label what a press does */
export function setIconButton(button, name, label) {
  button.querySelector("use")?.setAttribute("href", `#${name}`);
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** @param {HTMLElement} target @param {string} text written only if it differs, so that it is not read out again */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** One of eight colours, always the same for the same person. @param {string} userId */
export function hueClass(userId) {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return `hue-${hash % 8}`;
}

/** @param {string} userId @param {string} name */
export function avatar(userId, name) {
  // An id begins with a sign that is the same for all.
  const [initial = "?"] = name.replace(/^[@#!](?=.)/, "");
  return element("span", { class: `avatar ${hueClass(userId)}`, "aria-hidden": "true" }, initial.toUpperCase());
}
