/** How the server lets people in. */

/** @typedef {{auth: "dev"} | {auth: "matrix", homeserver: string, serverName: string}} Settings */

const firstPauseMs = 500;
const longestPauseMs = 8_000;

/** Asks until the server says so. @returns {Promise<Settings>} */
export async function loadSettings() {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const answer = await fetch("/call-page.json");
      if (answer.ok) return await answer.json();
    } catch {
      // The page came from there a moment ago, so it will be there again.
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
