const { defineConfig } = require('@vue/cli-service')

const backend = process.env.BACKEND_URL || 'http://localhost:5000'

module.exports = defineConfig({
  devServer: {
    proxy: {
      '^/api': { target: backend, pathRewrite: { '^/api': '/v1' } },
      '/tiles': { target: 'https://tiles.example.com' },
    },
  },
})
