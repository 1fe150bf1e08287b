export default { base: './', build: { outDir: './build' } };
