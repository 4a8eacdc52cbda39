/** Files that people have in place of an ONNX model, by how they begin. */
const formats: readonly (readonly [start: RegExp, what: string])[] = [
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS. Fetch the file itself with `git lfs pull`.'],
  [/^PK\x03\x04/, 'a zip archive, such as a PyTorch checkpoint. Export the model with torch.onnx.export.'],
  [/^\x80\x02/, 'a Python pickle. Export the model with torch.onnx.export.'],
  [/^[^]{8}\{"/, 'a safetensors file: weights without a graph. Export the model with torch.onnx.export.'],
  [/^[^]{4}ORTM/, "ONNX Runtime's own format. Name the .onnx file that it was made from."],
  [/^</, 'a web page. Fetch the file itself.'],
  [/^\{/, 'JSON. Name the .onnx file.'],
];

/** What a file is that is clearly no ONNX model, and what to do; undefined where it may be one. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'an empty file. Fetch or export it again.';
  const start = String.fromCharCode(...bytes.subarray(0, 32));
  return formats.find(([first]) => first.test(start))?.[1];
}
