module.exports = {
  apps: [{ name: "winch", script: "./drum.js", instances: 2 }],
};
