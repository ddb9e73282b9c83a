// Starts the worker under the policy of trusted types: this one script and no other.

import address from "./pages.worker?worker&url";

interface Policy {
  createScriptURL(url: string): string;
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const { trustedTypes } = globalThis as { trustedTypes?: Policies };

const policy = trustedTypes?.createPolicy("runledger-worker", {
  createScriptURL(url) {
    if (url !== address) throw new TypeError("not a script of these pages");
    return url;
  },
});

export function pageWorker(): Worker {
  return new Worker(policy ? policy.createScriptURL(address) : address, { type: "module" });
}
