module.exports = { title: 'parcels' };
