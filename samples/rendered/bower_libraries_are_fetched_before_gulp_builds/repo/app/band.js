angular.module('band', []).controller('Concerts', function () {
  this.list = ['Midsummer on the green', 'Carols in the square'];
});
