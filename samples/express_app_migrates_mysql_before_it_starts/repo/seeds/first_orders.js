exports.seed = async (knex) => {
  if (await knex('orders').first()) return;
  await knex('orders').insert([
    { customer: 'Varga', piece: 'oak table', due: '2024-04-02' },
    { customer: 'St Brannoc church', piece: 'two benches', due: '2024-04-19' },
    { customer: 'Nilsen', piece: 'staircase', due: '2024-05-30' },
  ]);
};
