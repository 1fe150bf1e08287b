const transport = require('nodemailer').createTransport({
  host: process.env.SMTP_HOST,
  auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASSWORD },
});
require('express')().listen(3000);
