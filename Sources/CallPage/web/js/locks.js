/** One at a time in all tabs of this browser. */

/** So long a tab that was closed in the midst of it keeps the others waiting, where browsers have no locks. */
const longestTurnMs = 10_000;
const lookMs = 100;
/** What another tab wrote to the storage is seen here a little later than its turn has ended. */
const settlingMs = 300;

/** @template T @param {string} name @param {() => Promise<T>} act @returns {Promise<T>} */
export async function alone(name, act) {
  // Browsers have them on https and on localhost only.
  if (navigator.locks) {
    return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? act() : afterOthers(name, act)));
  }
  while (Number(localStorage.getItem(name)) > Date.now()) {
    await new Promise((resolve) => setTimeout(resolve, lookMs + Math.random() * lookMs));
  }
  localStorage.setItem(name, String(Date.now() + longestTurnMs));
  try {
    return await act();
  } finally {
    localStorage.removeItem(name);
  }
}

/** @template T @param {string} name @param {() => Promise<T>} act @returns {Promise<T>} */
function afterOthers(name, act) {
  return navigator.locks.request(name, async () => {
    await new Promise((resolve) => setTimeout(resolve, settlingMs));
    return act();
  });
}
