// The present, for "3 min ago". One timer for the whole page.

class Clock {
  now = $state(Date.now());

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.now = Date.now();
    }, 10_000);
  }
}

export const clock = new Clock();
