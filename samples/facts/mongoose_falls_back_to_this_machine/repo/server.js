// mongoose.connect('mongodb://localhost/old');
require('mongoose').connect(process.env.RECIPES_DB || 'mongodb://localhost/recipes');
require('express')().listen(3000);
