// How a file is shown, by its name.

export type FileKind = "image" | "html" | "markdown" | "table" | "json" | "pdf" | "audio" | "video" | "text" | "binary";

const KINDS: [FileKind, string][] = [
  ["image", "png jpg jpeg gif webp bmp svg ico avif"],
  ["html", "html htm"],
  ["markdown", "md markdown"],
  ["table", "csv tsv"],
  ["json", "json geojson ipynb"],
  ["pdf", "pdf"],
  ["audio", "m4a mp3 wav aac flac opus ogg"],
  ["video", "mp4 m4v mov mkv webm avi"],
  ["binary", "pkl pickle joblib npy npz pt pth onnx h5 hdf5 safetensors parquet arrow feather zip gz tar tgz bz2 xz 7z whl so bin model ubj keras pb tflite exe dll o a db sqlite"],
];

/** Files without a known ending are tried as text: `MLmodel`, `Dockerfile`, `LICENSE`. */
export function kindOf(path: string): FileKind {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const ending = name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : "";
  return KINDS.find(([, endings]) => endings.split(" ").includes(ending))?.[0] ?? "text";
}

/** Text that is none: with the sign that a decoder puts for what it cannot read, or with control characters. */
export function looksBinary(text: string): boolean {
  const head = text.slice(0, 4000);
  const strange = head.replace(/[^\u0000-\u0008\u000e-\u001a\ufffd]/g, "").length;
  return head.includes("\u0000") || strange > head.length * 0.05;
}
