module.exports = { siteMetadata: { title: 'Clock museum' } };
