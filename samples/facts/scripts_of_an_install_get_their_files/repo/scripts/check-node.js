if (parseInt(process.versions.node) < 18) process.exit(1)
