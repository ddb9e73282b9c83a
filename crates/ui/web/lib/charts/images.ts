// Names of images that `mlflow.log_image` writes: `key%step%1%timestamp%1700000000000%<id>.png`.

export interface LoggedImage {
  path: string;
  key: string;
  step: number;
}

/** Any other image counts too: its name is its key, and it has no steps. */
export function imageKey(path: string): LoggedImage | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/\.(png|jpe?g|gif|webp|bmp)$/i.test(name)) return undefined;
  const match = /^(.*?)[%+]step[%+](\d+)[%+]timestamp[%+]\d+[%+][^%+]*?([%+]compressed)?\.\w+$/.exec(name);
  if (!match) return { path, key: name, step: 0 };
  // A smaller copy for lists lies beside each image.
  if (match[3]) return undefined;
  return { path, key: match[1]!.replaceAll("#", "/"), step: Number(match[2]) };
}
