/** What a room is called, by the rules of the Matrix specification. */

import { cleanName } from "./names.js";

/**
 * @typedef {{name: string, alias: string, heroes: string[], memberCount: number, directWith: string | null,
 *   members: Map<string, string>}} RoomFacts `members` are names by user id, as far as they are known
 */

/** @param {RoomFacts} room @param {string} me */
export function nameOfRoom({ name, alias, heroes, memberCount, directWith, members }, me) {
  const personName = (/** @type {string} */ userId) => members.get(userId) || userId;
  if (directWith && memberCount <= 2) return personName(directWith);
  const chosen = cleanName(name) || cleanName(alias);
  if (chosen) return chosen;
  const others = heroes.filter((userId) => userId !== me);
  const names = withoutDoubles(others, personName);
  if (memberCount <= 1) return names.length > 0 ? `Empty room (was ${listed(names)})` : "Empty room";
  const unnamed = memberCount - 1 - others.length;
  if (names.length === 0) return "Unnamed room";
  return unnamed > 0 ? listed([...names, unnamed === 1 ? "1 other" : `${unnamed} others`]) : listed(names);
}

/** Two of the same name are told apart by their ids. @param {string[]} people @param {(userId: string) => string} nameOf */
function withoutDoubles(people, nameOf) {
  const names = people.map(nameOf);
  return people.map((userId, index) =>
    names.filter((name) => name === names[index]).length > 1 ? `${names[index]} (${userId})` : names[index],
  );
}

/** `Bob`, `Bob and Carol`, `Bob, Carol and Dave` @param {string[]} names */
function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
