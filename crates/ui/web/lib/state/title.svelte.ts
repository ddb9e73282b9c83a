// The title of the window and the trail of links above the page.

export interface Crumb {
  label: string;
  link?: string | undefined;
}

class Trail {
  crumbs: Crumb[] = $state([]);

  set(...crumbs: Crumb[]): void {
    this.crumbs = crumbs;
    const names = crumbs.map((crumb) => crumb.label).reverse();
    document.title = [...names, "Runledger"].join(" · ");
  }
}

export const trail = new Trail();
