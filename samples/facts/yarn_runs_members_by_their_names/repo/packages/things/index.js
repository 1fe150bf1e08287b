exports.things = ['umbrella', 'left glove']
