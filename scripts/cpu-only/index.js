// onnxruntime-node's postinstall loads global-agent first, and uses it for nothing but its download of GPU libraries on
// linux x64. The daemon runs on the CPU, and a closed network cannot download: the script ends here. Every version of
// npm takes this, unlike a key of its own in .npmrc (npm 11 warns of it) or `allowScripts` (npm 10 does not know it).
exports.bootstrap = () => process.exit(0);
