// Where the server is that these pages came from, as its clients name it.

/** With the static prefix, without the pages' own part. */
export const trackingUri = (): string => location.origin + location.pathname.replace(/\/(index\.html)?$/, "");
