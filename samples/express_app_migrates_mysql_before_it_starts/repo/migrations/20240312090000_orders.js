exports.up = (knex) =>
  knex.schema.createTable('orders', (table) => {
    table.increments();
    table.string('customer').notNullable();
    table.string('piece').notNullable();
    table.string('due', 10).notNullable();
  });

exports.down = (knex) => knex.schema.dropTable('orders');
