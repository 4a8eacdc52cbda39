// Runs before onnxruntime-node's own install script, which on Linux downloads some 300 MB of CUDA libraries from outside
// the npm registry and fails where that is out of reach. It skips the download when the files exist, so empty ones are put
// in their place. To get the real ones: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node
import fs from 'fs';
import { createRequire } from 'module';
import path from 'path';

const asked = process.env.ONNXRUNTIME_NODE_INSTALL || process.env.npm_config_onnxruntime_node_install;

function libraryFolder() {
  try {
    const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
    return path.join(path.dirname(manifest), 'bin/napi-v6/linux/x64');
  } catch (error) {
    return undefined; // Not unpacked yet: some installers run this first, and then nothing can be done here.
  }
}

const folder = asked ? undefined : libraryFolder();
if (folder && fs.existsSync(folder)) {
  for (const name of ['cuda', 'shared', 'tensorrt']) {
    const file = path.join(folder, `libonnxruntime_providers_${name}.so`);
    if (!fs.existsSync(file)) fs.writeFileSync(file, '');
  }
}
