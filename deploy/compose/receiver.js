// Prints each alert that Alertmanager sends, a line for each.
const { createServer } = require('node:http');

createServer((request, response) => {
  let text = '';
  request.on('data', (bytes) => (text += bytes));
  request.on('end', () => {
    for (const { status, labels, annotations } of JSON.parse(text).alerts)
      console.log(`${status}  ${labels.severity}  ${labels.alertname}  ${annotations.summary}  ${annotations.runbook}`);
    response.end();
  });
}).listen(9095);
