/** What proves to the server who this is. */

/**
 * @typedef {object} Credentials
 * @property {() => string} token the one in use
 * @property {() => Promise<string>} fresh the one to use now, renewed first if its time is over
 * @property {(rejected: string, isSoft: boolean) => Promise<boolean>} renew after a token was rejected: whether there is
 *   another one now; throws if that cannot be found out just now
 * @property {(onToken: () => void) => void} onRenewed is called whenever there is another token
 */

/** A token that stays the same. @param {string} token @returns {Credentials} */
export function fixedCredentials(token) {
  return { token: () => token, fresh: async () => token, renew: async () => false, onRenewed: () => {} };
}
