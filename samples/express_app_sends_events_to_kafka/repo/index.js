const express = require('express');
const { Kafka, logLevel } = require('kafkajs');

const kafka = new Kafka({
  clientId: 'turnstile',
  brokers: process.env.KAFKA_BROKERS.split(','),
  logLevel: logLevel.ERROR,
});
const producer = kafka.producer();
let events = 0;

const app = express();
app.get('/', async (request, response, next) => {
  try {
    events += 1;
    const [sent] = await producer.send({
      topic: 'visits',
      messages: [{ value: JSON.stringify({ at: Date.now() }) }],
    });
    response.send(`event ${events} is at offset ${sent.baseOffset}\n`);
  } catch (error) {
    next(error);
  }
});

producer.connect().then(() => app.listen(3000, () => console.log('Turnstile on port 3000')));
