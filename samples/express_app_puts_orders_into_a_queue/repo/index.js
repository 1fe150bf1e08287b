const express = require('express');
const { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } = require('@aws-sdk/client-sqs');

const client = new SQSClient({ endpoint: process.env.SQS_ENDPOINT });
const app = express();

app.get('/', async (request, response) => {
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'orders' }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'order 7' }));
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    response.send(`took ${Messages[0].Body} from the queue\n`);
  } catch (error) {
    response.status(500).send(error.message);
  }
});

app.listen(3000, () => console.log('the desk is open'));
