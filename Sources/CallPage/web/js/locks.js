/** One at a time in all tabs of this browser. */

/** So long a tab that was closed in the midst of it keeps the others waiting, where browsers have no locks. */
const longestTurnMs = 10_000;
const lookMs = 100;
/** What another tab wrote to the storage is seen here a little later. */
const settlingMs = 300;

/** @template T @param {string} name @param {() => Promise<T>} act @returns {Promise<T>} */
export async function alone(name, act) {
  // Browsers have them on https and on localhost only.
  if (!navigator.locks) return takeTurn(name, act);
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? act() : afterOthers(name, act)));
}

/** @template T @param {string} name @param {() => Promise<T>} act @returns {Promise<T>} */
function afterOthers(name, act) {
  return navigator.locks.request(name, async () => {
    await pause(settlingMs);
    return act();
  });
}

/**
 * By a note in the storage: whoever still finds the own one there after a moment was the last to write.
 * @template T @param {string} name @param {() => Promise<T>} act @returns {Promise<T>}
 */
async function takeTurn(name, act) {
  const mine = String(Math.random());
  for (;;) {
    const [, until = "0"] = (localStorage.getItem(name) ?? "").split(" ");
    if (Number(until) <= Date.now()) {
      localStorage.setItem(name, `${mine} ${Date.now() + longestTurnMs}`);
      await pause(settlingMs);
      if (localStorage.getItem(name)?.startsWith(mine)) break;
    }
    await pause(lookMs + Math.random() * lookMs);
  }
  try {
    return await act();
  } finally {
    localStorage.removeItem(name);
  }
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
