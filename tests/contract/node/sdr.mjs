// source-deploy-retrieve in one process: takes a request per line, gives an answer per line.
//
//   node sdr.mjs FOLDER_WITH_NODE_MODULES
//   {"org": {"url", "token"}, "do": "deploy", ...}  ->  {"result": ...} or {"error": "..."}

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.argv[2], "package.json"));
const { AuthInfo, Connection } = require("@salesforce/core");
const { ComponentSet, DestructiveChangesType } = require("@salesforce/source-deploy-retrieve");

const POLL = 50; // milliseconds
const LONGEST = 60_000;

async function connection({ url, token }) {
  const authInfo = await AuthInfo.create({
    username: token,
    accessTokenOptions: { accessToken: token, instanceUrl: url, loginUrl: url },
  });
  return Connection.create({ authInfo });
}

function outcome(result) {
  const { response } = result;
  return {
    id: response.id,
    status: response.status,
    checkOnly: response.checkOnly,
    failures: [response.details.componentFailures ?? []].flat().map(({ componentType, fullName, problem }) => ({
      address: `${componentType}:${fullName}`,
      problem,
    })),
    files: result.getFileResponses().map(({ type, fullName, state, filePath }) => ({
      address: `${type}:${fullName}`,
      state,
      filePath,
    })),
  };
}

async function deployed(components, usernameOrConnection, apiOptions) {
  const operation = await components.deploy({ usernameOrConnection, apiOptions });
  return outcome(await operation.pollStatus(POLL, LONGEST / 1000));
}

const actions = {
  async deploy({ folder, options: { sourceApiVersion, ...options } }, org) {
    const components = ComponentSet.fromSource(folder);
    components.sourceApiVersion = sourceApiVersion;
    return deployed(components, org, options);
  },
  async destroy({ folder, addresses, when, options }, org) {
    const components = new ComponentSet();
    const wanted = new Set(addresses);
    for (const component of ComponentSet.fromSource(folder).getSourceComponents()) {
      for (const each of [component, ...component.getChildren()]) {
        if (wanted.delete(`${each.type.name}:${each.fullName}`)) components.add(each, DestructiveChangesType[when]);
      }
    }
    if (wanted.size) throw new Error(`not in the project: ${[...wanted]}`);
    return deployed(components, org, options);
  },
  async retrieve({ addresses, output }, org) {
    const components = new ComponentSet(addresses.map((address) => {
      const [type, fullName] = address.split(/:(.*)/s);
      return { type, fullName };
    }));
    const operation = await components.retrieve({ usernameOrConnection: org, output, format: "source", merge: false });
    const result = await operation.pollStatus(POLL, LONGEST / 1000);
    const messages = result.response.messages ?? [];
    return {
      status: result.response.status,
      files: result.getFileResponses().filter(({ filePath }) => filePath).map(({ filePath }) => filePath),
      problems: [messages].flat().map(({ problem }) => problem),
    };
  },
  async list({ types }, org) {
    const components = await ComponentSet.fromConnection({ usernameOrConnection: org, metadataTypes: types });
    return components.toArray().map(({ type, fullName }) => `${type.name}:${fullName}`);
  },
};

async function answer(line) {
  try {
    const request = JSON.parse(line);
    return { result: await actions[request.do](request, await connection(request.org)) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
