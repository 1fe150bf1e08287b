console.log('beans, peas');
