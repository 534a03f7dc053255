// Runs pieces of JavaScript with jsforce at hand. One JSON object per line comes in: {library, code, arguments}; one goes
// out for each: {value} or {error: {name, message}}. `code` is the body of an async function, written as users of jsforce
// write it, of `jsforce`, `conn` (signed in as the administrator), `connect` (makes another connection) and `args`.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [, , modules, url, accessToken, version] = process.argv;
const require = createRequire(`${modules}/`);
const AsyncFunction = (async () => {}).constructor;
const names = ['jsforce', 'conn', 'connect', 'args'];

function session(library) {
  const jsforce = require(library);
  const connect = (options) => new jsforce.Connection({ instanceUrl: url, loginUrl: url, version, ...options });
  const conn = connect({ accessToken });
  conn.metadata.pollInterval = 20; // milliseconds; an org would be asked once a second
  return { jsforce, connect, conn };
}

const sessions = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { library, code, args } = JSON.parse(line);
  if (!sessions.has(library)) sessions.set(library, session(library));
  const { jsforce, conn, connect } = sessions.get(library);
  let answer;
  try {
    answer = { value: (await new AsyncFunction(...names, code)(jsforce, conn, connect, args)) ?? null };
  } catch (error) {
    answer = { error: { name: error.errorCode ?? error.name, message: error.message } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
