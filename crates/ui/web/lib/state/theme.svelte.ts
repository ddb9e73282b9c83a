// Light or dark: what the reader chose, else what the system says. MLflow's pages remember it under the same key.

const KEY = "_mlflow_dark_mode_toggle_enabled";
const system = matchMedia("(prefers-color-scheme: dark)");

class Theme {
  dark = $state(false);

  toggle(): void {
    this.#apply(!this.dark);
    try {
      localStorage.setItem(KEY, String(this.dark));
    } catch {
      // No storage in this window: the choice lasts until it is closed.
    }
  }

  start(): void {
    const chosen = remembered();
    this.#apply(chosen ?? system.matches);
    system.addEventListener("change", () => {
      if (remembered() === undefined) this.#apply(system.matches);
    });
  }

  #apply(dark: boolean): void {
    this.dark = dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }
}

function remembered(): boolean | undefined {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? undefined : text === "true";
  } catch {
    return undefined;
  }
}

export const theme = new Theme();
export const startTheme = (): void => theme.start();
