export default { title: 'knots' };
