import svelte from 'rollup-plugin-svelte';
import resolve from '@rollup/plugin-node-resolve';
import css from 'rollup-plugin-css-only';

export default {
	input: 'src/main.js',
	output: { format: 'iife', name: 'app', file: 'public/build/bundle.js' },
	plugins: [
		svelte({ compilerOptions: { dev: !!process.env.ROLLUP_WATCH } }),
		css({ output: 'bundle.css' }),
		resolve({ browser: true, dedupe: ['svelte'] })
	]
};
