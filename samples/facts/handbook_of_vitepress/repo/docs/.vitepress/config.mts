import { defineConfig } from 'vitepress'

export default defineConfig({ title: 'Loom', base: '/loom/', outDir: '../public' })
